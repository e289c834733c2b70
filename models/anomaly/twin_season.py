"""The seasonal profile in plain numpy: an hour that is over is learned, the next one looked up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar, slots
from models.baseline.layout import EMPTY, Cold, Hot
from models.baseline.state import State

__all__ = ["enter", "season_at"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def season_at(hot: Array, local: Ints) -> Array:
    """Between the middles of the hours on a straight line."""
    into = (local % HOUR_MS) * (1.0 / HOUR_MS)
    here = hot[:, Hot.HERE]
    early = here + (hot[:, Hot.BEFORE] - here) * (0.5 - into)
    late = here + (hot[:, Hot.AFTER] - here) * (into - 0.5)
    return np.where(into < 0.5, early, late)


def enter(
    state: State, rows: Ints, local: Ints, before: Ints, calendar: Calendar
) -> NDArray[np.bool_]:
    """What happens at the turn of a local hour and of a local day; whose hour has turned."""
    turned: NDArray[np.bool_] = local // HOUR_MS != before // HOUR_MS
    hours = before[turned] // HOUR_MS, local[turned] // HOUR_MS
    _enter_hours(state, rows[turned], *hours, calendar)
    _enter_days(state, rows[local // DAY_MS != before // DAY_MS])
    return turned


def _enter_days(state: State, rows: Ints) -> None:
    hot, days = state.hot[rows].astype(np.float64), state.cold[rows, Cold.DAYS].astype(np.float64)
    typical = hot[:, Hot.TYPICAL]
    most = c.TYPICAL_MOST * typical + 1.0
    taught = (np.minimum(hot[:, Hot.DAY_MAX], most) - typical) / np.minimum(
        days + 2.0, c.TYPICAL_MEMORY
    )
    judged = hot[:, Hot.COUNT] - c.LEARN
    is_first = (judged > 0) & (typical == c.TYPICAL_FIRST)
    is_over = is_first & (judged * hot[:, Hot.STEP] >= c.TYPICAL_FIRST_S)
    state.hot[rows, Hot.TYPICAL] = np.select(
        [is_over, is_first, judged > 0], [c.TYPICAL, typical, typical + taught], typical
    )
    state.hot[rows, Hot.DAY_MAX] = 0.0
    state.cold[rows, Cold.DAYS] = days + 1.0


def _enter_hours(state: State, rows: Ints, over: Ints, hour: Ints, calendar: Calendar) -> None:
    """Rows at whose local `hour` the hour `over` ends."""
    hot, level = state.hot[rows].astype(np.float64), state.level[rows]
    filled = hot[:, Hot.BIN_COUNT] > 0
    _learn_hour(state, rows[filled], hot[filled], level[filled], over[filled], calendar)
    for column, beside in ((Hot.BEFORE, -1), (Hot.HERE, 0), (Hot.AFTER, 1)):
        state.hot[rows, column] = _season(state, rows, hour + beside, calendar)
    state.hot[rows, Hot.BIN_SUM] = 0.0
    state.hot[rows, Hot.BIN_COUNT] = 0.0


def _worth(fit: Array, power: Array) -> Array:
    """How much of a profile is believed: the slope of what came on what it said, shrunk."""
    worth: Array = np.minimum(np.maximum(fit / (c.DOUBT * power + 1e-30), 0.0), 1.0)
    return worth


def _season(state: State, rows: Ints, hour: Ints, calendar: Calendar) -> Array:
    of_day, of_week = slots(hour, calendar)
    cold = state.cold[rows].astype(np.float64)
    day, week = (_units(state, rows, slot) for slot in (of_day, of_week))
    by_day = _worth(cold[:, Cold.DAY_FIT], cold[:, Cold.DAY_POWER]) * day
    by_week = _worth(cold[:, Cold.WEEK_FIT], cold[:, Cold.WEEK_POWER]) * week
    season: Array = (by_day + by_week) * cold[:, Cold.UNIT]
    return season


def _units(state: State, rows: Ints, slot: Ints) -> Array:
    kept = state.profile[rows, slot]
    return np.where(kept == EMPTY, 0, kept).astype(np.float64)


def _learn_hour(
    state: State, rows: Ints, hot: Array, level: Array, over: Ints, calendar: Calendar
) -> None:
    of_day, of_week = slots(over, calendar)
    cold = state.cold[rows].astype(np.float64)
    floor = c.FLOOR * np.abs(level) + c.LEAST
    first = np.maximum(hot[:, Hot.WIDE_EDGE], floor) / c.GRAIN
    unit = np.where(cold[:, Cold.UNIT] == 0, first, cold[:, Cold.UNIT])
    came = hot[:, Hot.BIN_SUM] / (hot[:, Hot.BIN_COUNT] * unit)
    came = np.minimum(np.maximum(came, -c.INFINITE), c.INFINITE)
    day, week = _units(state, rows, of_day), _units(state, rows, of_week)
    day_known = state.profile[rows, of_day] != EMPTY
    week_known = state.profile[rows, of_week] != EMPTY
    rest = came - _worth(cold[:, Cold.DAY_FIT], cold[:, Cold.DAY_POWER]) * day
    _trust(cold, Cold.WEEK_FIT, day_known & week_known, rest, week)
    _trust(cold, Cold.DAY_FIT, day_known, came, day)
    week_next = np.where(week_known, week + c.WEEK_RATE * (rest - week), rest)
    pace = np.maximum(c.DAY_RATE, 1.0 / (cold[:, Cold.DAYS] + 1.0))
    day_next = np.where(day_known, day + pace * (came - day), came)
    _keep(state, rows, of_week, week_next, day_known)
    _keep(state, rows, of_day, day_next, np.ones(len(rows), dtype=np.bool_))
    coarse = np.maximum(np.abs(day_next), np.where(day_known, np.abs(week_next), 0.0)) > c.LARGEST
    cold[:, Cold.UNIT] = np.where(coarse, 2.0 * unit, unit)
    state.cold[rows] = cold.astype(np.float32)
    halved = state.profile[rows[coarse]]
    state.profile[rows[coarse]] = np.where(halved == EMPTY, EMPTY, halved >> 1)


def _trust(cold: Array, fit: Cold, known: NDArray[np.bool_], came: Array, said: Array) -> None:
    for column, product in ((fit, came * said), (fit + 1, said * said)):
        cold[:, column] = np.where(known, c.FADE * cold[:, column] + product, cold[:, column])


def _keep(state: State, rows: Ints, slot: Ints, units: Array, known: NDArray[np.bool_]) -> None:
    whole = np.floor(np.minimum(np.maximum(units, -c.LARGEST), c.LARGEST) + 0.5).astype(np.int16)
    state.profile[rows[known], slot[known]] = whole[known]
