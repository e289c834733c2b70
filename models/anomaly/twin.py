"""The step in plain numpy, one sample of each series at a time: what the kernel must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.anomaly.scored import Flag, Scored, Settings
from models.anomaly.twin_season import enter_hours, season_at
from models.baseline.calendar import DAY_MS, HOUR_MS, local_ms
from models.baseline.layout import Cold, Hot, Kind
from models.baseline.state import BINS, NEVER, State

__all__ = ["advance"]

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_STALE_BITS = np.uint64(0x7FF0000000000002)
_LN2 = 0.6931471805599453
_EDGES = (Hot.POINT_EDGE, Hot.SHORT_EDGE, Hot.LONG_EDGE)
_WEIGHTS = (c.POINT_WEIGHT, c.SHORT_WEIGHT, c.LONG_WEIGHT)


def advance(
    state: State,
    series: NDArray[np.int32],
    at: Ints,
    value: Array,
    settings: Settings,
    out: Scored,
) -> None:
    """As `score.Advance`."""
    for name in ("surprise", "reached"):
        getattr(out, name)[:] = state.pool_table[0, 0]
    out.p_value[:] = 1.0
    for name in ("expected", "low", "high"):
        getattr(out, name)[:] = np.nan
    for where in _rounds(series):
        _one_each(state, series[where].astype(np.int64), where, at[where], value, settings, out)


def _rounds(series: NDArray[np.int32]) -> list[Ints]:
    """Places of the first sample of every series, then of the second ones, and so on."""
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    nth = np.arange(len(ordered)) - np.repeat(first, np.diff(np.append(first, len(ordered))))
    return [np.sort(order[nth == k]) for k in range(int(nth.max(initial=-1)) + 1)]


def _one_each(
    state: State,
    rows: Ints,
    where: Ints,
    t: Ints,
    value: Array,
    settings: Settings,
    out: Scored,
) -> None:
    v = value[where]
    flag = _refused(state, rows, t, v)
    out.flag[where], out.value[where] = flag, v
    state.last[rows[flag == Flag.STALE]] = np.nan
    good = flag == 0
    rows, where, t, v = rows[good], where[good], t[good], v[good]
    before = np.where(state.at[rows] == NEVER, t, state.at[rows])
    seconds = (t - before) * 0.001
    x, usable, reset = _rates(state.kind[rows], v, state.last[rows], seconds)
    state.at[rows], state.last[rows] = t, v
    hot = state.hot[rows].astype(np.float64)
    local = local_ms(t, settings.calendar)
    _enter(state, rows, hot, local, local_ms(before, settings.calendar), settings)
    state.hot[rows] = hot.astype(np.float32)
    out.flag[where] |= np.where(reset, Flag.RESET, 0).astype(np.uint8)
    out.flag[where] |= np.where(usable, 0, Flag.LEARNING).astype(np.uint8)
    out.value[where] = np.where(usable, x, np.nan)
    u = usable
    _score(state, rows[u], where[u], x[u], seconds[u], local[u], settings, out)


def _refused(state: State, rows: Ints, t: Ints, v: Array) -> NDArray[np.uint8]:
    stale = v.view(np.uint64) == _STALE_BITS
    wrong = ~(np.abs(v) <= c.INFINITE)
    kinds = [Flag.LATE, Flag.DUPLICATE, Flag.STALE, Flag.INVALID]
    found = [t < state.at[rows], t == state.at[rows], stale, wrong]
    return np.select(found, kinds, 0).astype(np.uint8)


def _rates(
    kind: NDArray[np.int8], v: Array, last: Array, seconds: Array
) -> tuple[Array, Bools, Bools]:
    """Values as they are, increases per second of counters: with no first one and after resets."""
    counted = kind == Kind.CUMULATIVE
    reset = counted & (v < last)
    gain = np.where(reset, v, v - last)
    span = np.maximum(seconds, 1e-3)
    x = np.select([counted, kind == Kind.DELTA], [gain / span, v / span], v)
    usable = (kind == Kind.GAUGE) | ((seconds > 0) & (~counted | ~np.isnan(last)))
    return x, usable, reset


def _enter(
    state: State, rows: Ints, hot: Array, local: Ints, before: Ints, settings: Settings
) -> None:
    """What happens at the turn of a local hour and of a local day."""
    turned = local // HOUR_MS != before // HOUR_MS
    part = hot[turned]
    enter_hours(
        state,
        rows[turned],
        part,
        before[turned] // HOUR_MS,
        local[turned] // HOUR_MS,
        settings.calendar,
    )
    hot[turned] = part
    day = local // DAY_MS != before // DAY_MS
    days = state.cold[rows, Cold.DAYS].astype(np.float64)
    typical = np.where(hot[:, Hot.COUNT] <= c.LEARN, c.TYPICAL, hot[:, Hot.TYPICAL])
    most = c.TYPICAL_MOST * typical + 1.0
    taught = (np.minimum(hot[:, Hot.DAY_MAX], most) - typical) / np.minimum(
        days + 2.0, c.TYPICAL_MEMORY
    )
    judged = day & (hot[:, Hot.COUNT] > c.LEARN)
    hot[:, Hot.TYPICAL] = np.where(judged, typical + taught, hot[:, Hot.TYPICAL])
    hot[:, Hot.DAY_MAX] = np.where(day, 0.0, hot[:, Hot.DAY_MAX])
    state.cold[rows, Cold.DAYS] = np.where(day, days + 1.0, days)


def _ln(x: Array) -> Array:
    """Natural logarithm by arithmetic alone, so that every machine finds the same bits."""
    mantissa, exponent = np.frexp(x)
    s = (mantissa - 0.75) / (mantissa + 0.75)
    q = s * s
    series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11)))))
    result: Array = 2.0 * s * series + (exponent * _LN2 - 0.2876820724517809)
    return result


def _score(  # noqa: PLR0917
    state: State,
    rows: Ints,
    where: Ints,
    x: Array,
    seconds: Array,
    local: Ints,
    settings: Settings,
    out: Scored,
) -> None:
    hot = state.hot[rows].astype(np.float64)
    count = hot[:, Hot.COUNT]
    level = np.where(count == 0, x, state.level[rows])
    early = count < c.LEARN
    inverse = 1.0 / (count + 1.0)
    floor = c.FLOOR * np.abs(level) + c.LEAST
    season = season_at(hot, local)
    wide = x - season - level
    point = wide - hot[:, Hot.NEAR]
    short = hot[:, Hot.SHORT] + np.maximum(inverse, 1 / c.SHORT) * (wide - hot[:, Hot.SHORT])
    long = hot[:, Hot.LONG] + np.maximum(inverse, 1 / c.LONG) * (wide - hot[:, Hot.LONG])
    point_edge = np.maximum(hot[:, Hot.POINT_EDGE], floor)
    wide_edge = np.maximum(hot[:, Hot.WIDE_EDGE], floor)
    _tell_range(out, where, early, level + hot[:, Hot.NEAR] + season, point_edge, hot)
    nats = np.zeros(len(rows))
    for edge, weight, odd in zip(_EDGES, _WEIGHTS, (point, short, long), strict=True):
        nats += weight * _weigh(hot, edge, np.abs(odd), floor, early, inverse)
    _follow(hot, Hot.WIDE_EDGE, np.abs(wide), floor, early, inverse)
    hot[:, Hot.SHORT], hot[:, Hot.LONG] = short, long
    typical = np.where(count == c.LEARN, c.TYPICAL, hot[:, Hot.TYPICAL])
    hot[:, Hot.TYPICAL] = typical
    hot[:, Hot.DAY_MAX] = np.maximum(hot[:, Hot.DAY_MAX], nats)
    z = np.minimum(nats / (c.TYPICAL_BASE + typical), (BINS - 1) / c.GRAIN_SCORE)
    _tell(state, out, where, z.astype(np.float32).astype(np.float64), hot, seconds, settings)
    flag = np.where(early, Flag.LEARNING, 0)
    flag |= np.where((count > 2) & (seconds > c.GAP * hot[:, Hot.STEP]), Flag.GAP, 0)
    flag |= _learn(state, rows, hot, x, level, season, wide, point, point_edge, wide_edge, seconds)
    out.flag[where] |= flag.astype(np.uint8)
    state.hot[rows] = hot.astype(np.float32)


def _tell_range(
    out: Scored, where: Ints, early: Bools, expected: Array, edge: Array, hot: Array
) -> None:
    """What was expected, and what one sample in a thousand leaves."""
    half = edge * (1.0 + 3.4 * hot[:, Hot.POINT_TAIL])
    for column, values in (
        (out.expected, expected),
        (out.low, expected - half),
        (out.high, expected + half),
    ):
        column[where] = np.where(early, np.nan, values)


def _weigh(hot: Array, edge: Hot, odd: Array, floor: Array, early: Bools, inverse: Array) -> Array:
    """Nats by which a statistic is beyond its edge; edge and tail then learn from it."""
    tail_at = edge + 1
    over = np.maximum(hot[:, edge], floor)
    beyond = (odd > over) & ~early
    tail = np.where(hot[:, Hot.COUNT] <= c.LEARN, c.TAIL, hot[:, tail_at])
    excess = np.where(beyond, _ln(np.where(beyond, odd / over, 1.0)), 0.0)
    seen = np.minimum(c.RARE * (hot[:, Hot.COUNT] - c.LEARN) + c.TAIL_PRIOR, c.TAIL_MEMORY)
    taught = np.maximum(
        tail + (np.minimum(excess, c.TAIL_MOST * tail) - tail) / np.where(early, 1.0, seen),
        c.TAIL_LEAST,
    )
    nats: Array = np.where(beyond, excess / np.where(beyond, tail, 1.0), 0.0)
    hot[:, tail_at] = np.where(beyond, taught, tail)
    _follow(hot, edge, odd, floor, early, inverse)
    return nats


def _follow(hot: Array, edge: Hot, odd: Array, floor: Array, early: Bools, inverse: Array) -> None:
    """Move an edge so that a share `RARE` stays beyond it; at first to twice the mean."""
    over = np.maximum(hot[:, edge], floor)
    rate = np.maximum(c.FOLLOW, 2.0 * inverse)
    later = over * np.where(odd > over, 1.0 + rate * (1.0 - c.RARE), 1.0 - rate * c.RARE)
    hot[:, edge] = np.where(early, over + (2.0 * odd - over) * inverse, later)


def _tell(
    state: State,
    out: Scored,
    where: Ints,
    z: Array,
    hot: Array,
    seconds: Array,
    settings: Settings,
) -> None:
    """Surprise of a score and of what the excursion had reached; both are counted."""
    judged = hot[:, Hot.COUNT] >= c.LEARN
    since = hot[:, Hot.SINCE_PEAK] + seconds
    reached = np.where(since > settings.quiet_s, 0.0, hot[:, Hot.PEAK])
    rises = z > reached
    hot[:, Hot.PEAK] = np.where(rises, z, reached)
    hot[:, Hot.SINCE_PEAK] = np.where(rises, 0.0, np.minimum(since, 1e9))
    out.surprise[where] = _read(state.pool_table[0], z)
    out.reached[where] = _read(state.pool_table[0], reached)
    out.p_value[where] = np.where(z > 0, _read(state.pool_table[1], z), 1.0)
    bins, was = (np.floor(each * c.GRAIN_SCORE).astype(np.int64) for each in (z, reached))
    state.pool_counts[0] += c.ONE * np.bincount(bins[judged], minlength=BINS)
    state.pool_counts[1] += c.ONE * np.bincount(bins[judged & rises], minlength=BINS)
    state.pool_counts[1] -= c.ONE * np.bincount(was[judged & rises & (reached > 0)], minlength=BINS)
    watched = np.minimum((seconds[judged] * 1000.0 + 0.5).astype(np.int64), c.WATCHED_MS)
    state.pool_spent[1] += watched.sum()
    state.pool_spent[2] += int((hot[:, Hot.COUNT] == c.LEARN).sum())


def _read(table: Array, z: Array) -> NDArray[np.float32]:
    place = z * c.GRAIN_SCORE
    left = np.floor(place).astype(np.int64)
    value = table[left] + (place - left) * (table[left + 1] - table[left])
    single: NDArray[np.float32] = value.astype(np.float32)
    return single


def _learn(  # noqa: PLR0913, PLR0917
    state: State,
    rows: Ints,
    hot: Array,
    x: Array,
    level: Array,
    season: Array,
    wide: Array,
    point: Array,
    point_edge: Array,
    wide_edge: Array,
    seconds: Array,
) -> NDArray[np.int64]:
    """Levels move, as far as an outlier may move them; where a shift is over, the level jumps."""
    count = hot[:, Hot.COUNT]
    early = count < c.LEARN
    inverse = 1.0 / (count + 1.0)
    near = hot[:, Hot.NEAR] + np.maximum(inverse, 1 / c.NEAR) * _bounded(point, point_edge, early)
    drift = np.maximum(inverse, 1 / c.LEVEL) * _bounded(wide, wide_edge, early)
    trend = np.where(
        early, 0.0, hot[:, Hot.TREND] + c.TREND / c.LEVEL * (drift - hot[:, Hot.TREND])
    )
    drift += trend
    run = _run(hot, wide, np.maximum(hot[:, Hot.WIDE_EDGE], c.FLOOR * np.abs(level) + c.LEAST))
    near -= drift
    shifted = (np.abs(run) >= c.SHIFT) & ~early
    jump = np.where(shifted, near, 0.0)
    hot[:, Hot.TREND] = np.where(shifted, 0.0, trend)
    hot[:, Hot.NEAR] = near - jump
    hot[:, Hot.SHORT] -= jump
    hot[:, Hot.LONG] -= jump
    hot[:, Hot.RUN] = np.where(shifted, 0.0, run)
    step = np.where(count < 2, seconds, hot[:, Hot.STEP])
    hot[:, Hot.STEP] = step + c.STEP_RATE * np.minimum(seconds - step, step)
    hot[:, Hot.BIN_SUM] += x - level
    hot[:, Hot.BIN_COUNT] += 1.0
    hot[:, Hot.COUNT] = np.minimum(count + 1.0, 16_777_216.0)
    state.level[rows] = level + (drift + jump)
    return np.where(shifted, Flag.SHIFT, 0).astype(np.int64)


def _bounded(odd: Array, edge: Array, early: Bools) -> Array:
    most = c.CLIP * edge
    return np.where(early, odd, np.minimum(np.maximum(odd, -most), most))


def _run(hot: Array, wide: Array, edge: Array) -> Array:
    """Samples in a row beyond the wide edge: above counts up, below counts down."""
    run = hot[:, Hot.RUN]
    return np.select(
        [wide > edge, wide < -edge], [np.maximum(run, 0.0) + 1.0, np.minimum(run, 0.0) - 1.0], 0.0
    )
