"""Clocks and days off of a named place, read from the time zone database, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from detector.errors import ConfigError
from models.baseline.calendar import Calendar

__all__ = ["calendar_of"]

# Rules are read out for these years; later ones go on as the last of them ended.
_FIRST, _LAST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
_EPOCH = date(1970, 1, 1)


def calendar_of(zone: str, holidays: Iterable[date] = ()) -> Calendar:
    """When clocks change in a zone such as `Europe/Berlin`, and the days that go like Sundays.

    `ConfigError` for a zone that is not known here; an empty name is UTC.
    """
    days = sorted({(day - _EPOCH).days for day in holidays})
    changes = _changes(zone) if zone else ()
    return Calendar(
        starts=np.array([start for start, _ in changes], np.int64),
        offsets=np.array([offset for _, offset in changes], np.int64),
        holidays=np.array(days, np.int64),
    )


@lru_cache(maxsize=64)
def _changes(zone: str) -> tuple[tuple[int, int], ...]:
    """From which moment on (unix ms) clocks are how far (ms) ahead of UTC."""
    try:
        rules = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"the time zone {zone!r} is not known: name one as in Europe/Berlin"
            " (a machine without a time zone database needs the package tzdata)"
        ) from error
    return ((_ms(_FIRST), _offset(rules, _FIRST)), *_turns(rules))


def _turns(rules: ZoneInfo) -> Iterator[tuple[int, int]]:
    before = _FIRST
    while before < _LAST:
        after = before + timedelta(days=7)
        if _offset(rules, before) != _offset(rules, after):
            turn = _turn(rules, before, after)
            yield _ms(turn), _offset(rules, turn)
        before = after


def _turn(rules: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of another offset, which is neither at `before` nor later than `after`."""
    was = _offset(rules, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(rules, middle) == was else (before, middle)
    return after


def _offset(rules: ZoneInfo, at: datetime) -> int:
    """Milliseconds ahead of UTC."""
    ahead = at.astimezone(rules).utcoffset() or timedelta()
    return ahead // timedelta(milliseconds=1)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
