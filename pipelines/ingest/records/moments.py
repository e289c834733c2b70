"""Moments as loggers write them: ISO 8601 and its kin, and numbers of seconds or parts of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

__all__ = ["MONTHS", "at_of", "moment_of"]

MONTHS = {
    name: nth
    for nth, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T _](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"[ ]?(Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
# Unix times of 2001 to 2286 by their number of digits: seconds, milli-, micro-, nanoseconds.
_SCALES = ((1e17, 1e-6), (1e14, 1e-3), (1e11, 1.0), (1e9, 1e3))
# Two centuries on either side: no log is older, and a number beyond is no time.
_LAST = 7_258_118_400_000


def at_of(value: object, zone: tzinfo = UTC) -> int | None:
    """Unix milliseconds of a field's value, or None where it is no time.

    >>> at_of("2024-05-01T12:00:00.5+02:00"), at_of(1714557600.5), at_of("1714557600500000000")
    (1714557600500, 1714557600500, 1714557600500)
    """
    if isinstance(value, str):
        return _of_text(value.strip(), zone)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _of_number(value)


def _of_number(value: float) -> int | None:
    scale = next((scale for least, scale in _SCALES if value >= least), None)
    if scale is None or not value < 1e20:
        return None
    at = round(value * scale)
    return at if at < _LAST else None


def _of_text(text: str, zone: tzinfo) -> int | None:
    found = _ISO.match(text)
    if found is not None:
        year, month, day, hour, minute, second, part, offset = found.groups()
        return moment_of((year, month, day, hour, minute, second), part, offset, zone)
    try:
        return _of_number(float(text)) if text[:1].isdecimal() and len(text) < 32 else None
    except ValueError:
        return None


def moment_of(
    parts: tuple[str, ...], fraction: str | None, offset: str | None, zone: tzinfo
) -> int | None:
    """Unix milliseconds of a date with a time of day in digits; None where there is no such."""
    whole = _second_of(parts, offset, zone)
    if whole is None or not fraction:
        return whole
    return whole + int(fraction[:3].ljust(3, "0"))


# Many lines are of one second.
@lru_cache(maxsize=1024)
def _second_of(parts: tuple[str, ...], offset: str | None, zone: tzinfo) -> int | None:
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        # A leap second is the last one of its minute.
        where = zone if offset is None else _offset_of(offset)
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=where)
        return round(moment.timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def _offset_of(text: str) -> tzinfo:
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    sign = -1 if text[0] == "-" else 1
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone(sign * timedelta(hours=hours, minutes=minutes))
