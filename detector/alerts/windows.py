"""Hours in which people are not told: maintenance, and the night; summer and winter time heeded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from detector.alerts.brief import Gravity
from detector.alerts.matching import suits
from detector.alerts.settings import Hours, Maintenance, Quiet
from models.baseline.calendar import DAY_MS, instant_of, local_of

__all__ = ["hours_end", "maintained", "maintenance_end", "quiet_end"]

_MINUTE_MS = 60_000
# Hours that follow each other without a gap are looked through for so many weeks.
_JOINED = 32


def hours_end(hours: Hours, at: int) -> int | None:
    """When the hours that a moment lies in are over, unix ms; None where it lies in none.

    A stretch that clocks skip is no part of them, one that comes twice is twice.
    """
    ends = [end for begin, end in _around(hours, at) if begin <= at < end]
    return max(ends, default=None)


def quiet_end(quiet: Quiet, severity: Gravity, at: int) -> int | None:
    """When what is so grave may be told, if not now; hours that meet count as one."""
    if quiet.severity is not None and severity.rank >= quiet.severity.rank:
        return None
    over = _end(quiet.hours, at)
    for _ in range(_JOINED):
        more = None if over is None else _end(quiet.hours, over)
        if more is None:
            break
        over = more
    return over


def maintained(
    windows: Iterable[Maintenance], labels: Mapping[str, str], services: tuple[str, ...], at: int
) -> Maintenance | None:
    """The first maintenance of it at a moment."""
    for window in windows:
        if maintenance_end(window, at) is not None and suits(window.matchers, labels, services):
            return window
    return None


def maintenance_end(window: Maintenance, at: int) -> int | None:
    """When it is over, unix ms; None where it is not on."""
    started = window.start is None or window.start <= at
    if not started or (window.end is not None and at >= window.end):
        return None
    if window.hours is None:
        return window.end
    over = hours_end(window.hours, at)
    return over if over is None or window.end is None else min(over, window.end)


def _end(all_hours: Iterable[Hours], at: int) -> int | None:
    ends = [hours_end(hours, at) for hours in all_hours]
    return max((end for end in ends if end is not None), default=None)


def _around(hours: Hours, at: int) -> Iterator[tuple[int, int]]:
    """Those that began on the day before, this day and the next, where they are."""
    today = local_of(at, hours.calendar) // DAY_MS
    for day in range(today - 2, today + 2):
        # 1970-01-01 was a Thursday.
        if (day + 3) % 7 in hours.days:
            last = day if hours.end > hours.start else day + 1
            yield _instant(hours, day, hours.start), _instant(hours, last, hours.end)


def _instant(hours: Hours, day: int, minute: int) -> int:
    return instant_of(day * DAY_MS + minute * _MINUTE_MS, hours.calendar)
