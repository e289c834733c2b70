"""A straight line through what came after the last change of slope, robustly."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["straight"]

Floats = NDArray[np.float64]
# Stretches that a line may be put through, in levels; the longest of those that a shorter does not
# belie is taken.
_STRETCHES = (10, 14, 21, 28, 42, 63, 91, 182)
# By how many standard errors the last levels may be off the line of a longer stretch.
_BELIED = 3.0
_LAST = 7
_MAD = 1.4826


def straight(levels: Floats, days: Floats) -> Floats:
    """Where a line through the last levels goes, `days` (H,) after the last: (H,).

    Theil-Sen (Sen 1968) over the longest stretch whose line still tells the last week.
    """
    slope, at = _line(levels[-_STRETCHES[0] :])
    for stretch in _STRETCHES[1:]:
        if stretch > len(levels):
            break
        longer = _line(levels[-stretch:])
        if _belied(levels[-stretch:], *longer):
            break
        slope, at = longer
    told: Floats = at + slope * days
    return told


def _line(levels: Floats) -> tuple[float, float]:
    """Slope, and where the line is at the last level."""
    count = len(levels)
    first, second = np.triu_indices(count, k=max(count // 4, 1))
    slope = float(np.median((levels[second] - levels[first]) / (second - first)))
    at = float(np.median(levels + slope * np.arange(count - 1, -1, -1)))
    return slope, at


def _belied(levels: Floats, slope: float, at: float) -> bool:
    """Whether the last levels are off the line by more than levels scatter from day to day.

    From day to day, and not round the line: a line through a bend is off everywhere.
    """
    off = levels - at + slope * np.arange(len(levels) - 1, -1, -1)
    change = np.diff(levels)
    scatter = _MAD * float(np.median(np.abs(change - np.median(change)))) / math.sqrt(2)
    return abs(float(np.median(off[-_LAST:]))) > _BELIED * scatter / math.sqrt(_LAST / 2) + 1e-12
