"""Moments as people write and read them: days, and lengths of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from detector.errors import InputError
from models.baseline.calendar import DAY_MS

__all__ = ["counted", "day", "lasting", "moment_of"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SPOKEN = re.compile(r"(\d{1,2})\.?\s+([A-Za-z]+)(?:\s+(\d{4}))?")
_FIRST_YEAR, _LAST_YEAR = 1971, 2199


def day(ms: int) -> str:
    """The day of a moment, UTC.

    >>> day(1_796_083_200_000)
    '1 December 2026'
    """
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def lasting(seconds: float) -> str:
    """A length of time in days, or hours below two.

    >>> lasting(90 * 86_400), lasting(7200)
    ('90 days', '2 hours')
    """
    size, unit = (seconds / 86_400, "day") if seconds >= 2 * 86_400 else (seconds / 3600, "hour")
    return counted(round(size), unit)


def counted(count: int, what: str) -> str:
    """So many of something.

    >>> counted(1, "day"), counted(1200, "value")
    ('1 day', '1,200 values')
    """
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def moment_of(text: str, *, now: int, is_end: bool = False) -> int:
    """What a text says, in unix ms: a date, a time of ISO 8601, or "1 December" of the next one.

    Without a zone it is UTC. Of a day its beginning, with `is_end` its end. `InputError` (field
    `what_if`) for anything else.

    >>> moment_of("2026-12-01", now=0), moment_of("1 December", now=1_790_000_000_000)
    (1796083200000, 1796083200000)
    """
    told = text.strip()
    found = _SPOKEN.fullmatch(told)
    try:
        whole = _spoken(found, now) if found else date.fromisoformat(told)
    except ValueError:
        return _instant(told)
    at = datetime(whole.year, whole.month, whole.day, tzinfo=UTC)
    return _checked(at, told) + (DAY_MS if is_end else 0)


def _instant(told: str) -> int:
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise InputError(
            f"{told[:40]!r} is no date: write 2026-12-01 or 1 December", field="what_if"
        ) from None
    return _checked(at if at.tzinfo else at.replace(tzinfo=UTC), told)


def _checked(at: datetime, told: str) -> int:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise InputError(f"{told[:40]!r} is too far away", field="what_if")
    return int(at.timestamp() * 1000)


def _spoken(found: re.Match[str], now: int) -> date:
    """A day of a month, of this year or the next where it is over."""
    number, name, year = found.groups()
    months = [n for n, month in enumerate(_MONTHS, 1) if month.lower().startswith(name.lower())]
    if len(months) != 1 or len(name) < 3:
        raise ValueError(name)
    if year:
        return date(int(year), months[0], int(number))
    today = datetime.fromtimestamp(now / 1000, UTC).date() - timedelta(days=1)
    # The 29 of February comes at least once in eight years.
    for ahead in range(9):
        try:
            at = date(today.year + ahead, months[0], int(number))
        except ValueError:
            continue
        if at > today:
            return at
    raise ValueError(number)
