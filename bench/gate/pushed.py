"""The past of a simulated service as a stream heard it, and a source that forgets after hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from bench.gate.longpast import World
from bench.gate.samples import ORIGIN, SERVICE
from detector.gate.course import Streamed
from detector.series import Answer, Query, Series
from detector.signals.plan import Plan
from detector.stream.answering import streamed
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.counting import Counting
from detector.stream.subject import Owners
from detector.stream.tallies import Tallies
from pipelines.packs import load_packs

__all__ = ["Forgetful", "Heard"]

_METRICS = ("http_requests_total", "http_request_duration_seconds_bucket")
_LONG_S = 15 * 86_400.0


@cache
def _counting() -> Counting:
    packs = load_packs()
    return Counting(packs, Owners(packs))


@dataclass(slots=True)
class Forgetful(World):
    """A world that keeps the samples of the last `kept_s` seconds only."""

    kept_s: float = np.inf

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Samples up to now, as far back as they are kept."""
        start = max(start, self.now - self.kept_s)
        if start >= end:
            return [Answer(series=()) for _ in queries]
        return super(Forgetful, self).read(queries, start, end, timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Of what is kept."""
        start = max(start, self.now - self.kept_s)
        return super(Forgetful, self).series(queries, start, end, timeout_s=timeout_s)


@dataclass(slots=True)
class Heard:
    """`Baselines`: all that the service exposed for `known_s` seconds, and what comes, in order."""

    world: World
    known_s: float = _LONG_S
    infos: list[SeriesInfo] = field(default_factory=list)
    tallies: Tallies = field(default_factory=lambda: Tallies(counting=_counting(), most=1000))
    asked: list[Streamed] = field(default_factory=list)
    _ids: dict[frozenset[tuple[str, str]], int] = field(default_factory=dict)
    _heard: float = -np.inf

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What the stream that heard all of it tells."""
        self._hear(until)
        found = streamed(self.tallies, self.infos, plan, until=until)
        self.asked.append(found)
        return found

    def _hear(self, until: float) -> None:
        since = max(self._heard, ORIGIN - self.known_s)
        found = [*self._far(since, until), *self._near(since, until)]
        self._heard = until
        if not found:
            return
        ids = np.repeat([self._id(one.labels) for one in found], [len(s.times) for s in found])
        at = np.concatenate([one.times for one in found])
        order = np.argsort(at, kind="stable")
        self.tallies.take(
            Columns(
                series=ids[order].astype(np.int32),
                at=np.round(1000 * at[order]).astype(np.int64),
                value=np.concatenate([one.values for one in found])[order],
            )
        )

    def _far(self, since: float, until: float) -> list[Series]:
        """Each five minutes, as the weeks before are drawn."""
        found = []
        for counter in self.world.counters:
            if counter.labels["service"] != SERVICE:
                continue
            times = counter.times + ORIGIN
            kept = (times > since) & (times <= until)
            if kept.any():
                values = np.floor(counter.values[kept])
                found.append(Series(labels=counter.labels, times=times[kept], values=values))
        return found

    def _near(self, since: float, until: float) -> list[Series]:
        queries = [Query(metric, ()) for metric in _METRICS]
        answers = self.world.source.read(queries, since, until, timeout_s=60.0)
        return [s for a in answers for s in a.series if s.labels.get("service") == SERVICE]

    def _id(self, labels: Mapping[str, str]) -> int:
        key = frozenset(labels.items())
        if key not in self._ids:
            self._ids[key] = len(self.infos)
            told = tuple(sorted(labels.items()))
            self.infos.append(SeriesInfo(labels=told, kind=SeriesKind.CUMULATIVE))
            self.tallies.introduce(self.infos[-1:])
        return self._ids[key]
