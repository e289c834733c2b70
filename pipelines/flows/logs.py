"""Log lines on their way into the stream: mined and counted by who brings them, and spooled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from detector.logs.counted import LogCounts
from detector.logs.lines import Level, LogLines, Origin
from detector.logs.rates import Chosen
from pipelines.flows.logs_mined import LineMiner, TenantMiner
from pipelines.flows.logs_names import Labels, of_labels
from pipelines.flows.logs_record import lines_of
from pipelines.flows.logs_taking import Gained, Taken, Taking
from pipelines.sources.own import LINES

__all__ = ["RATES", "LogFlow", "LogLimits", "LogMeters"]

RATES = "serinus_log_lines"
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """Of one tenant. Lines that are older than `behind_s` are counted by template alone."""

    templates: int = 100_000
    behind_s: float = 3600.0


@dataclass(slots=True)
class LogMeters:
    """Running totals."""

    lines: int = 0
    late: int = 0
    refused: int = 0


class LogFlow:
    """`ReadLogSink`; safe for threads.

    A batch that `put` took is in the spool of the stream: what follows of it is counted once, also
    if the process dies now. Templates get their ids here, in the turn of who brings the lines.
    """

    def __init__(
        self,
        taking: Taking,
        miner: Callable[[Arrays | None], LineMiner],
        *,
        known: Callable[[str], frozenset[str]],
        redact: Callable[[str], str],
        kept: Callable[[str], Arrays | None] = lambda _: None,
        limits: LogLimits | None = None,
    ) -> None:
        self._taking, self._miner, self._known = taking, miner, known
        self._redact, self._kept = redact, kept
        self.limits, self.meters = limits or LogLimits(), LogMeters()
        self._mined: dict[str, TenantMiner] = {}
        self._chosen: defaultdict[str, Chosen] = defaultdict(Chosen)
        self._read: dict[tuple[str, str], int] = {}

    def put(self, tenant: str, lines: LogLines) -> bool:
        """See `LogSink`."""
        return self._take(tenant, lines, None) if len(lines) else True

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        """See `ReadLogSink`."""
        is_taken = self._take(tenant, lines, (source, read_to))
        if is_taken:
            self._read[tenant, source] = read_to
        return is_taken

    def read_to(self, tenant: str, source: str) -> int | None:
        """See `ReadLogSink`."""
        found = self._read.get((tenant, source))
        return self._taking.read_to(tenant, source) if found is None else found

    def _take(self, tenant: str, lines: LogLines, read: tuple[str, int] | None) -> bool:
        taken = self._taking.of(tenant)
        with taken.lock:
            if not self._taking.has_room():
                self.meters.refused += len(lines)
                return False
            return self._put(taken, lines, read)

    @property
    def miners(self) -> Mapping[str, TenantMiner]:
        """What is known of each tenant's templates."""
        return dict(self._mined)

    def chosen(self, tenant: str) -> Chosen:
        """Which of a tenant's templates have series of the stream."""
        return self._chosen[tenant]

    def mined(self, tenant: str) -> TenantMiner:
        """What is known of a tenant's templates, opened where it is not."""
        return self._of(tenant)

    def arrays(self, tenant: str) -> Mapping[str, NDArray[Any]] | None:
        """What a tenant's miner has learned, for a checkpoint; None where nothing was mined."""
        mined = self._mined.get(tenant)
        if mined is None:
            return None
        with self._taking.of(tenant).lock:
            return mined.miner.to_bare_arrays()

    def forget(self, tenant: str) -> None:
        """Know only those templates that are kept still."""
        mined = self._mined.get(tenant)
        if mined is not None:
            with self._taking.of(tenant).lock:
                mined.known = set(self._known(tenant))

    def _put(self, taken: Taken, lines: LogLines, read: tuple[str, int] | None) -> bool:
        mined = self._of(taken.tenant)
        now = self._taking.begin(taken)
        counts = mined.count(lines, now)
        gained = Gained()
        since = now - round(1000 * self.limits.behind_s)
        late = self._rise(taken, gained, counts, since)
        if not self._taking.put(taken, gained, lines=lines_of(counts), read=read):
            self.meters.refused += len(lines)
            return False
        mined.kept(counts)
        self.meters.lines += len(lines)
        self.meters.late += late
        return True

    def _of(self, tenant: str) -> TenantMiner:
        if tenant not in self._mined:
            self._mined[tenant] = TenantMiner(
                self._miner(self._kept(tenant)),
                self._known(tenant),
                most=self.limits.templates,
                redact=self._redact,
                step_ms=self._taking.step_ms,
            )
        return self._mined[tenant]

    def _rise(self, taken: Taken, gained: Gained, counts: LogCounts, since: int) -> int:
        """Counters and rates of the lines that are not late; how many are."""
        is_late = counts.at < since
        columns = (counts.template, counts.origin, counts.level, counts.count)
        rows = zip(*(column[~is_late].tolist() for column in columns), strict=True)
        for template, origin, level, count in rows:
            id = counts.templates[template].id
            labels = _labels(counts.origins[origin], level, id)
            self._one(taken, gained, counts.origins[origin], level, count, labels)
        return int(counts.count[is_late].sum())

    def _one(
        self, taken: Taken, gained: Gained, origin: Origin, level: int, count: int, labels: _Labels
    ) -> None:
        taken.rise(gained, labels.of_pod, origin, count, is_first=True)
        if level >= Level.ERROR:
            taken.rise(gained, labels.of_pod_and_template, origin, count, is_first=False)
        taken.rate(gained, labels.of_service, count, is_first=True)
        place, chosen = (origin.service, origin.namespace, origin.cluster), self._chosen
        if chosen[taken.tenant].has(place, labels.template, level, count, taken.taken):
            taken.rate(gained, labels.of_template, count, is_first=False)


@dataclass(frozen=True, slots=True)
class _Labels:
    """What counters and rates of a row are called."""

    of_pod: Labels
    of_pod_and_template: Labels
    of_service: Labels
    of_template: Labels
    template: str


@lru_cache(maxsize=1 << 16)
def _labels(origin: Origin, level: int, template: str) -> _Labels:
    of = (
        ("service", origin.service),
        ("namespace", origin.namespace),
        ("cluster", origin.cluster),
        ("level", Level(level).name.lower()),
    )
    pod = (("pod", origin.pod), ("version", origin.version))
    named = (*of, ("template", template))
    return _Labels(
        of_labels(LINES, (*of, *pod)),
        of_labels(LINES, (*named, *pod)),
        of_labels(RATES, of),
        of_labels(RATES, named),
        template,
    )
