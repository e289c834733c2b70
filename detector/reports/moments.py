"""When reports are due by the clock on the wall: on a day of the week, or of the month."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime

from detector.explain.weekly import WeeklyAt, weekly_at
from models.baseline.calendar import Calendar, instant_of, local_of

__all__ = ["Moment", "MonthlyAt", "moment_at"]

_MONTHLY = re.compile(r"(?:day (\d{1,2})|(last day)) ([01]\d|2[0-3]):([0-5]\d)")
_LAST = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyAt:
    """A moment of each month; in a month that has no such day, of its last one."""

    day: int
    hour: int
    minute: int
    calendar: Calendar = field(default_factory=Calendar, compare=False)

    def before(self, now: float) -> float:
        """The last such moment, at or before `now`, unix seconds."""
        wall = datetime.fromtimestamp(local_of(math.floor(1000 * now), self.calendar) / 1000, UTC)
        at = self._of(wall.year, wall.month)
        if at <= now:
            return at
        month = 12 if wall.month == 1 else wall.month - 1
        return self._of(wall.year - (wall.month == 1), month)

    def _of(self, year: int, month: int) -> float:
        day = min(self.day, monthrange(year, month)[1])
        wall = datetime(year, month, day, self.hour, self.minute, tzinfo=UTC)
        return instant_of(round(1000 * wall.timestamp()), self.calendar) / 1000


Moment = WeeklyAt | MonthlyAt


def moment_at(text: str, calendar: Calendar | None = None) -> Moment:
    """`monday 09:00`, `day 1 09:00` or `last day 18:00`; `ValueError` for anything else.

    >>> moment_at("day 15 08:30").day
    15
    """
    told = " ".join(text.lower().split())
    found = _MONTHLY.fullmatch(told)
    if found is not None:
        day = _LAST if found[2] else int(found[1])
        if not 1 <= day <= _LAST:
            raise ValueError(f"{text!r}: a day of a month is between 1 and 31")
        return MonthlyAt(
            day=day, hour=int(found[3]), minute=int(found[4]), calendar=calendar or Calendar()
        )
    weekly = None
    if told != "never":
        try:
            weekly = weekly_at(told, calendar)
        except ValueError:
            weekly = None
    if weekly is None:
        raise ValueError(
            f"{text!r} is no moment; write monday 09:00, day 1 09:00 or last day 18:00"
        )
    return weekly
