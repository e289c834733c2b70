"""A series made ready for forecasts: from its first value on, without gaps and known changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.filling import filled
from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.shifts import levelled

__all__ = ["LEAST_DAYS", "Ready", "ready_of"]

Floats = NDArray[np.float64]
# Days that must have been measured.
LEAST_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is forecast.

    `values` (n,) without gaps, each known change as if it had always been there; `known` (n,):
    where one was measured; `slots` (n + ahead,): local times of the week; `day` steps in a day;
    `shifts`: how much each change moved the level, by position in the history.
    """

    values: Floats
    known: NDArray[np.bool_]
    slots: NDArray[np.int64]
    day: int
    shifts: dict[int, float]


def ready_of(history: History, ahead: int) -> Ready:
    """The series with `ahead` steps to tell; `ShortHistoryError` below `LEAST_DAYS` of values."""
    first = np.flatnonzero(np.isfinite(history.values))[:1]
    start = int(first[0]) if len(first) else 0
    known = np.isfinite(history.values[start:])
    has_s = int(known.sum()) * history.step_s
    if has_s < LEAST_DAYS * DAY_S:
        raise ShortHistoryError(needs_s=LEAST_DAYS * DAY_S, has_s=has_s)
    slots = history.of_week(ahead)[start:]
    past = slots[: len(known)]
    changes = tuple(change - start for change in history.changes if change > start)
    values = filled(history.values[start:], past, history.day)
    values, moved = levelled(values, past, history.day, changes)
    shifts = {change + start: size for change, size in moved.items()}
    return Ready(values=values, known=known, slots=slots, day=history.day, shifts=shifts)
