"""The shape of a week: how far each of its times usually is from the level around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["around", "levels_of", "profile_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A week counts so much less than the one after it.
_KEPT = 0.85
# Weeks that a profile of days alone is worth beside what single times of the week say.
_PRIOR_WEEKS = 0.5


def around(values: Floats, week: int) -> Floats:
    """The mean of the week around each value; at the ends, of the first and the last week."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    means = (total[week:] - total[:-week]) / week
    before = week // 2
    return np.pad(means, (before, len(values) - len(means) - before), mode="edge")


def profile_of(values: Floats, slots: Ints, day: int) -> Floats:
    """How far each time of the week is from the level of the week around it: (7 * day,).

    `values` (n,) at the local times of the week `slots`. Half mean, half median over the weeks, so
    that one odd week moves it little, the later weeks counting more; times of the week lean on the
    same time of all days where weeks are few.
    """
    week = 7 * day
    off = _by_week(values - around(values, week), slots, week)
    age = np.arange(len(off))[::-1]
    weights = np.where(np.isnan(off), 0.0, (_KEPT**age)[:, None])
    times = weights.sum(axis=0)
    told = np.nan_to_num(off)
    mean = (weights * told).sum(axis=0) / np.maximum(times, 1e-9)
    seen = (mean + _median(told, weights)) / 2
    of_day = np.resize(_day_shape(seen, times, day), week)
    lean = times / (times + _PRIOR_WEEKS)
    shape: Floats = lean * seen + (1 - lean) * of_day
    shape -= shape.mean()
    return shape


def levels_of(adjusted: Floats, day: int) -> Floats:
    """The median of each day, days counted back from the end: (n // day,)."""
    days = len(adjusted) // day
    levels: Floats = np.median(adjusted[len(adjusted) - days * day :].reshape(days, day), axis=1)
    return levels


def _by_week(off: Floats, slots: Ints, week: int) -> Floats:
    """One row a week, NaN where nothing is: clocks that are moved leave or share a place."""
    starts = np.concatenate([[0], np.cumsum(np.diff(slots) < -week // 2)])
    place = starts * week + slots
    size = (int(starts[-1]) + 1) * week
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=off, minlength=size)
    rows: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return rows.reshape(-1, week)


def _median(told: Floats, weights: Floats) -> Floats:
    """The weighted median of each column."""
    order = np.argsort(told, axis=0)
    heavy = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    middle = np.argmax(heavy >= heavy[-1] / 2, axis=0)
    at = np.take_along_axis(order, middle[None], axis=0)
    median: Floats = np.take_along_axis(told, at, axis=0)[0]
    return median


def _day_shape(seen: Floats, times: Floats, day: int) -> Floats:
    shape: Floats = np.average(seen.reshape(7, day), axis=0, weights=times.reshape(7, day) + 1e-9)
    return shape
