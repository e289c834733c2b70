"""Samples at any times as values on an even grid: what a gauge was, how fast a counter grew."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.stat import Stat

__all__ = ["gridded"]

Floats: TypeAlias = NDArray[np.float64]
# Counters are taken to have gone on evenly between samples, unless those are so many steps apart.
_APART = 1.5
# The share of a step that samples have to cover to tell of all of it.
_COVERED = 0.5


def gridded(
    times: Floats, values: Floats, *, start: float, step: float, count: int, stat: Stat
) -> Floats:
    """Values (count,) of the steps from `start` on, NaN where a step has no sample.

    `times` (n,) in seconds, in any order; of samples at one time the last holds. What is not
    finite is no sample. A sample at the end of a step belongs to the next one.

    >>> gridded(np.array([0, 30, 130.]), np.array([1, 3, 5.]),
    ...         start=0, step=60, count=3, stat=Stat.MEAN).tolist()
    [2.0, nan, 5.0]
    """
    times, values = _ordered(times, values)
    if stat is Stat.RATE:
        edges: Floats = start + step * np.arange(count + 1, dtype=np.float64)
        return _rates(times, values, edges, step)
    at = np.floor((times - start) / step)
    inside = (at >= 0) & (at < count)
    return _by_step(at[inside].astype(np.int64), values[inside], count, stat)


def _ordered(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Finite samples by time, the last of those at one time."""
    good = np.isfinite(times) & np.isfinite(values)
    times, values = times[good], values[good]
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(np.diff(times) > 0, True)[: len(times)]
    return times[last], values[last]


def _by_step(at: NDArray[np.int64], values: Floats, count: int, stat: Stat) -> Floats:
    """The samples of each step as one value; `at` goes up."""
    told = np.full(count, np.nan)
    if not len(at):
        return told
    first = np.flatnonzero(np.diff(at, prepend=-1))
    steps, sizes = at[first], np.diff(np.append(first, len(at)))
    match stat:
        case Stat.MAX:
            told[steps] = np.maximum.reduceat(values, first)
        case Stat.MIN:
            told[steps] = np.minimum.reduceat(values, first)
        case Stat.LAST:
            told[steps] = values[first + sizes - 1]
        case _:
            told[steps] = np.add.reduceat(values, first) / sizes
    return told


def _rates(times: Floats, values: Floats, edges: Floats, step: float) -> Floats:
    """Growth per second between edges: of a counter that fell, from 0.

    What is negative is no count.
    """
    counts = values >= 0
    times, values = times[counts], values[counts]
    if len(times) < 2:
        return np.full(len(edges) - 1, np.nan)
    grown = np.diff(values)
    grown = np.where(grown < 0, values[1:], grown)
    covered = np.diff(times)
    known = covered <= _APART * step
    total = np.concatenate(([0.0], np.cumsum(np.where(known, grown, 0.0))))
    seen = np.concatenate(([0.0], np.cumsum(np.where(known, covered, 0.0))))
    of_step = np.diff(np.interp(edges, times, seen))
    enough = of_step >= _COVERED * step
    rate = np.diff(np.interp(edges, times, total)) / np.where(enough, of_step, 1.0)
    return np.where(enough, rate, np.nan)
