"""The step as compiled loops over struct-of-arrays rows: equal to `twin` to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_season, kernel_stats
from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Longs, Shorts, Singles
from models.anomaly.scored import Flag, Scored, Settings
from models.baseline.calendar import DAY_MS, HOUR_MS
from models.baseline.layout import Cold, Hot, Kind
from models.baseline.state import BINS, NEVER, State
from models.compiling import inlined, uncounted

__all__ = ["advance"]

# Members of enumerations are numbers of their own to the compiler only as plain integers.
_STALE_BITS = np.uint64(0x7FF0000000000002)
_LATE, _DUPLICATE, _INVALID, _STALE = (
    int(f) for f in (Flag.LATE, Flag.DUPLICATE, Flag.INVALID, Flag.STALE)
)
_LEARNING, _GAP, _RESET, _SHIFT = (
    int(f) for f in (Flag.LEARNING, Flag.GAP, Flag.RESET, Flag.SHIFT)
)
_GAUGE, _CUMULATIVE = int(Kind.GAUGE), int(Kind.CUMULATIVE)
_COUNT, _STEP, _NEAR, _SHORT, _LONG, _TREND = (
    int(h) for h in (Hot.COUNT, Hot.STEP, Hot.NEAR, Hot.SHORT, Hot.LONG, Hot.TREND)
)
_POINT_EDGE, _POINT_TAIL, _SHORT_EDGE, _LONG_EDGE, _WIDE_EDGE = (
    int(h) for h in (Hot.POINT_EDGE, Hot.POINT_TAIL, Hot.SHORT_EDGE, Hot.LONG_EDGE, Hot.WIDE_EDGE)
)
_RUN, _BIN_SUM, _BIN_COUNT, _TYPICAL, _DAY_MAX, _PEAK, _SINCE_PEAK = (
    int(h)
    for h in (
        Hot.RUN,
        Hot.BIN_SUM,
        Hot.BIN_COUNT,
        Hot.TYPICAL,
        Hot.DAY_MAX,
        Hot.PEAK,
        Hot.SINCE_PEAK,
    )
)
_DAYS = int(Cold.DAYS)
_HIGHEST = (BINS - 1) / c.GRAIN_SCORE
_local = kernel_season.local
_enter_hour = kernel_season.enter_hour
_season_at = kernel_season.season_at
_weigh, _follow, _bounded = kernel_stats.weigh, kernel_stats.follow, kernel_stats.bounded


def advance(
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    settings: Settings,
    out: Scored,
) -> None:
    """As `score.Advance`."""
    value = np.ascontiguousarray(value)
    calendar = settings.calendar
    times = (calendar.starts, calendar.offsets, calendar.holidays)
    rows = (state.at, state.last, state.level, state.hot, state.kind, state.cold, state.profile)
    table = state.pool_table
    pool = (state.pool_counts, state.pool_spent, table[0], table[1])
    scores = (out.surprise, out.reached, out.p_value, out.value, out.expected, out.low, out.high)
    bits = value.view(np.uint64)
    _loop(series, at, value, bits, times, float(settings.quiet_s), rows, pool, scores, out.flag)


@uncounted
def _loop(
    series: NDArray[np.int32],
    at: Longs,
    value: Doubles,
    bits: NDArray[np.uint64],
    times: tuple[Longs, ...],
    quiet_s: float,
    rows: tuple[NDArray[Any], ...],
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
    flag: NDArray[np.uint8],
) -> None:
    newest, last, level, hot, kind, cold, profile = rows
    starts, offsets, holidays = times
    counts, spent, surprise_of, chance_of = pool
    surprise, reached, p_value, scored, expected, low, high = scores
    nothing = np.float32(surprise_of[0])
    for i in range(len(series)):
        row, t, v = series[i], at[i], value[i]
        surprise[i] = nothing
        reached[i] = nothing
        p_value[i] = 1.0
        scored[i] = v
        expected[i] = np.nan
        low[i] = np.nan
        high[i] = np.nan
        flag[i] = _refused(newest[row], t, v, bits[i])
        if flag[i] != 0:
            if flag[i] == _STALE:
                last[row] = np.nan
            continue
        before = t if newest[row] == NEVER else newest[row]
        seconds = (t - before) * 0.001
        x, usable, reset = _rate(kind[row], v, last[row], seconds)
        newest[row] = t
        last[row] = v
        here, was = _local(t, starts, offsets), _local(before, starts, offsets)
        _enter(row, here, was, level, hot, cold, profile, holidays)
        if reset:
            flag[i] |= _RESET
        if usable:
            scored[i] = x
            found, z, peak = _score(
                i, row, x, seconds, here, quiet_s, level, hot, counts, spent, expected, low, high
            )
            flag[i] |= found
            if z > 0:
                surprise[i] = _read(surprise_of, z)
                p_value[i] = _read(chance_of, z)
            if peak > 0:
                reached[i] = _read(surprise_of, peak)
        else:
            flag[i] |= _LEARNING
            scored[i] = np.nan


@inlined
def _refused(newest: int, t: int, v: float, bits: np.uint64) -> int:
    if t < newest:
        return _LATE
    if t == newest:
        return _DUPLICATE
    if bits == _STALE_BITS:
        return _STALE
    return 0 if abs(v) <= c.INFINITE else _INVALID


@inlined
def _rate(kind: int, v: float, last: float, seconds: float) -> tuple[float, bool, bool]:
    if kind == _GAUGE:
        return v, True, False
    span = max(seconds, 1e-3)
    if kind != _CUMULATIVE:
        return v / span, seconds > 0, False
    reset = v < last
    gain = v if reset else v - last
    return gain / span, seconds > 0 and not np.isnan(last), reset


@inlined
def _enter(
    row: int,
    here: int,
    was: int,
    level: Doubles,
    hot: Singles,
    cold: Singles,
    profile: Shorts,
    holidays: Longs,
) -> None:
    if here // HOUR_MS == was // HOUR_MS:
        return
    _enter_hour(row, was // HOUR_MS, here // HOUR_MS, level[row], hot, cold, profile, holidays)
    if here // DAY_MS == was // DAY_MS:
        return
    days = np.float64(cold[row, _DAYS])
    count = hot[row, _COUNT]
    if count > c.LEARN:
        typical = np.float64(hot[row, _TYPICAL])
        most = c.TYPICAL_MOST * typical + 1.0
        taught = (min(np.float64(hot[row, _DAY_MAX]), most) - typical) / min(
            days + 2.0, c.TYPICAL_MEMORY
        )
        hot[row, _TYPICAL] = typical + taught
    hot[row, _DAY_MAX] = 0.0
    cold[row, _DAYS] = days + 1.0


@inlined
def _score(
    i: int,
    row: int,
    x: float,
    seconds: float,
    here: int,
    quiet_s: float,
    levels: Doubles,
    hot: Singles,
    counts: Longs,
    spent: Longs,
    expected: Doubles,
    low: Doubles,
    high: Doubles,
) -> tuple[int, float, float]:
    count = float(hot[row, _COUNT])
    level = x if count == 0 else levels[row]
    early = count < c.LEARN
    inverse = 1.0 / (count + 1.0)
    floor = c.FLOOR * abs(level) + c.LEAST
    season = _season_at(row, here, hot)
    wide = x - season - level
    near = float(hot[row, _NEAR])
    short = float(hot[row, _SHORT])
    long = float(hot[row, _LONG])
    point = wide - near
    short += max(inverse, 1 / c.SHORT) * (wide - short)
    long += max(inverse, 1 / c.LONG) * (wide - long)
    point_edge = max(np.float64(hot[row, _POINT_EDGE]), floor)
    wide_edge = max(np.float64(hot[row, _WIDE_EDGE]), floor)
    if not early:
        middle = level + near + season
        half = point_edge * (1.0 + 3.4 * np.float64(hot[row, _POINT_TAIL]))
        expected[i] = middle
        low[i] = middle - half
        high[i] = middle + half
    nats = c.POINT_WEIGHT * _weigh(row, _POINT_EDGE, abs(point), floor, count, inverse, hot)
    nats += c.SHORT_WEIGHT * _weigh(row, _SHORT_EDGE, abs(short), floor, count, inverse, hot)
    nats += c.LONG_WEIGHT * _weigh(row, _LONG_EDGE, abs(long), floor, count, inverse, hot)
    wide_next = _follow(wide_edge, abs(wide), early, inverse)
    hot[row, _WIDE_EDGE] = wide_next
    typical = c.TYPICAL if count == c.LEARN else np.float64(hot[row, _TYPICAL])
    hot[row, _TYPICAL] = typical
    hot[row, _DAY_MAX] = max(np.float64(hot[row, _DAY_MAX]), nats)
    z = np.float64(np.float32(min(nats / (c.TYPICAL_BASE + typical), _HIGHEST)))
    peak = _tell(row, z, count, seconds, quiet_s, hot, counts, spent)
    found = _LEARNING if early else 0
    step = float(hot[row, _STEP])
    if count > 2 and seconds > c.GAP * step:
        found |= _GAP
    if count < 2:
        step = seconds
    hot[row, _STEP] = step + c.STEP_RATE * min(seconds - step, step)
    hot[row, _BIN_SUM] = np.float64(hot[row, _BIN_SUM]) + (x - level)
    hot[row, _BIN_COUNT] = np.float64(hot[row, _BIN_COUNT]) + 1.0
    near += max(inverse, 1 / c.NEAR) * _bounded(point, point_edge, early)
    drift = max(inverse, 1 / c.LEVEL) * _bounded(wide, wide_edge, early)
    bar = max(wide_next, c.FLOOR * abs(level) + c.LEAST)
    shifted = _settle(row, wide, bar, near, short, long, drift, level, early, levels, hot)
    hot[row, _COUNT] = min(count + 1.0, 16_777_216.0)
    return found | (_SHIFT if shifted else 0), z, peak


@inlined
def _tell(
    row: int,
    z: float,
    count: float,
    seconds: float,
    quiet_s: float,
    hot: Singles,
    counts: Longs,
    spent: Longs,
) -> float:
    since = np.float64(hot[row, _SINCE_PEAK]) + seconds
    reached = 0.0 if since > quiet_s else np.float64(hot[row, _PEAK])
    rises = z > reached
    hot[row, _PEAK] = z if rises else reached
    hot[row, _SINCE_PEAK] = 0.0 if rises else min(since, 1e9)
    bin_z = int(z * c.GRAIN_SCORE)
    if count < c.LEARN:
        return reached
    counts[0, bin_z] += c.ONE
    if rises:
        counts[1, bin_z] += c.ONE
        if reached > 0:
            counts[1, int(reached * c.GRAIN_SCORE)] -= c.ONE
    spent[1] += min(int(seconds * 1000.0 + 0.5), c.WATCHED_MS)
    if count == c.LEARN:
        spent[2] += 1
    return reached


@inlined
def _read(table: Doubles, z: float) -> float:
    place = z * c.GRAIN_SCORE
    left = int(place)
    return float(table[left] + (place - left) * (table[left + 1] - table[left]))


@inlined
def _settle(
    row: int,
    wide: float,
    bar: float,
    near: float,
    short: float,
    long: float,
    drift: float,
    level: float,
    early: bool,
    levels: Doubles,
    hot: Singles,
) -> bool:
    trend = 0.0
    if not early:
        trend = np.float64(hot[row, _TREND])
        trend = trend + c.TREND / c.LEVEL * (drift - trend)
    drift += trend
    run = float(hot[row, _RUN])
    if wide > bar:
        run = max(run, 0.0) + 1.0
    elif wide < -bar:
        run = min(run, 0.0) - 1.0
    else:
        run = 0.0
    near -= drift
    shifted = abs(run) >= c.SHIFT and not early
    jump = near if shifted else 0.0
    hot[row, _TREND] = 0.0 if shifted else trend
    hot[row, _NEAR] = near - jump
    hot[row, _SHORT] = short - jump
    hot[row, _LONG] = long - jump
    hot[row, _RUN] = 0.0 if shifted else run
    levels[row] = level + (drift + jump)
    return shifted
