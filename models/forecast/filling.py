"""Gaps are filled by what the times of the week usually are, at the level of both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["filled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def filled(values: Floats, slots: Ints, day: int) -> Floats:
    """The values, and where they are NaN the usual for their time of the week: (n,).

    The level goes straight from the last known day before a gap to the first after it. ValueError
    where nothing is known.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    if not known.any():
        raise ValueError("nothing was measured")
    usual = _usual(values, slots, 7 * day)
    off = values - usual
    at = np.flatnonzero(known)
    level = np.interp(np.arange(len(values)), at, _smoothed(off[at], day))
    return np.where(known, values, usual + level)


def _usual(values: Floats, slots: Ints, week: int) -> Floats:
    """The median of each time of the week, of all times where one was never seen: (n,)."""
    known = np.isfinite(values)
    middle = float(np.median(values[known]))
    told = np.full(week, middle)
    order = np.argsort(slots[known], kind="stable")
    times, starts = np.unique(slots[known][order], return_index=True)
    for time, part in zip(times, np.split(values[known][order], starts[1:]), strict=True):
        told[time] = np.median(part)
    return told[slots]


def _smoothed(off: Floats, day: int) -> Floats:
    """Means of about a day around each, so that no single value sets the level of a gap."""
    width = min(day, len(off))
    total = np.concatenate([[0.0], np.cumsum(off)])
    low = np.maximum(np.arange(len(off)) - width // 2, 0)
    high = np.minimum(low + width, len(off))
    means: Floats = (total[high] - total[low]) / (high - low)
    return means
