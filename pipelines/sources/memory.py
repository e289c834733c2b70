"""An embedded metric store behind the ports of a source, for demo, tests and simulation."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from detector.selector import matches
from detector.series import Answer, Columns, FloatArray, Query
from pipelines.sources.outlining import outlined

__all__ = ["MemorySource"]

DAY_S = 86_400.0
NAME = "__name__"
# Prometheus' staleness marker: told from other NaN by its bits only.
STALE_BITS = np.uint64(0x7FF0000000000002)
CACHED_QUERIES = 4096
SMALLEST_COLUMN = 64
Labels = Mapping[str, str]


class _Column:
    """Samples of one series in arrays that grow."""

    __slots__ = ("high", "labels", "low", "times", "values")

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.times: FloatArray = np.empty(0)
        self.values: FloatArray = np.empty(0)
        self.low = self.high = 0

    def last(self) -> float:
        """Time of the newest sample."""
        return float(self.times[self.high - 1]) if self.high > self.low else -math.inf

    def adopt(self, times: FloatArray, values: FloatArray) -> None:
        """Take whole arrays; they are kept as they are while nothing else is appended."""
        if self.high == self.low:
            self.times, self.values, self.low, self.high = times, values, 0, times.size
            return
        end = self._reserve(times.size)
        self.times[self.high : end] = times
        self.values[self.high : end] = values
        self.high = end

    def put(self, time: float, value: float) -> None:
        """Take one sample, newer than the last."""
        end = self._reserve(1)
        self.times[self.high] = time
        self.values[self.high] = value
        self.high = end

    def _reserve(self, more: int) -> int:
        """Room for `more` samples after `high`, in new arrays when the old ones are full."""
        end = self.high + more
        if end > self.times.size:
            kept = slice(self.low, self.high)
            size = max(2 * (end - self.low), SMALLEST_COLUMN)
            self.times, self.values = (
                _moved(self.times[kept], size),
                _moved(self.values[kept], size),
            )
            self.low, self.high = 0, self.high - kept.start
        return self.high + more

    def window(self, start: float, end: float) -> slice:
        """Where the samples with `start < time <= end` are."""
        kept = self.times[self.low : self.high]
        low, high = kept.searchsorted((start, end), side="right")
        return slice(self.low + int(low), self.low + int(high))


def _one(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _moved(old: FloatArray, size: int) -> FloatArray:
    new = np.empty(size)
    new[: old.size] = old
    return new


class MemorySource:
    """`MetricSource` and `MetricCatalog` over samples that were appended; safe for threads.

    Series are named by their labels, `__name__` among them. Samples not newer than the last one
    of their series are dropped and counted in `dropped`; staleness markers are dropped too. What
    is older than `retention_s` before the newest sample goes. Past `max_series`, new series are
    refused, counted in `refused`, and every answer warns of it. An answer is a copy.
    """

    def __init__(self, *, retention_s: float = 26 * 3600.0, max_series: int = 100_000) -> None:
        self.retention_s = retention_s
        self.max_series = max_series
        self.dropped = 0
        self.refused = 0
        self._lock = threading.RLock()
        self._columns: dict[frozenset[tuple[str, str]], _Column] = {}
        self._by_metric: dict[str, list[_Column]] = {}
        self._selected: dict[Query, tuple[_Column, ...]] = {}
        self._newest = -math.inf
        self._swept_at = -math.inf

    def append(self, labels: Labels, time: float, value: float) -> None:
        """Add one sample; `time` is unix seconds."""
        with self._lock:
            self._put(labels, time, value)
            self._sweep_when_due()

    def extend(self, samples: Iterable[tuple[Labels, float, float]]) -> None:
        """Add one sample to each of many series at once, so that no reader sees half a scrape."""
        with self._lock:
            for labels, time, value in samples:
                self._put(labels, time, value)
            self._sweep_when_due()

    def add(self, labels: Labels, times: ArrayLike, values: ArrayLike) -> None:
        """Add a whole series, or the next part of one; `ValueError` when times do not ascend.

        Float64 arrays are not copied: leave them alone afterwards.
        """
        new_times = np.asarray(times, dtype=np.float64)
        new_values = np.asarray(values, dtype=np.float64)
        if new_times.ndim != 1 or new_times.shape != new_values.shape:
            raise ValueError("times and values must be flat and of one length")
        if not (new_times[1:] > new_times[:-1]).all():
            raise ValueError("times must ascend")
        with self._lock:
            self._adopt(labels, *_without_stale(new_times, new_values))
            self._sweep_when_due()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = math.inf
    ) -> Sequence[Answer]:
        """Raw samples with `start < time <= end`, one answer per query; never blocks for long."""
        with self._lock:
            warnings = self._warnings()
            return tuple(
                Answer(series=self._columns_in(query, start, end) or (), warnings=warnings)
                for query in queries
            )

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float = math.inf,
    ) -> Sequence[Answer]:
        """The newest sample at each multiple of `step_s`; see `MetricOutline`."""
        return outlined(
            lambda since, until: self.read(queries, since, until), start, end, step_s=step_s
        )

    def metrics(self, *, timeout_s: float = math.inf) -> frozenset[str]:
        """Names of all metrics that have samples."""
        with self._lock:
            return frozenset(self._by_metric)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = math.inf
    ) -> Sequence[Labels]:
        """Label sets of the series that match any of the queries and have samples in the span.

        Unlike in `read` both ends count, as in the API of Prometheus.
        """
        before = math.nextafter(start, -math.inf)
        with self._lock:
            found = {id(column): column for query in queries for column in self._select(query)}
            windows = [(column, column.window(before, end)) for column in found.values()]
        return tuple(dict(column.labels) for column, kept in windows if kept.stop > kept.start)

    def label_values(
        self,
        label: str,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        timeout_s: float = math.inf,
    ) -> Sequence[str]:
        """Sorted values of one label over the series that match any of the queries."""
        found = self.series(queries, start, end)
        return sorted({labels[label] for labels in found if label in labels})

    def drop_before(self, time: float) -> None:
        """Forget samples up to and including `time`, and series that have no others."""
        with self._lock:
            for column in self._columns.values():
                column.low = column.window(time, math.inf).start
            gone = [key for key, column in self._columns.items() if column.low >= column.high]
            for key in gone:
                self._forget(self._columns.pop(key))

    def _columns_in(self, query: Query, start: float, end: float) -> Columns:
        labels: list[Labels] = []
        sizes: list[int] = []
        times: list[FloatArray] = []
        values: list[FloatArray] = []
        for column in self._select(query):
            kept = column.window(start, end)
            if kept.stop > kept.start:
                labels.append(column.labels)
                sizes.append(kept.stop - kept.start)
                times.append(column.times[kept])
                values.append(column.values[kept])
        return Columns(labels, np.array(sizes, np.int64), _one(times), _one(values))

    def _select(self, query: Query) -> tuple[_Column, ...]:
        """Matching columns; remembered until the metric has another series."""
        found = self._selected.get(query)
        if found is None:
            found = tuple(
                column
                for column in self._by_metric.get(query.metric, ())
                if all(matches(matcher, column.labels) for matcher in query.matchers)
            )
            if len(self._selected) >= CACHED_QUERIES:
                self._selected.clear()
            self._selected[query] = found
        return found

    def _put(self, labels: Labels, time: float, value: float) -> None:
        if value != value and np.float64(value).view(np.uint64) == STALE_BITS:  # noqa: PLR0124
            return
        column = self._column(labels)
        if column is None:
            return
        if time <= column.last():
            self.dropped += 1
            return
        column.put(time, value)
        self._newest = max(self._newest, time)

    def _adopt(self, labels: Labels, times: FloatArray, values: FloatArray) -> None:
        column = self._column(labels) if times.size else None
        if column is None:
            return
        old = int(times.searchsorted(column.last(), side="right"))
        self.dropped += old
        if old < times.size:
            column.adopt(times[old:], values[old:])
            self._newest = max(self._newest, float(times[-1]))

    def _column(self, labels: Labels) -> _Column | None:
        """The column of a series, a new one if need be, or None when the store is full."""
        key = frozenset(labels.items())
        column = self._columns.get(key)
        if column is None and len(self._columns) >= self.max_series:
            self.refused += 1
        elif column is None:
            column = self._columns[key] = _Column(dict(labels))
            self._by_metric.setdefault(labels[NAME], []).append(column)
            self._forget_selections(labels[NAME])
        return column

    def _forget(self, column: _Column) -> None:
        name = column.labels[NAME]
        self._by_metric[name].remove(column)
        if not self._by_metric[name]:
            del self._by_metric[name]
        self._forget_selections(name)

    def _forget_selections(self, metric: str) -> None:
        for query in [query for query in self._selected if query.metric == metric]:
            del self._selected[query]

    def _sweep_when_due(self) -> None:
        """Drop what is too old, now and then: a sweep looks at every series."""
        if self._swept_at == -math.inf:
            self._swept_at = self._newest
        if self._newest - self._swept_at > self.retention_s / 16:
            self._swept_at = self._newest
            self.drop_before(self._newest - self.retention_s)

    def _warnings(self) -> tuple[str, ...]:
        if not self.refused:
            return ()
        return (f"the embedded store is full ({self.max_series:,} series); new series are refused",)


def _without_stale(times: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    stale = values.view(np.uint64) == STALE_BITS if values.flags.c_contiguous else None
    if stale is None:
        return _without_stale(times, np.ascontiguousarray(values))
    return (times[~stale], values[~stale]) if stale.any() else (times, values)
