"""Our own counters of logs and traces behind the ports of a source."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from detector.errors import SourceError, StoreError
from detector.selector import matches
from detector.series import Answer, Query, Series
from pipelines.sources.outlining import LOOKBACK_S, outlined
from pipelines.sources.own_frames import Curves, curves
from pipelines.stores.joined_lines import JoinedOwn
from pipelines.stores.own import SPANS, OwnSeries, SqlOwn

__all__ = ["LINES", "PARTITION", "OwnSource"]

NAME, PARTITION = "__name__", "partition"
# Counters of lines, which nobody else has.
LINES = "serinus_log_lines_total"
# What is gone from the database is looked for so often.
_RELOAD_S = 600.0
_CACHED = 4_096
Labels = Mapping[str, str]


@dataclass(slots=True)
class _Known:
    """The counters of one part, as far as they were read, by their metric.

    `more` is a label that tells them from those of another part.
    """

    more: Labels = field(default_factory=dict)
    by_metric: dict[str, list[tuple[OwnSeries, Labels]]] = field(default_factory=dict)
    chosen: dict[Query, tuple[int, list[tuple[int, Labels]]]] = field(default_factory=dict)
    highest: int = -1

    def add(self, one: OwnSeries) -> None:
        """One more, with a higher id than those before."""
        labels = {**dict(one.labels), **self.more}
        self.by_metric.setdefault(labels[NAME], []).append((one, labels))
        self.highest = one.id

    def select(self, query: Query) -> list[tuple[int, Labels]]:
        """Ids and labels of what a query selects; remembered until the metric has another one."""
        every = self.by_metric.get(query.metric, [])
        count, found = self.chosen.get(query, (-1, []))
        if count != len(every):
            count = len(every)
            found = [(one.id, labels) for one, labels in every[:count] if _fits(query, labels)]
            if len(self.chosen) >= _CACHED:
                self.chosen.clear()
            self.chosen[query] = count, found
        return found


class OwnSource:
    """`MetricSource`, `MetricCatalog` and `MetricOutline` over one tenant; safe for threads.

    `ailing` says why counters may be missing, or nothing: answers warn of it. A sample is there
    as soon as its time is over, and is never changed. New counters are looked for every `look_s`.
    """

    def __init__(
        self,
        own: Callable[[], SqlOwn | JoinedOwn],
        *,
        tenant: str = "default",
        ailing: Callable[[], str] = lambda: "",
        look_s: float = 1.0,
    ) -> None:
        self._own, self._tenant, self._ailing, self._every = own, tenant, ailing, look_s
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()
        self._loaded = self._looked = -math.inf

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = math.inf
    ) -> Sequence[Answer]:
        """See `MetricSource`; it takes as long as the database."""
        with _told():
            known = self._refreshed()
            found: list[list[Series]] = [[] for _ in queries]
            for part, kept in known.items():
                chosen = [kept.select(query) for query in queries]
                ids = sorted({id for some in chosen for id, _ in some})
                if not ids or end <= start:
                    continue
                read = curves(self._own(), part, self._tenant, ids, start, end)
                for place, some in enumerate(chosen):
                    found[place] += _series(some, read)
        warnings = (self._ailing(),) if self._ailing() else ()
        return [Answer(series=tuple(series), warnings=warnings) for series in found]

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float = math.inf,
    ) -> Sequence[Answer]:
        """See `MetricOutline`."""
        return outlined(
            lambda since, until: self.read(queries, since, until, timeout_s=timeout_s),
            start,
            end,
            step_s=step_s,
        )

    def metrics(self, *, timeout_s: float = math.inf) -> frozenset[str]:
        """See `MetricCatalog`."""
        with _told():
            known = self._refreshed()
        return frozenset(name for kept in known.values() for name in list(kept.by_metric))

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = math.inf
    ) -> Sequence[Labels]:
        """See `MetricCatalog`."""
        with _told():
            known = self._refreshed(whole=True)
        found = {
            tuple(labels.items()): labels
            for kept in known.values()
            for query in queries
            for one, labels in kept.by_metric.get(query.metric, [])
            if one.born / 1000 <= end
            and one.seen / 1000 + LOOKBACK_S >= start
            and _fits(query, labels)
        }
        return tuple(found.values())

    def label_values(
        self,
        label: str,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        timeout_s: float = math.inf,
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        found = self.series(queries, start, end, timeout_s=timeout_s)
        return sorted({labels[label] for labels in found if label in labels})

    def _refreshed(self, *, whole: bool = False) -> Mapping[str, _Known]:
        """The counters by part: new ones are looked for often, all of them now and then."""
        now = time.monotonic()
        with self._lock:
            if whole or now - self._loaded > _RELOAD_S:
                self._known, self._loaded, self._looked = {}, now, -math.inf
            if now - self._looked >= self._every or not self._known:
                self._look()
                self._looked = now
            return dict(self._known)

    def _look(self) -> None:
        own = self._own()
        for part, tenant in own.parts():
            if tenant == self._tenant:
                kept = self._known.setdefault(part, _Known(more=_place(part)))
                for one in own.series(part, tenant, above=kept.highest):
                    kept.add(one)


def _place(part: str) -> Labels:
    """Of a partition of a topic which it is: each has counters that begin and end by themselves.

    The lines of a pod may be in several, and are the sum of them.
    """
    name = part.removesuffix(SPANS)
    return {PARTITION: name} if "/" in name else {}


def _fits(query: Query, labels: Labels) -> bool:
    return all(matches(matcher, labels) for matcher in query.matchers)


def _series(chosen: Sequence[tuple[int, Labels]], read: Curves) -> list[Series]:
    made = ((labels, read.of(id)) for id, labels in chosen)
    return [
        Series(labels=labels, times=times, values=values)
        for labels, (times, values) in made
        if times.size
    ]


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the store as those of a source."""
    try:
        yield
    except StoreError as error:
        raise SourceError(f"our own counters cannot be read: {error}", retryable=True) from error
