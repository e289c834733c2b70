"""Our own counters beside another source: each family is read where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from detector.errors import SourceError
from detector.ports import MetricOutline
from detector.series import Answer, Query
from pipelines.sources.open import Source
from pipelines.sources.own import LINES, OwnSource

__all__ = ["JoinedSource", "joined"]

T = TypeVar("T")
_Ask = Callable[[Sequence[Query]], Sequence[Answer]]


class JoinedSource:
    """`MetricSource` and `MetricCatalog` over both; safe for threads.

    What our own counters are called is read from them alone, all else from `other`. Where our own
    cannot be read, answers to it are empty and warn of that, and all else is answered. Where the
    other source fails, so does this: a read again finds all that our own had meanwhile.
    """

    def __init__(self, other: Source, own: OwnSource) -> None:
        self.other, self.own = other, own

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """See `MetricSource`."""
        return self._shared(
            queries,
            lambda rest: self.other.read(rest, start, end, timeout_s=timeout_s),
            lambda ours: self.own.read(ours, start, end),
        )

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """See `MetricCatalog`."""
        return self.other.metrics(timeout_s=timeout_s) | self._names()

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `MetricCatalog`."""
        names = self._names()
        ours = [query for query in queries if query.metric in names]
        rest = [query for query in queries if query.metric not in names]
        found = self.other.series(rest, start, end, timeout_s=timeout_s) if rest else ()
        nothing: Sequence[Mapping[str, str]] = ()
        return [*found, *_or(lambda: self.own.series(ours, start, end), nothing)]

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        names = self._names()
        ours = [query for query in queries if query.metric in names]
        rest = [query for query in queries if query.metric not in names]
        found: Sequence[str] = ()
        if rest:
            found = self.other.label_values(label, rest, start, end, timeout_s=timeout_s)
        nothing: Sequence[str] = ()
        more = _or(lambda: self.own.label_values(label, ours, start, end), nothing)
        return sorted({*found, *more})

    def _names(self) -> frozenset[str]:
        """What our own counters are called; as it was, where they cannot be read."""
        self._known = _or(self.own.metrics, self._known)
        return self._known

    _known: frozenset[str] = frozenset()

    def _shared(self, queries: Sequence[Query], other: _Ask, own: _Ask) -> Sequence[Answer]:
        """Answers in the order of the queries, each from where its family is."""
        # Also while our own were never read: a Prometheus would answer that there are no lines.
        names = self._names() | {LINES}
        rest = [query for query in queries if query.metric not in names]
        ours = [query for query in queries if query.metric in names]
        from_rest = iter(other(rest) if rest else ())
        from_own = iter(_warned(own, ours) if ours else ())
        return [next(from_own if query.metric in names else from_rest) for query in queries]


class _Outlined(JoinedSource):
    """With `MetricOutline`, where the other source has it, too."""

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """See `MetricOutline`."""
        other = self.other
        assert isinstance(other, MetricOutline)
        return self._shared(
            queries,
            lambda rest: other.outline(rest, start, end, step_s=step_s, timeout_s=timeout_s),
            lambda ours: self.own.outline(ours, start, end, step_s=step_s),
        )


def joined(other: Source, own: OwnSource) -> JoinedSource:
    """Both as one source."""
    return _Outlined(other, own) if isinstance(other, MetricOutline) else JoinedSource(other, own)


def _warned(own: _Ask, queries: Sequence[Query]) -> Sequence[Answer]:
    try:
        return own(queries)
    except SourceError as error:
        return [Answer(series=(), warnings=(str(error),)) for _ in queries]


def _or(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except SourceError:
        return otherwise
