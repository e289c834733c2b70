"""Gaps are filled by what the times of the week usually are, at the level of both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.forecast.profile import around

__all__ = ["filled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# How often the level that filled gaps tell is believed anew.
_AGAIN = 2


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
    week = 7 * day
    told = _bridged(values, _usual(values, slots, week), day)
    # What is usual is beside the level: weeks before a step or down a slope are like the others.
    for _ in range(_AGAIN if len(values) >= week else 0):
        told = _bridged(values, _usual(values - around(told, week), slots, week), day)
    return told


def _bridged(values: Floats, usual: Floats, day: int) -> Floats:
    """Gaps filled by the usual and a level over it."""
    known = np.isfinite(values)
    at = np.flatnonzero(known)
    level = np.interp(np.arange(len(values)), at, _smoothed(values[at] - usual[at], at, day))
    return np.where(known, values, usual + level)


def _usual(values: Floats, slots: Ints, week: int) -> Floats:
    """The median of each time of the week, of all times where one was never seen: (n,)."""
    known = np.isfinite(values)
    seen, times = values[known], slots[known]
    ranked = seen[np.lexsort((seen, times))]
    count = np.bincount(times, minlength=week)
    ends = np.cumsum(count)
    low, high = ends - count + (count - 1) // 2, ends - count + count // 2
    last = len(ranked) - 1
    median = (ranked[np.clip(low, 0, last)] + ranked[np.minimum(high, last)]) / 2
    told: Floats = np.where(count > 0, median, np.median(seen))[slots]
    return told


def _smoothed(off: Floats, at: Ints, day: int) -> Floats:
    """Means of a day to each side, so that no single value sets the level of a gap.

    `off` (k,) at the steps `at`: beyond a gap of a day begins another level.
    """
    total = np.concatenate([[0.0], np.cumsum(off)])
    low = np.searchsorted(at, at - day, side="right")
    high = np.searchsorted(at, at + day, side="left")
    means: Floats = (total[high] - total[low]) / (high - low)
    return means
