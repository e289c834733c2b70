"""A source of queries that is a table, for tests of what is made of answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from detector.errors import SourceError
from detector.series import Answer, FloatArray, Series

Course = Callable[[FloatArray], FloatArray]
Told = Mapping[str, Mapping[tuple[tuple[str, str], ...], Course]]


class TableRanges:
    """`Ranges` by query: courses over time by labels; `asked` keeps what was asked for."""

    def __init__(self, told: Told, metrics: frozenset[str] = frozenset()) -> None:
        self.told, self.known = dict(told), metrics
        self.asked: list[tuple[str, float, float]] = []
        self.broken: set[str] = set()

    def ranged(
        self, query: str, start: float, end: float, *, step_s: float, timeout_s: float
    ) -> Answer:
        """What the table says; a query is known with and without its fold."""
        self.asked.append((query, start, end))
        bare = query.split("((", 1)[-1].split(")[", 1)[0] if "_over_time((" in query else query
        if bare in self.broken or "*" in self.broken:
            raise SourceError(f"{bare} is broken")
        times = np.arange(start, end + step_s / 2, step_s)
        series = [
            Series(labels=dict(labels), times=times, values=course(times))
            for labels, course in self.told.get(bare, {}).items()
        ]
        return Answer(series=series)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """As `MetricCatalog`."""
        return self.known


def steady(value: float) -> Course:
    """Always the same."""
    return lambda times: np.full(len(times), value)
