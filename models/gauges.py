"""Gauges: raw samples to one mean per bin, incrementally; NaN where there is nothing to say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gauges"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# What is kept of each gauge in each open bin, and what stands where there is no sample.
_SUM, _SEEN, _VALUE, _WHEN = range(4)
_FILL = np.array([0.0, 0.0, np.nan, -np.inf])[:, None, None]


class Gauges:
    """State of many gauges. Boundary m lies at `start + m * step`; bin m ends there.

    A bin without samples repeats the last value while that is at most `hold` seconds old.
    """

    def __init__(self, *, start: float, step: float, hold: float, frozen: int) -> None:
        self.start, self.step, self.hold, self.frozen = start, step, hold, frozen
        self.count = 0
        # (4, gauges, open bins); then the last value before them and its time, (2, gauges).
        self._open: Floats = np.zeros((4, 0, 1))
        self._last: Floats = np.zeros((2, 0))

    def add_series(self) -> int:
        """A new gauge."""
        self.count += 1
        if self.count > self._last.shape[1]:
            more = max(16, self.count)
            width = self._open.shape[2]
            self._open = np.concatenate([self._open, _empty(more, width)], axis=1)
            self._last = np.concatenate([self._last, _empty(more, 1)[_VALUE:, :, 0]], axis=1)
        return self.count - 1

    def extend(self, series: Ints, times: Floats, values: Floats) -> None:
        """Take finite samples, ascending in time per series; those of frozen bins are ignored."""
        bin_ = np.ceil((times - self.start) / self.step).astype(np.int64) - self.frozen - 1
        late = bin_ < 0
        if late.any():
            keep = ~late
            self._last[:, series[late]] = values[late], times[late]
            series, times, values, bin_ = series[keep], times[keep], values[keep], bin_[keep]
        if not len(series):
            return
        self._widen(int(bin_.max()) + 1)
        np.add.at(self._open[_SUM], (series, bin_), values)
        np.add.at(self._open[_SEEN], (series, bin_), 1.0)
        self._open[_VALUE, series, bin_] = values
        self._open[_WHEN, series, bin_] = times

    def advance(self, top: int) -> Floats:
        """Means of every gauge in the bins up to boundary `top`, (series, new bins)."""
        new, count = top - self.frozen, self.count
        if new <= 0:
            return np.zeros((count, 0))
        self._widen(new)
        now = self._open[:, :count, :new]
        total, seen = now[_SUM], now[_SEEN]
        held = np.concatenate([self._last[:, :count, None], now[_VALUE:]], axis=2)
        there = held[1] > -np.inf
        newest = np.maximum.accumulate(np.where(there, np.arange(new + 1), 0), axis=1)
        value, when = held[:, np.arange(count)[:, None], newest]
        ends = self.start + (self.frozen + 1 + np.arange(new)) * self.step
        again = np.where(ends - when[:, 1:] <= self.hold, value[:, 1:], np.nan)
        self._last[:, :count] = value[:, -1], when[:, -1]
        self._open = self._open[:, :, new:].copy()
        self.frozen = top
        means: Floats = np.divide(total, seen, out=again, where=seen > 0)
        return means

    def _widen(self, width: int) -> None:
        more = width - self._open.shape[2]
        if more > 0:
            empty = _empty(self._open.shape[1], more)
            self._open = np.concatenate([self._open, empty], axis=2)


def _empty(gauges: int, bins: int) -> Floats:
    return np.broadcast_to(_FILL, (4, gauges, bins))
