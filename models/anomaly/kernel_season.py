"""Local time and the seasonal profile, compiled: touched when an hour of a series is over."""

from __future__ import annotations

from math import floor

import numpy as np

from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Longs, Shorts, Singles
from models.baseline.calendar import DAY_MS, HOUR_MS
from models.baseline.layout import DAY_SLOTS, EMPTY, SLOTS, Cold, Hot
from models.compiling import inlined

__all__ = ["enter", "era", "season_at", "since", "until"]

_BEFORE, _HERE, _AFTER = int(Hot.BEFORE), int(Hot.HERE), int(Hot.AFTER)
_BIN_SUM, _BIN_COUNT, _WIDE_EDGE = int(Hot.BIN_SUM), int(Hot.BIN_COUNT), int(Hot.WIDE_EDGE)
_COUNT, _STEP, _TYPICAL, _DAY_MAX = (
    int(h) for h in (Hot.COUNT, Hot.STEP, Hot.TYPICAL, Hot.DAY_MAX)
)
_UNIT, _DAYS, _DAY, _WEEK = (int(k) for k in (Cold.UNIT, Cold.DAYS, Cold.DAY_FIT, Cold.WEEK_FIT))
_SUNDAY = 6
_EVER = 2**63 - 1


@inlined
def era(t: int, starts: Longs, near: int) -> int:
    """Which offset holds, looked for from the one that held for the sample before."""
    here = near
    while here + 1 < len(starts) and t >= starts[here + 1]:
        here += 1
    while here > 0 and t < starts[here]:
        here -= 1
    return here


@inlined
def since(now: int, starts: Longs) -> int:
    """When an offset began to hold: the first always did."""
    return starts[now] if now > 0 else -_EVER


@inlined
def until(now: int, starts: Longs) -> int:
    """When the next offset holds."""
    return starts[now + 1] if now + 1 < len(starts) else _EVER


@inlined
def season_at(row: int, into: int, hot: Singles) -> float:
    """Between the middles of the hours on a straight line, so many ms into one."""
    far = into * (1.0 / HOUR_MS) - 0.5
    middle = np.float64(hot[row, _HERE])
    beside = np.float64(hot[row, _BEFORE if far < 0.0 else _AFTER])
    return middle + (beside - middle) * abs(far)


@inlined
def enter(
    row: int,
    here: int,
    was: int,
    level: Doubles,
    hot: Singles,
    cold: Singles,
    profile: Shorts,
    holidays: Longs,
) -> None:
    """At the turn of a local hour, and of a day, learn what is over."""
    _enter_hour(row, was // HOUR_MS, here // HOUR_MS, level[row], hot, cold, profile, holidays)
    if here // DAY_MS != was // DAY_MS:
        _enter_day(row, hot, cold)


@inlined
def _enter_day(row: int, hot: Singles, cold: Singles) -> None:
    days = np.float64(cold[row, _DAYS])
    judged = np.float64(hot[row, _COUNT]) - c.LEARN
    typical = np.float64(hot[row, _TYPICAL])
    if judged > 0 and typical == c.TYPICAL_FIRST:
        if judged * np.float64(hot[row, _STEP]) >= c.TYPICAL_FIRST_S:
            hot[row, _TYPICAL] = c.TYPICAL
    elif judged > 0:
        most = c.TYPICAL_MOST * typical + 1.0
        taught = (min(np.float64(hot[row, _DAY_MAX]), most) - typical) / min(
            days + 2.0, c.TYPICAL_MEMORY
        )
        hot[row, _TYPICAL] = typical + taught
    hot[row, _DAY_MAX] = 0.0
    cold[row, _DAYS] = days + 1.0


@inlined
def _enter_hour(
    row: int,
    over: int,
    hour: int,
    level: float,
    hot: Singles,
    cold: Singles,
    profile: Shorts,
    holidays: Longs,
) -> None:
    """Learn the hour that is over, look up the one that begins."""
    if hot[row, _BIN_COUNT] > 0:
        _learn_hour(row, over, level, hot, cold, profile, holidays)
    hot[row, _BEFORE] = _season(row, hour - 1, cold, profile, holidays)
    hot[row, _HERE] = _season(row, hour, cold, profile, holidays)
    hot[row, _AFTER] = _season(row, hour + 1, cold, profile, holidays)
    hot[row, _BIN_SUM] = 0.0
    hot[row, _BIN_COUNT] = 0.0


@inlined
def _slots(hour: int, holidays: Longs) -> tuple[int, int]:
    day = hour // 24
    of_day = hour - 24 * day
    weekday = _SUNDAY if _is_among(day, holidays) else (day + 3) % 7
    return of_day, DAY_SLOTS + 24 * weekday + of_day


@inlined
def _is_among(day: int, holidays: Longs) -> bool:
    low, high = 0, len(holidays)
    while low < high:
        middle = (low + high) // 2
        if holidays[middle] < day:
            low = middle + 1
        else:
            high = middle
    return low < len(holidays) and holidays[low] == day


@inlined
def _worth(row: int, fit: int, cold: Singles) -> float:
    power = c.DOUBT * np.float64(cold[row, fit + 1]) + 1e-30
    return min(max(np.float64(cold[row, fit]) / power, 0.0), 1.0)


@inlined
def _units(kept: int) -> float:
    return 0.0 if kept == EMPTY else np.float64(kept)


@inlined
def _season(row: int, hour: int, cold: Singles, profile: Shorts, holidays: Longs) -> float:
    of_day, of_week = _slots(hour, holidays)
    by_day = _worth(row, _DAY, cold) * _units(profile[row, of_day])
    by_week = _worth(row, _WEEK, cold) * _units(profile[row, of_week])
    return float((by_day + by_week) * np.float64(cold[row, _UNIT]))


@inlined
def _learn_hour(
    row: int, over: int, level: float, hot: Singles, cold: Singles, profile: Shorts, holidays: Longs
) -> None:
    of_day, of_week = _slots(over, holidays)
    unit = float(cold[row, _UNIT])
    if unit == 0:
        least = c.FLOOR * abs(level) + c.LEAST
        unit = max(np.float64(hot[row, _WIDE_EDGE]), least) / c.GRAIN
    mean = np.float64(hot[row, _BIN_SUM]) / (np.float64(hot[row, _BIN_COUNT]) * unit)
    came = min(max(mean, -c.INFINITE), c.INFINITE)
    day, week = _units(profile[row, of_day]), _units(profile[row, of_week])
    day_known, week_known = profile[row, of_day] != EMPTY, profile[row, of_week] != EMPTY
    rest = came - _worth(row, _DAY, cold) * day
    week_next, day_next = rest, came
    if day_known and week_known:
        _trust(row, _WEEK, rest, week, cold)
    if day_known:
        _trust(row, _DAY, came, day, cold)
        pace = max(c.DAY_RATE, 1.0 / (np.float64(cold[row, _DAYS]) + 1.0))
        day_next = day + pace * (came - day)
    if week_known:
        week_next = week + c.WEEK_RATE * (rest - week)
    if day_known:
        profile[row, of_week] = _whole(week_next)
    profile[row, of_day] = _whole(day_next)
    largest = max(abs(day_next), abs(week_next) if day_known else 0.0)
    cold[row, _UNIT] = unit
    if largest > c.LARGEST:
        cold[row, _UNIT] = 2.0 * unit
        _halve(row, profile)


@inlined
def _trust(row: int, fit: int, came: float, said: float, cold: Singles) -> None:
    cold[row, fit] = c.FADE * np.float64(cold[row, fit]) + came * said
    cold[row, fit + 1] = c.FADE * np.float64(cold[row, fit + 1]) + said * said


@inlined
def _whole(units: float) -> np.int16:
    return np.int16(floor(min(max(units, -c.LARGEST), c.LARGEST) + 0.5))


@inlined
def _halve(row: int, profile: Shorts) -> None:
    for slot in range(SLOTS):
        if profile[row, slot] != EMPTY:
            profile[row, slot] = profile[row, slot] >> 1
