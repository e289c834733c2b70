"""A series made ready for forecasts: from its first value on, without gaps and known changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.filling import filled
from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.shifts import levelled
from models.forecast.stray import strays

__all__ = ["LEAST_DAYS", "Ready", "ready_of"]

Floats = NDArray[np.float64]
# Days that must have been measured.
LEAST_DAYS = 14
# A silence at the end is bridged up to so many days, and no longer than what was measured.
_SILENT_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is forecast.

    `values` (n,) without gaps, each known change as if it had always been there; `known` (n,):
    where one was measured; `slots` (n + silent + ahead,): local times of the week; `day` steps in a
    day; `shifts`: how much each change moved the level, by position in the history; `silent` steps
    from the last value to the end of the history, zero where they are less than a day; `strays`:
    measured values that are none.
    """

    values: Floats
    known: NDArray[np.bool_]
    slots: NDArray[np.int64]
    day: int
    shifts: dict[int, float]
    silent: int
    strays: int


def ready_of(history: History, ahead: int) -> Ready:
    """The series with `ahead` steps to tell.

    `ShortHistoryError` below `LEAST_DAYS` of values, or after a silence that is too long.
    """
    astray = strays(history.values)
    values = np.where(astray, np.nan, history.values)
    at = np.flatnonzero(np.isfinite(values))
    if len(at) < LEAST_DAYS * history.day:
        raise ShortHistoryError(needs_s=LEAST_DAYS * DAY_S, has_s=len(at) * history.step_s)
    start, silent = int(at[0]), _silent(history, at)
    values = values[start : len(values) - silent]
    slots = history.of_week(ahead)[start:]
    past = slots[: len(values)]
    changes = tuple(one - start for one in history.changes if 0 < one - start < len(values))
    whole, moved = levelled(filled(values, past, history.day), past, history.day, changes)
    return Ready(
        values=whole,
        known=np.isfinite(values),
        slots=slots,
        day=history.day,
        shifts={change + start: size for change, size in moved.items()},
        silent=silent,
        strays=int(astray.sum()),
    )


def _silent(history: History, at: NDArray[np.int64]) -> int:
    """Steps without a value at the end, if they are to be bridged."""
    silent = len(history.values) - 1 - int(at[-1])
    if silent > min(len(at), _SILENT_DAYS * history.day):
        raise ShortHistoryError(
            needs_s=silent * history.step_s,
            has_s=len(at) * history.step_s,
            silent_s=silent * history.step_s,
        )
    # The hours of a day are filled like any other gap.
    return silent if silent >= history.day else 0
