"""Where a level moved at once, and stayed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["shifts"]

Floats = NDArray[np.float64]
# Days on both sides that are compared, how far above chance a shift is, and how many there can be.
_SIDE, _TIMES, _MOST = 6, 7.0, 4


def shifts(values: Floats, known: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Days from which on the level is another, beside the known ones, ascending.

    `values` (n,) by day, NaN where missing. A day counts if the step to it is far beyond the usual
    one and beyond what comes back within days; the largest first, four at most.
    """
    if len(values) <= 3 * _SIDE:
        return ()
    filled = _filled(values)
    # What each day usually adds is no step.
    filled -= np.median(np.diff(filled)) * np.arange(len(filled))
    steps = np.diff(filled)
    steps[[day - 1 for day in known]] = 0.0
    usual = 1.4826 * float(np.median(np.abs(steps)))
    found = [
        int(at) + 1
        for at in np.argsort(-np.abs(steps))[:_MOST]
        if abs(steps[at]) > _TIMES * usual and _stays(filled, int(at) + 1, float(steps[at]))
    ]
    return tuple(sorted(found))


def _filled(values: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(values))
    filled: Floats = np.interp(np.arange(len(values)), known, values[known])
    return filled


def _stays(values: Floats, at: int, step: float) -> bool:
    """Whether the days after are as far from those before as the step is, or nearly."""
    before, after = values[max(0, at - _SIDE) : at], values[at : at + _SIDE]
    if len(before) < 2 or len(after) < 2:
        return False
    moved = float(np.median(after) - np.median(before))
    return bool(np.sign(moved) == np.sign(step) and abs(moved) > 0.6 * abs(step))
