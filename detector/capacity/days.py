"""The worst of each day of usage: what runs out runs out at its worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capacity.resource import Kind
from detector.series import FloatArray
from models.baseline.calendar import DAY_MS, local_of
from models.forecast.history import DAY_S, HOUR_S, History
from models.forecast.stray import strays

__all__ = ["LASTING_H", "MOST_DAYS", "REACHED_ONCE", "Days", "days_of"]

Ints = NDArray[np.int64]
# Kinds of which reaching the limit once is enough: what is full fails, and does not wait for more.
REACHED_ONCE = frozenset({Kind.DISK, Kind.MEMORY, Kind.PARTITIONS, Kind.LICENCES})
# Of the others, a day counts by what it lasted for, in hours: no stray spike of one.
LASTING_H = 2
# Older days say little of the next ninety.
MOST_DAYS = 400
# Of a day, so much must be known.
_LEAST_KNOWN = 0.25
# So many times as much as the day before is another unit: a thousand, 1024, or powers of them.
_UNITS: FloatArray = np.array([base**power for base in (1e3, 1024.0) for power in (1, 2, 3)])
_NEARLY = 1.1
# Days on each side that are compared, how many there are at least, and how far apart they lie.
_SIDE_DAYS, _SURE_DAYS, _APART = 6, 3, 100.0
_SUNDAY, _MONDAY = 6, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days of 24 hours that end at `end_ms`, with their worst: (n,), NaN where hardly measured.

    The last one is known, if any is. `negative`: measured values below 0, which no resource can
    have; they count as missing, and so do `strays`, which are of no scale of the series. `times`:
    how much larger it is than the days before the first, which were of another unit and are left
    out. `last` is the last value that is known and `last_ms` the end of its step, both of the
    series itself. `steps` of the series were looked at.
    """

    end_ms: int
    worst: FloatArray
    negative: int
    strays: int = 0
    times: float = 1.0
    last: float
    last_ms: int
    steps: int
    usage: History

    @property
    def start_ms(self) -> int:
        """When the first day begins."""
        return self.end_ms - DAY_MS * len(self.worst)

    @property
    def known(self) -> int:
        """How many days are known."""
        return int(np.isfinite(self.worst).sum())

    def weekday(self, ahead: int) -> Ints:
        """The local weekday of each and of later ones, a holiday's as a Sunday's: (n + ahead,).

        Between 0 for Monday and 6.
        """
        calendar = self.usage.calendar
        # Counted from the middle of the last day, so that a change of clocks moves no other day.
        newest = local_of(self.end_ms - DAY_MS // 2, calendar) // DAY_MS
        days = newest + np.arange(1 - len(self.worst), ahead + 1)
        weekday: Ints = np.where(np.isin(days, calendar.holidays), _SUNDAY, (days + _MONDAY) % 7)
        return weekday

    def jumps(self) -> tuple[int, ...]:
        """Days from which on a known change may have moved the level."""
        step_ms = 1000 * self.usage.step_s
        at = (self.usage.start_ms + step_ms * change for change in self.usage.changes)
        days = {(moment - self.start_ms) // DAY_MS for moment in at}
        # On the day of the change the worst may still be the old one, or be the new one already.
        return tuple(sorted(n for day in days for n in (day, day + 1) if 0 < n < len(self.worst)))


def days_of(usage: History, kind: Kind, as_of: int) -> Days:
    """The days of a history up to `as_of` (unix ms), at most `MOST_DAYS`.

    For kinds that are `REACHED_ONCE` a day's worst is its largest value, for others what it reached
    for `LASTING_H` hours.
    """
    step_ms = 1000 * usage.step_s
    count = int(np.clip((as_of - usage.start_ms) // step_ms, 0, len(usage.values)))
    values = usage.values[:count]
    negative = values < 0
    values = np.where(negative, np.nan, values)
    astray = strays(values)
    values = np.where(astray, np.nan, values)
    known = np.flatnonzero(np.isfinite(values))
    worst, silent = _heard(_worst(values, usage.day, _rank(kind, usage.step_s)))
    worst, times = _of_one_unit(worst)
    return Days(
        end_ms=usage.start_ms + step_ms * count - DAY_MS * silent,
        worst=worst,
        negative=int(negative.sum()),
        strays=int(astray.sum()),
        times=times,
        last=float(values[known[-1]]) if len(known) else float("nan"),
        last_ms=usage.start_ms + step_ms * (int(known[-1]) + 1) if len(known) else 0,
        steps=count,
        usage=usage,
    )


def _heard(worst: FloatArray) -> tuple[FloatArray, int]:
    """Up to the last day that is known, and how many are after it."""
    known = np.flatnonzero(np.isfinite(worst))
    end = int(known[-1]) + 1 if len(known) else len(worst)
    return worst[:end], len(worst) - end


def _of_one_unit(worst: FloatArray) -> tuple[FloatArray, float]:
    """The days since their unit is what it is, and how much larger numbers became by that."""
    known = np.flatnonzero(worst > 0)
    values = worst[known]
    for at in range(len(values) - _SURE_DAYS, _SURE_DAYS - 1, -1):
        before, after = values[max(at - _SIDE_DAYS, 0) : at], values[at : at + _SIDE_DAYS]
        times = float(after[0] / before[-1])
        if _is_unit(times) and _is_apart(*((before, after) if times > 1 else (after, before))):
            return worst[known[at] :], times
    return worst, 1.0


def _is_unit(times: float) -> bool:
    off = np.abs(abs(np.log(times)) - np.log(_UNITS))
    return bool(off.min() < np.log(_NEARLY))


def _is_apart(low: FloatArray, high: FloatArray) -> bool:
    """Whether all days on both sides are of two scales: a spike comes back."""
    return bool(high.min() > _APART * low.max())


def _rank(kind: Kind, step_s: int) -> int:
    """Which of the largest values of a day it is judged by."""
    if kind in REACHED_ONCE or step_s == DAY_S:
        return 1
    return max(1, LASTING_H * HOUR_S // step_s)


def _worst(values: FloatArray, day: int, rank: int) -> FloatArray:
    count = min(len(values) // day, MOST_DAYS)
    if not count:
        return np.zeros(0)
    days = values[len(values) - count * day :].reshape(count, day)
    known = np.isfinite(days)
    ranked = np.sort(np.where(known, days, -np.inf), axis=1)[:, -rank]
    enough = (known.mean(axis=1) >= _LEAST_KNOWN) & np.isfinite(ranked)
    return np.where(enough, ranked, np.nan)
