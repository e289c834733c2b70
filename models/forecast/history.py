"""What is known of a series: its values on an even grid, its clock, and where it was changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.baseline.calendar import DAY_MS, Calendar, local_ms

__all__ = ["DAY_S", "HOUR_S", "History", "ShortHistoryError"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HOUR_S, DAY_S = 3600, 86_400
_MONDAY, _SUNDAY = 3, 6
# Squares of larger values are no numbers.
_LARGEST = 1e100


class ShortHistoryError(ValueError):
    """Not enough was measured: `needs_s` and `has_s` in seconds, `silent_s` without any since."""

    def __init__(self, *, needs_s: int, has_s: int, silent_s: int = 0) -> None:
        told = f"not enough history: needs {_days(needs_s)}, has {_days(has_s)}"
        if silent_s:
            told = f"nothing was measured in the last {_days(silent_s)}: too long to be bridged"
        super().__init__(told)
        self.needs_s = needs_s
        self.has_s = has_s


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A series up to now.

    `values` (n,) in the unit of the series, NaN where nothing was measured; each stands for the
    `step_s` seconds from `start_ms` (unix) on. `changes`: positions from which on a known change
    may have shifted the level. `floor` and `ceiling`: what the values cannot leave. ValueError
    where a day is no whole number of steps, a change is outside, values are infinite or beyond
    1e100, or the floor is above the ceiling.
    """

    values: Floats
    start_ms: int = 0
    step_s: int = HOUR_S
    calendar: Calendar = field(default_factory=Calendar)
    changes: tuple[int, ...] = ()
    floor: float | None = None
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if self.step_s < 1 or DAY_S % self.step_s:
            raise ValueError(f"step_s {self.step_s}: a day is no whole number of steps")
        if any(not 0 < change < len(self.values) for change in self.changes):
            raise ValueError(f"changes {self.changes}: outside of {len(self.values)} values")
        if (np.abs(self.values) > _LARGEST).any():
            raise ValueError(f"values: infinite, or beyond {_LARGEST:g}")
        low = -math.inf if self.floor is None else self.floor
        high = math.inf if self.ceiling is None else self.ceiling
        if not low <= high or low == math.inf or high == -math.inf:
            raise ValueError(f"floor {self.floor} and ceiling {self.ceiling} leave no room")

    @property
    def day(self) -> int:
        """Steps in a day."""
        return DAY_S // self.step_s

    def starts(self, ahead: int = 0) -> Ints:
        """When each step begins (unix ms), `ahead` future ones with them: (n + ahead,).

        >>> History(values=np.zeros(2), start_ms=5).starts(1).tolist()
        [5, 3600005, 7200005]
        """
        steps = np.arange(len(self.values) + ahead, dtype=np.int64)
        at: Ints = self.start_ms + 1000 * self.step_s * steps
        return at

    def of_week(self, ahead: int = 0) -> Ints:
        """The local time of the week of each step, a holiday's as a Sunday's: (n + ahead,).

        Between 0 and seven days of steps, from Monday on.
        """
        # A step is where its middle is: days of 24 hours drift over midnight with the clocks.
        local = local_ms(self.starts(ahead) + 500 * self.step_s, self.calendar)
        day = local // DAY_MS
        weekday = np.where(np.isin(day, self.calendar.holidays), _SUNDAY, (day + _MONDAY) % 7)
        of: Ints = weekday * self.day + (local - day * DAY_MS) // (1000 * self.step_s)
        return of


def _days(seconds: int) -> str:
    """A length of history as people say it.

    >>> _days(21 * 86_400), _days(86_400), _days(7_200)
    ('21 days', '1 day', '2 hours')
    """
    size, unit = (seconds // DAY_S, "day") if seconds >= DAY_S else (seconds // HOUR_S, "hour")
    return f"{size} {unit}" if size == 1 else f"{size} {unit}s"
