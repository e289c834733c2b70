"""A source of which each question is asked once: what a past rollout reads lies in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.ports import MetricSource
from detector.series import Answer, Columns, FloatArray, Query

__all__ = ["HeldSource"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Held:
    """All samples of one question in a span that begins at `start`.

    `keys` are the times with the series' number in front, so that all ascend: a span of all
    series is found by one search. Both summands are whole multiples of a time's last bit.
    """

    start: float
    width: float
    columns: Columns
    keys: FloatArray
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer, start: float, end: float) -> _Held:
        """What a source answered."""
        columns = Columns.of(answer.series)
        width = 2.0 ** math.ceil(math.log2(max(end - start, 1.0)) + 1)
        numbers = np.repeat(np.arange(len(columns)), columns.sizes)
        keys = columns.times - start + numbers * width
        return cls(start, width, columns, keys, tuple(answer.warnings))

    def between(self, start: float, end: float) -> Answer:
        """Samples with `start < time <= end`."""
        whole = self.columns
        offsets = np.arange(len(whole)) * self.width
        low = self.keys.searchsorted(offsets + (start - self.start), side="right")
        high = self.keys.searchsorted(offsets + (end - self.start), side="right")
        sizes = np.maximum(high - low, 0).astype(np.int64)
        there = np.flatnonzero(sizes)
        sizes, low = sizes[there], low[there]
        ends = np.cumsum(sizes)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(low - ends + sizes, sizes)
        labels = [whole.labels[at] for at in there.tolist()]
        columns = Columns(labels, sizes, whole.times[places], whole.values[places])
        return Answer(series=columns, warnings=self.warnings)


class HeldSource:
    """`MetricSource` that reads from `begin` to `end` at the first question and shows it piecewise.

    What lies before `begin` is read as it is asked. `problem` is the last error of the source: a
    source that fails today says nothing of the answer that was due then.
    """

    def __init__(self, source: MetricSource, begin: float, end: float) -> None:
        self._source, self._begin, self._end = source, begin, end
        self._held: dict[Query, _Held] = {}
        self.problem: SourceError | None = None

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Samples with `start < time <= end`; see `MetricSource`."""
        if start < self._begin or end > self._end:
            return self._asked(queries, start, end, timeout_s)
        new = [query for query in dict.fromkeys(queries) if query not in self._held]
        if new:
            answers = self._asked(new, self._begin, self._end, timeout_s)
            for query, answer in zip(new, answers, strict=True):
                self._held[query] = _Held.of(answer, self._begin, self._end)
        return tuple(self._held[query].between(start, end) for query in queries)

    @property
    def has_warned(self) -> bool:
        """Whether any answer may lack series."""
        return any(held.warnings for held in self._held.values())

    def _asked(
        self, queries: Sequence[Query], start: float, end: float, timeout_s: float
    ) -> Sequence[Answer]:
        try:
            return self._source.read(queries, start, end, timeout_s=timeout_s)
        except SourceError as error:
            self.problem = error
            raise
