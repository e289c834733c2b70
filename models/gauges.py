"""Gauges: raw samples to one mean per bin, incrementally; NaN where there is nothing to say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gauges"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Gauges:
    """State of many gauges. Boundary m lies at `start + m * step`; bin m ends there.

    A bin without samples repeats the last value while that is at most `hold` seconds old.
    """

    def __init__(self, *, start: float, step: float, hold: float, frozen: int) -> None:
        self.start, self.step, self.hold, self.frozen = start, step, hold, frozen
        self.count = 0
        self._sum: Floats = np.zeros((0, 1))
        self._seen: Floats = np.zeros((0, 1))
        self._value: Floats = np.zeros((0, 1))
        self._when: Floats = np.zeros((0, 1))
        self._last: Floats = np.zeros(0)
        self._time: Floats = np.zeros(0)

    def add_series(self) -> int:
        """A new gauge."""
        self.count += 1
        if self.count > len(self._last):
            size = max(16, 2 * self.count)
            self._sum, self._seen = _taller(self._sum, size, 0.0), _taller(self._seen, size, 0.0)
            self._value = _taller(self._value, size, np.nan)
            self._when = _taller(self._when, size, -np.inf)
            self._last = _taller(self._last, size, np.nan)
            self._time = _taller(self._time, size, -np.inf)
        return self.count - 1

    def extend(self, series: Ints, times: Floats, values: Floats) -> None:
        """Take finite samples, ascending in time per series; those of frozen bins are ignored."""
        bin_ = np.ceil((times - self.start) / self.step).astype(np.int64) - self.frozen - 1
        late = bin_ < 0
        if late.any():
            keep = ~late
            self._hold_late(series[late], times[late], values[late])
            series, times, values, bin_ = series[keep], times[keep], values[keep], bin_[keep]
        if not len(series):
            return
        self._widen(int(bin_.max()) + 1)
        np.add.at(self._sum, (series, bin_), values)
        np.add.at(self._seen, (series, bin_), 1.0)
        self._value[series, bin_] = values
        self._when[series, bin_] = times

    def advance(self, top: int) -> Floats:
        """Means of every gauge in the bins up to boundary `top`, (series, new bins)."""
        new, count = top - self.frozen, self.count
        if new <= 0:
            return np.zeros((count, 0))
        self._widen(new)
        seen = self._seen[:count, :new]
        means = np.divide(
            self._sum[:count, :new], seen, out=np.full(seen.shape, np.nan), where=seen > 0
        )
        value = np.concatenate([self._last[:count, None], self._value[:count, :new]], axis=1)
        when = np.concatenate([self._time[:count, None], self._when[:count, :new]], axis=1)
        newest = np.maximum.accumulate(np.where(when > -np.inf, np.arange(new + 1), 0), axis=1)
        value, when = (np.take_along_axis(part, newest, axis=1) for part in (value, when))
        ends = self.start + (self.frozen + 1 + np.arange(new)) * self.step
        fresh = ends - when[:, 1:] <= self.hold
        self._last[:count], self._time[:count] = value[:, -1], when[:, -1]
        self._shift(new)
        self.frozen = top
        return np.where(seen > 0, means, np.where(fresh, value[:, 1:], np.nan))

    def _hold_late(self, series: Ints, times: Floats, values: Floats) -> None:
        self._last[series], self._time[series] = values, times

    def _widen(self, width: int) -> None:
        more = width - self._sum.shape[1]
        if more > 0:
            self._sum, self._seen = _wider(self._sum, more, 0.0), _wider(self._seen, more, 0.0)
            self._value = _wider(self._value, more, np.nan)
            self._when = _wider(self._when, more, -np.inf)

    def _shift(self, new: int) -> None:
        self._sum, self._seen = self._sum[:, new:].copy(), self._seen[:, new:].copy()
        self._value, self._when = self._value[:, new:].copy(), self._when[:, new:].copy()


def _taller(old: Floats, size: int, fill: float) -> Floats:
    new = np.full((size, *old.shape[1:]), fill)
    new[: len(old)] = old
    return new


def _wider(old: Floats, more: int, fill: float) -> Floats:
    return np.concatenate([old, np.full((len(old), more), fill)], axis=1)
