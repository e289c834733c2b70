"""Our own counters beside another source: each family is read where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from detector.errors import SourceError
from detector.series import Answer, Query
from pipelines.sources.open import Source
from pipelines.sources.own import OwnSource

__all__ = ["JoinedSource"]

T = TypeVar("T")


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
        names = self._names()
        ours = [query for query in queries if query.metric in names]
        rest = [query for query in queries if query.metric not in names]
        answers = self.other.read(rest, start, end, timeout_s=timeout_s) if rest else ()
        own = self._own_answers(ours, start, end) if ours else ()
        from_rest, from_own = iter(answers), iter(own)
        return [next(from_own if q.metric in names else from_rest) for q in queries]

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

    def _own_answers(self, queries: Sequence[Query], start: float, end: float) -> Sequence[Answer]:
        try:
            return self.own.read(queries, start, end)
        except SourceError as error:
            return [Answer(series=(), warnings=(str(error),)) for _ in queries]


def _or(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except SourceError:
        return otherwise
