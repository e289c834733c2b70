"""The window over which an objective counts: a rolling one, or one of the calendar."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from detector.errors import InputError

__all__ = ["Calendar", "Duration", "Rolling", "parse_duration", "span_of"]

_SHORTHAND = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
# Longer than any window that a budget is kept for; it bounds what is read.
_LONGEST_S = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Duration:
    """So many of a unit: seconds where its length is fixed, else months."""

    text: str
    seconds: float
    months: int

    @property
    def usual_s(self) -> float:
        """Seconds; of months the mean length."""
        return self.seconds or self.months * 365.2425 * 86_400 / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """The last so many seconds."""

    seconds: float
    text: str

    @property
    def usual_s(self) -> float:
        """Its length."""
        return self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Windows one after another since a local time; `zone` says how that moves with summer."""

    duration: Duration
    start: datetime
    zone: tzinfo

    @property
    def text(self) -> str:
        """As it was written."""
        return self.duration.text

    @property
    def usual_s(self) -> float:
        """Its length; of months the mean."""
        return self.duration.usual_s


def parse_duration(text: str, *, field: str) -> Duration:
    """OpenSLO's shorthand: a whole number and m, h, d, w, M, Q or Y; `InputError` names `field`.

    >>> parse_duration("4w", field="window").seconds
    2419200.0
    """
    found = _SHORTHAND.fullmatch(text)
    if found is None:
        raise InputError(
            f"{text!r} is no duration: a whole number and one of m, h, d, w, M, Q, Y", field=field
        )
    number, unit = int(found[1]), found[2]
    duration = Duration(text, number * _SECONDS.get(unit, 0.0), number * _MONTHS.get(unit, 0))
    if duration.usual_s > _LONGEST_S:
        raise InputError(f"{text!r} is longer than 400 days", field=field)
    return duration


def span_of(window: Rolling | Calendar, as_of: float) -> tuple[float, float]:
    """Begin and end of the window that `as_of` lies in, unix seconds; a rolling one ends there.

    `InputError` for a calendar that begins later.
    """
    if isinstance(window, Rolling):
        return as_of - window.seconds, as_of
    start = window.start.replace(tzinfo=window.zone)
    if as_of < start.timestamp():
        raise InputError("the calendar begins later", field="timeWindow.calendar.startTime")
    local = datetime.fromtimestamp(as_of, UTC).astimezone(window.zone)
    at = _guess(window, local)
    while _edge(window, at).timestamp() > as_of:
        at -= 1
    while _edge(window, at + 1).timestamp() <= as_of:
        at += 1
    return _edge(window, at).timestamp(), _edge(window, at + 1).timestamp()


def _guess(window: Calendar, local: datetime) -> int:
    """The number of the window, give or take one."""
    gone = local.replace(tzinfo=None) - window.start
    return max(int(gone.total_seconds() // window.duration.usual_s), 0)


def _edge(window: Calendar, at: int) -> datetime:
    """Where the `at`-th window begins: local time, so that days stay days when clocks change."""
    start, duration = window.start, window.duration
    if duration.months:
        month = start.month - 1 + at * duration.months
        year, month = start.year + month // 12, month % 12 + 1
        day = min(start.day, monthrange(year, month)[1])
        return start.replace(year=year, month=month, day=day, tzinfo=window.zone)
    return (start + timedelta(seconds=at * duration.seconds)).replace(tzinfo=window.zone)
