"""Lines and spans of one part of the stream in life: what follows of them, and is to be written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from detector.logs.kept import Found
from detector.logs.lines import Level
from detector.logs.plain import plain
from detector.logs.settings import LogSettings
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.feedback import Feedback, Tuning
from detector.stream.suppression import Window
from pipelines.flows.logs_detecting import TRACES, Detecting
from pipelines.flows.logs_own import OwnCounters, pause_after
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_rates import Rates, joined
from pipelines.flows.logs_record import Counted, Lines
from pipelines.flows.spans_rates import ServedRates
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.own import SPANS, SqlOwn, mark, marked, read_mark
from pipelines.stores.templates import DAY_MS, SqlTemplates, add_lines

if TYPE_CHECKING:
    from detector.spans.opposed import Versions
    from detector.spans.series import About
    from detector.spans.shift import Arms, Measure, TimeShift
    from detector.spans.topology import Graph
    from pipelines.flows.spans_part import SpansPart

__all__ = ["LogsPart"]

Arrays = Mapping[str, NDArray[Any]]
# Counters of spans that a tenant may have.
_MOST_OF_SPANS = 20_000
_LINES, _SPANS = "lines.", "spans."
_OWN = ("rates.", "served.", _LINES, _SPANS)
_SERVICE = 253
# Those of counters: longer than names are remembered, so that no id that is given is forgotten.
_FORGET_MS = 72 * 3_600_000


@dataclass(slots=True)
class _Tenant:
    """What one tenant has."""

    own: OwnCounters
    rates: Rates
    served: ServedRates
    found: dict[tuple[str, str, int], Found] = field(default_factory=dict)
    detecting: Detecting | None = None
    spans: SpansPart | None = None
    read: dict[str, int] = field(default_factory=dict)


class LogsPart:
    """What the records of lines and spans move; for one thread.

    Counters and templates are written now and then, each time with the position that they stand
    for: what is told again up to there after a death is passed over. What the stream gets of them
    goes by the stream's own checkpoints.
    """

    def __init__(
        self,
        database: Connections,
        part: str,
        check: Callable[[Transaction], None],
        *,
        settings: LogSettings | None = None,
        windows: Sequence[Window] = (),
        pace: Pace = LIFE,
        origin: str = "",
    ) -> None:
        """`check` is a `ConflictError` in a transaction of who does not own the part any more.

        `origin` is the part, where several have lines of one service.
        """
        self._db, self._part, self._own, self.pace = database, part, SqlOwn(database), pace
        self._origin = origin
        self._check, self._settings, self._windows = check, settings or LogSettings(), windows
        self._tenants: dict[str, _Tenant] = {}
        self._rates: dict[str, Arrays] = {}
        # Up to where is written, and up to where is taken.
        self.written, self._position = -1, -1
        self._is_moved = False
        self._flushed, self._pause_s = 0.0, pace.flush_s

    def restore(self, tenants: Mapping[str, Arrays]) -> None:
        """Go on from what the database has, and from a checkpoint of the stream."""
        self._settle_step()
        self.written = self._position = self._own.position(self._part)
        self._rates = dict(tenants)
        self._tenants, self._is_moved = {}, False

    def _settle_step(self) -> None:
        """What was kept at another step is not gone on with: no frame says its own."""
        if self._own.step_ms(self._part) == self.pace.step_ms:
            return
        with self._db.write() as transaction:
            self._check(transaction)
            self._own.keep_step(transaction, self._part, self.pace.step_ms)

    def take(self, position: int, counted: Counted) -> tuple[Columns | None, tuple[Happened, ...]]:
        """Take the next record; the samples that follow of it, and what happened to its lines."""
        own, is_new = self._of(counted.tenant), position > self.written
        happened: tuple[Happened, ...] = ()
        if counted.lines is not None:
            happened = self._detecting(own, counted.tenant).take(counted.lines)
        self._take_spans(own, counted, is_new=is_new)
        if is_new:
            own.own.take(counted)
            if counted.lines is not None:
                _add(own.found, counted.lines, counted.taken, self.pace.step_ms)
            if counted.read is not None:
                own.read[counted.read[0]] = counted.read[1]
            self._position = position
        return joined(own.rates.take(counted), own.served.take(counted)), happened

    def said(
        self, tenant: str, feedback: Feedback
    ) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said of an anomaly of lines."""
        return self._detecting(self._of(tenant), tenant).said(feedback)

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """What the numbers of an anomaly of lines stand for."""
        tenant = happened.anomaly.tenant
        return self._detecting(self._of(tenant), tenant).named(happened)

    def arrays(self, tenant: str) -> Arrays:
        """What a checkpoint of the stream is to hold."""
        if tenant not in self._tenants:
            kept = self._rates.get(tenant, {})
            return {name: kept[name] for name in kept if name.startswith(_OWN)}
        own = self._tenants[tenant]
        spans = {} if own.spans is None else own.spans.arrays()
        lines = {} if own.detecting is None else own.detecting.arrays()
        return {
            **own.rates.to_arrays(),
            **own.served.to_arrays(),
            **{_LINES + name: array for name, array in lines.items()},
            **{_SPANS + name: array for name, array in spans.items()},
        }

    def traced(
        self, tenant: str, happened: Sequence[tuple[Happened, About | None]]
    ) -> tuple[Happened, ...]:
        """The same, each with traces of its time that is about requests."""
        spans = self._of(tenant).spans
        if spans is None:
            return tuple(one for one, _ in happened)
        return spans.traced(happened)

    def later(self, tenant: str) -> tuple[Happened, ...]:
        """What was told before, with traces that have come since."""
        spans = self._of(tenant).spans
        return () if spans is None else spans.later()

    def has_spans(self, tenant: str) -> bool:
        """Whether spans of a tenant were taken."""
        if tenant in self._tenants:
            return self._tenants[tenant].spans is not None
        return any(name.startswith(_SPANS) for name in self._rates.get(tenant, ()))

    def graph(self, tenant: str, service: str | None) -> Graph | None:
        """Who calls whom, None where no spans were taken."""
        own = self._of(tenant)
        return None if own.spans is None else own.spans.graph(service)

    def shifts(self, tenant: str, arms: Arms, measure: Measure) -> tuple[TimeShift, ...] | None:
        """Where a canary's requests spend their time, None where no spans were taken."""
        own = self._of(tenant)
        return None if own.spans is None else own.spans.shifts(arms, measure)

    def versions(self, tenant: str, service: str) -> Versions | None:
        """Which versions of a service send spans, None where no spans were taken."""
        own = self._of(tenant)
        return None if own.spans is None else own.spans.versions(service)

    @property
    def is_owing(self) -> bool:
        """Whether something is to be written."""
        return self._position > self.written

    def settle(self, *, now: bool = False) -> None:
        """Write what came, once a second at most and seldomer if it takes long, or now.

        After a `StoreError` try again.
        """
        began = time.monotonic()
        if not self.is_owing or (began - self._flushed < self._pause_s and not now):
            return
        self.rise()
        # A write that failed without a word may have gone through.
        if self._own.position(self._part) < self._position:
            with self._db.write() as transaction:
                self._check(transaction)
                self.add(transaction)
        self.wrote()
        self._flushed = time.monotonic()
        self._pause_s = pause_after(self._flushed - began, self.pace)

    def rise(self) -> None:
        """What was counted of spans is owed, too: call it before `add`."""
        for own in self._tenants.values():
            if own.spans is not None:
                own.spans.rise()

    def add(self, transaction: Transaction) -> None:
        """Put what is owed into a transaction of the part's owner, and call `wrote` after that."""
        for tenant, own in self._tenants.items():
            own.own.write(transaction, self._part)
            if own.spans is not None:
                own.spans.own.write(transaction, self._part + SPANS)
            for found in own.found.values():
                add_lines(transaction, self._part, tenant, found)
            for source, read_to in own.read.items():
                mark(transaction, read_mark(self._part, tenant, source), read_to)
        mark(transaction, self._part, self._position)

    def catch_up(self, transaction: Transaction) -> None:
        """`add`, unless it was added by a try that failed without a word and yet went through."""
        if self._is_moved or marked(transaction, self._part) < self._position:
            self.add(transaction)

    def wrote(self) -> None:
        """What was owed is written."""
        for own in self._tenants.values():
            own.own.wrote()
            own.found.clear()
            own.read.clear()
            if own.spans is not None:
                own.spans.own.wrote()
        self.written, self._is_moved = self._position, False

    def go_on_at(self, position: int) -> None:
        """What comes next is not behind what came: positions after this one are new.

        What is owed is written first; `catch_up` keeps the rest.
        """
        self.settle(now=True)
        self._position = self.written = position
        self._is_moved = True

    def forget(self, now_ms: int) -> None:
        """Counters that rise no more are not held."""
        for own in self._tenants.values():
            own.own.forget(now_ms - _FORGET_MS)
            if own.spans is not None:
                own.spans.own.forget(now_ms - _FORGET_MS)

    def counts(self) -> dict[str, tuple[int, int]]:
        """By tenant, how many counters and how many series of the stream there are."""
        return {name: (len(one.own), len(one.rates)) for name, one in list(self._tenants.items())}

    def _of(self, tenant: str) -> _Tenant:
        if tenant not in self._tenants:
            newest = self._own.newest(self._part, tenant)
            known = self._own.series(self._part, tenant)
            held = self._rates.pop(tenant, {})
            own = _Tenant(
                own=OwnCounters(tenant, known, newest=newest, pace=self.pace),
                rates=Rates(held, step_ms=self.pace.step_ms),
                served=ServedRates(held, step_ms=self.pace.step_ms),
            )
            spans, lines = _under(_SPANS, held), _under(_LINES, held)
            if spans:
                own.spans = self._spans(tenant, spans)
            if lines:
                own.detecting = self._detector(tenant, lines)
            self._tenants[tenant] = own
        return self._tenants[tenant]

    def _detecting(self, own: _Tenant, tenant: str) -> Detecting:
        if own.detecting is None:
            own.detecting = self._detector(tenant, {})
        return own.detecting

    def _detector(self, tenant: str, arrays: Arrays) -> Detecting:
        traces = SqlTemplates(self._db).traces(self._part, tenant, most=TRACES)
        return Detecting(
            tenant,
            arrays,
            traces,
            settings=self._settings,
            windows=self._windows,
            origin=self._origin,
            step_ms=self.pace.step_ms,
        )

    def _take_spans(self, own: _Tenant, counted: Counted, *, is_new: bool) -> None:
        if counted.spans is not None and own.spans is None:
            own.spans = self._spans(counted.tenant, {})
        if own.spans is not None:
            own.spans.take(counted.spans, counted.taken, is_new=is_new)

    def _spans(self, tenant: str, arrays: Arrays) -> SpansPart:
        # Its loops are compiled for who has spans.
        from pipelines.flows.spans_part import SpansPart

        part, pace = self._part + SPANS, self.pace
        return SpansPart(self._own, part, tenant, arrays, most=_MOST_OF_SPANS, pace=pace)


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _add(found: dict[tuple[str, str, int], Found], lines: Lines, taken: int, step_ms: int) -> None:
    """Count the lines of a record by template, service and level."""
    counts = lines.counts(step_ms)
    rows = zip(
        counts.at.tolist(),
        counts.template.tolist(),
        counts.origin.tolist(),
        counts.level.tolist(),
        counts.count.tolist(),
        strict=True,
    )
    for at, place, origin, level, count in rows:
        template = counts.templates[place]
        key = (template.id, plain(counts.origins[origin].service)[:_SERVICE], level)
        was = found.get(key)
        days, last = {at // DAY_MS: count}, max(at, min(at + step_ms, taken))
        if was is not None:
            days = {**was.days, at // DAY_MS: was.days.get(at // DAY_MS, 0) + count}
        found[key] = Found(
            id=template.id,
            service=key[1],
            level=Level(level),
            text=template.text,
            sample=template.sample if was is None else was.sample or template.sample,
            came=taken if was is None else was.came,
            first=at if was is None else min(was.first, at),
            last=last if was is None else max(was.last, last),
            count=count if was is None else was.count + count,
            days=days,
        )
