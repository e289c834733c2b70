"""The week of daily values: how far each weekday lies from the others, and how sure that is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["weekly"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_WEEK = 7
_LEAST_WEEKS = 3


def weekly(values: Floats, weekday: Ints) -> Floats:
    """What each weekday adds to the mean of its week: (7,), zeros where that is not known.

    `values` (n,) by day, NaN where missing; `weekday` (n,) between 0 and 6. Medians of the distance
    from the week around a day, shrunk by how much they could be chance (James and Stein, 1961).

    >>> weekly(np.tile([3.0, 3, 3, 3, 3, -4, -11], 5), np.arange(35) % 7).round().tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0, -4.0, -11.0]
    """
    apart = values - _week_around(values)
    known = np.isfinite(apart)
    counts = np.bincount(weekday[known], minlength=_WEEK)
    if counts.min() < _LEAST_WEEKS:
        return np.zeros(_WEEK)
    each = [apart[known & (weekday == day)] for day in range(_WEEK)]
    profile = np.array([np.median(some) for some in each])
    profile -= profile.mean()
    spread = np.median(np.abs(apart[known] - profile[weekday[known]])) / 0.6745
    # A median varies by half of pi times as much as a mean.
    chance = np.pi / 2 * spread**2 / counts.mean()
    found = float(np.mean(profile**2))
    shrunk: Floats = profile * max(0.0, 1.0 - chance / found) if found > 0 else profile
    return shrunk


def _week_around(values: Floats) -> Floats:
    """The mean of the seven days around each, NaN where fewer than all are known."""
    if len(values) < _WEEK:
        return np.full(len(values), np.nan)
    means = np.lib.stride_tricks.sliding_window_view(values, _WEEK).mean(axis=1)
    return np.pad(means, _WEEK // 2, constant_values=np.nan)
