"""Known changes that moved a level: a step, and not a trend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.forecast.profile import levels_of, profile_of

__all__ = ["levelled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Days on each side of a change that tell how large it was.
_DAYS = 7
_MAD = 1.4826
# A step smaller than so many standard errors is none.
_CLEAR = 3.0


def levelled(
    values: Floats, slots: Ints, day: int, changes: tuple[int, ...]
) -> tuple[Floats, dict[int, float]]:
    """Values as if each change had always been there, and by how much each moved the level.

    `values` (n,) without gaps. A step is the difference of the levels on both sides beyond what the
    days before foretell by their own slope; one that does not stand out of their scatter is left.
    """
    moved: dict[int, float] = {}
    for change in sorted(changes, reverse=True):
        size = _step(values, slots, day, change)
        if size:
            values = values + np.where(np.arange(len(values)) < change, size, 0.0)
            moved[change] = size
    return values, moved


def _step(values: Floats, slots: Ints, day: int, change: int) -> float:
    """How large the step at a change is, zero where it does not stand out."""
    before = _side(values[:change], slots[:change], day)
    after = values[change : change + _DAYS * day]
    if before is None or len(after) < day:
        return 0.0
    levels, profile = before
    now = levels_of(after - profile[slots[change : change + len(after)]], day)
    slope = float(np.median(np.diff(levels)))
    count = np.arange(1, len(now) + 1)
    size = float(np.median(now - levels[-1] - slope * count))
    scatter = _MAD * float(np.median(np.abs(np.diff(levels) - slope)))
    return size if abs(size) > _CLEAR * max(scatter, 1e-12) else 0.0


def _side(values: Floats, slots: Ints, day: int) -> tuple[Floats, Floats] | None:
    if len(values) < 8 * day:
        return None
    profile = profile_of(values, slots, day)
    return levels_of(values - profile[slots], day)[-_DAYS:], profile
