"""Dates, spans, chances and money as people say them, by the clock on their wall."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from models.baseline.calendar import DAY_MS, Calendar, local_of

__all__ = ["Wall", "capital", "chance_text", "money_text", "past_text", "share_text", "span_text"]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEK, _MONTH, _LONG = 7, 30, 60
# Never sure, and never nothing.
_SURE, _NEVER = 0.99, 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A clock on a wall; `zone` is its name, as it is shown beside times."""

    calendar: Calendar = field(default_factory=Calendar)
    zone: str = "UTC"

    def days(self, at: int, now: int) -> int:
        """How many midnights there are from one moment to another, unix ms."""
        return self._day(at) - self._day(now)

    def date(self, at: int, now: int) -> str:
        """A day, with its year where that is another one.

        >>> Wall().date(1_797_552_000_000, 1_795_564_800_000)
        '18 December'
        """
        told = self._wall(at)
        year = "" if told.year == self._wall(now).year else f" {told.year}"
        return f"{told.day} {_MONTHS[told.month - 1]}{year}"

    def short(self, at: int) -> str:
        """A day where there is little room.

        >>> Wall().short(1_797_552_000_000)
        '18 Dec'
        """
        told = self._wall(at)
        return f"{told.day} {_MONTHS[told.month - 1][:3]}"

    def day(self, at: int, now: int) -> str:
        """A day with its name.

        >>> Wall().day(1_797_552_000_000, 1_795_564_800_000)
        'Friday 18 December'
        """
        return f"{_DAYS[self._wall(at).weekday()]} {self.date(at, now)}"

    def ahead(self, at: int, now: int) -> str:
        """How far off a day is.

        >>> [Wall().ahead(days * DAY_MS, 0) for days in (-1, 0, 1, 23, 75)]
        ['1 day ago', 'today', 'tomorrow', 'in 23 days', 'in 11 weeks']
        """
        days = self.days(at, now)
        if days < 0:
            return past_text(-days)
        near = {0: "today", 1: "tomorrow"}
        return near.get(days) or f"in {_days(days)}"

    def minute(self, at: int) -> str:
        """A moment with its zone.

        >>> Wall().minute(1_795_564_800_000)
        '25 November 2026, 00:00 UTC'
        """
        told = self._wall(at)
        day = f"{told.day} {_MONTHS[told.month - 1]} {told.year}"
        return f"{day}, {told:%H:%M} {self.zone}"

    def stamp(self, at: int) -> str:
        """A moment as a chart takes it.

        >>> Wall().stamp(1_795_564_800_000)
        '2026-11-25 00:00'
        """
        return f"{self._wall(at):%Y-%m-%d %H:%M}"

    def _wall(self, at: int) -> datetime:
        return datetime.fromtimestamp(local_of(at, self.calendar) / 1000, UTC)

    def _day(self, at: int) -> int:
        return local_of(at, self.calendar) // DAY_MS


def past_text(days: int) -> str:
    """How long ago that was."""
    return f"{_days(days)} ago"


def _days(days: int) -> str:
    if days >= _LONG:
        return f"{round(days / _WEEK)} weeks"
    return "1 day" if days == 1 else f"{days} days"


def span_text(seconds: float) -> str:
    """A span of the future.

    >>> [span_text(hours * 3600) for hours in (1, 24, 2160, 2184)]
    ['1 hour', '1 day', '90 days', '91 days']
    """
    hours = max(1, round(seconds / 3600))
    size, unit = (round(hours / 24), "day") if hours >= 24 else (hours, "hour")
    return f"{size} {unit}" if size == 1 else f"{size} {unit}s"


def chance_text(chance: float) -> str:
    """A probability in per cent.

    >>> [chance_text(chance) for chance in (0, 0.004, 0.5, 0.999)]
    ['under 1 %', 'under 1 %', '50 %', 'over 99 %']
    """
    if chance < _NEVER:
        return "under 1 %"
    return "over 99 %" if chance > _SURE else share_text(chance)


def share_text(share: float) -> str:
    """A part of a whole, which may be more than it.

    >>> share_text(1.074), share_text(0.004)
    ('107 %', '0 %')
    """
    return f"{100 * share:,.0f} %"


def money_text(amount: float, currency: str) -> str:
    """An amount a month, without its sign.

    >>> money_text(-1234.5, "EUR"), money_text(0.4, "$"), money_text(3, "")
    ('1,234 EUR a month', '0.40 $ a month', '3.00 a month')
    """
    size = abs(amount)
    told = f"{size:,.2f}" if size < 10 else f"{size:,.0f}"
    return f"{told} {currency}".rstrip() + " a month"


def capital(text: str) -> str:
    """As a sentence begins.

    >>> capital("disk data of orders-db")
    'Disk data of orders-db'
    """
    return text[:1].upper() + text[1:]
