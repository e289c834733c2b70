"""Usable samples of a series each, in plain numpy: what was expected, how odd they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.anomaly.scored import Flag, Scored, Settings
from models.anomaly.twin_learn import believed, bounded, follow, relearn, settle
from models.anomaly.twin_peaks import tell
from models.anomaly.twin_season import season_at
from models.baseline.layout import Hot
from models.baseline.state import BINS, State

__all__ = ["score"]

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_LN2 = 0.6931471805599453
_BIN = c.GRAINS // int(c.GRAIN_SCORE)
_PARTS = (
    (Hot.POINT_EDGE, c.POINT_WEIGHT),
    (Hot.SHORT_EDGE, c.SHORT_WEIGHT),
    (Hot.LONG_EDGE, c.LONG_WEIGHT),
)


def score(  # noqa: PLR0913, PLR0917
    state: State,
    rows: Ints,
    where: Ints,
    x: Array,
    seconds: Array,
    t: Ints,
    local: Ints,
    settings: Settings,
    out: Scored,
) -> None:
    """Score them by what came before, learn from them."""
    hot = state.hot[rows].astype(np.float64)
    count = hot[:, Hot.COUNT].copy()
    level = np.where(count == 0, x, state.level[rows])
    early = count < c.LEARN
    inverse = 1.0 / (count + 1.0)
    floor = c.FLOOR * np.abs(level) + c.LEAST
    wide_edge = np.maximum(hot[:, Hot.WIDE_EDGE], floor)
    season = season_at(hot, local)
    came = x - season - level
    wide = believed(hot, came, wide_edge, early)
    near = hot[:, Hot.NEAR].copy()
    point = wide - near
    for column, memory in ((Hot.SHORT, c.SHORT), (Hot.LONG, c.LONG)):
        hot[:, column] += np.maximum(inverse, 1 / memory) * (wide - hot[:, column])
    point_edge = np.maximum(hot[:, Hot.POINT_EDGE], floor)
    _tell_range(out, where, early, level + near + season, point_edge, hot)
    nats, tilt = np.zeros(len(rows)), np.zeros(len(rows))
    parts = (point, hot[:, Hot.SHORT].copy(), hot[:, Hot.LONG].copy())
    still, faint = np.abs(point) <= c.STILL * point_edge, wide_edge < c.FAINT * floor
    burst = (hot[:, Hot.RUN] != 0) & faint & ~still
    for (edge, weight), odd in zip(_PARTS, parts, strict=True):
        part = weight * _weigh(hot, edge, np.abs(odd), floor, (still, burst), early, inverse)
        nats += part
        tilt += np.copysign(part, odd)
    follow(hot, Hot.WIDE_EDGE, np.abs(wide), floor, early, inverse)
    is_away = (np.abs(hot[:, Hot.RUN]) >= c.AWAY) & (count >= c.LEARN) & (count < c.YOUNG)
    narrow = np.minimum(hot[:, Hot.WIDE_EDGE], wide_edge)
    hot[:, Hot.WIDE_EDGE] = np.where(is_away, narrow, hot[:, Hot.WIDE_EDGE])
    grains = _judge(state, hot, nats, seconds, early)
    flag = np.where(early, Flag.LEARNING, 0) | _rhythm(hot, seconds)
    hot[:, Hot.BIN_SUM] += season + np.clip(wide, -c.HOUR_CLIP * wide_edge, c.HOUR_CLIP * wide_edge)
    hot[:, Hot.BIN_COUNT] += 1.0
    reach = np.where(faint, np.minimum(point_edge, wide_edge), point_edge)
    near += np.maximum(inverse, 1 / c.NEAR) * bounded(point, reach, early)
    drift = np.maximum(inverse, 1 / c.LEVEL) * bounded(wide, wide_edge, early)
    bar = np.maximum(hot[:, Hot.WIDE_EDGE], floor)
    state.level[rows], shifted = settle(hot, came, bar, near, drift, level, early)
    hot[:, Hot.COUNT] = np.minimum(count + 1.0, 16_777_216.0)
    state.hot[rows] = hot.astype(np.float32)
    told = grains > 0
    side = np.where(tilt >= 0, 1, -1).astype(np.int8)
    tell(state, out, rows[told], where[told], grains[told], side[told], t[told], settings.quiet_m)
    lost = shifted & ((count < c.YOUNG) | (np.abs(came) > c.BELIEVED * bar))
    anew = relearn(state, rows, x, count, lost)
    flag |= np.where(shifted, Flag.SHIFT, 0) | np.where(anew, Flag.LEARNING, 0)
    out.flag[where] |= flag.astype(np.uint8)


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


def _judge(state: State, hot: Array, nats: Array, seconds: Array, early: Bools) -> Ints:
    """Scores in grains, in proportion to what is usual of a day; they are counted."""
    judged, first = ~early, hot[:, Hot.COUNT] == c.LEARN
    hot[:, Hot.TYPICAL] = np.where(first, c.TYPICAL_FIRST, hot[:, Hot.TYPICAL])
    hot[:, Hot.DAY_MAX] = np.maximum(hot[:, Hot.DAY_MAX], nats)
    z = nats / (c.TYPICAL_BASE + hot[:, Hot.TYPICAL])
    grains: Ints = np.minimum(z * c.GRAINS, c.GRAINS_MOST).astype(np.int64)
    state.pool_counts[0] += c.ONE * np.bincount(grains[judged] // _BIN, minlength=BINS)
    watched = np.minimum((seconds[judged] * 1000.0 + 0.5).astype(np.int64), c.WATCHED_MS)
    state.pool_spent[1] += watched.sum()
    state.pool_spent[2] += int(first.sum())
    return grains


def _ln(x: Array) -> Array:
    """Natural logarithm by arithmetic alone, so that every machine finds the same bits."""
    mantissa, exponent = np.frexp(x)
    s = (mantissa - 0.75) / (mantissa + 0.75)
    q = s * s
    series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11)))))
    result: Array = 2.0 * s * series + (exponent * _LN2 - 0.2876820724517809)
    return result


def _weigh(
    hot: Array,
    edge: Hot,
    odd: Array,
    floor: Array,
    held: tuple[Bools, Bools],
    early: Bools,
    inverse: Array,
) -> Array:
    """Nats by which a statistic is beyond its edge; edge and tail then learn from it."""
    tail_at, (still, burst) = edge + 1, held
    over = np.maximum(hot[:, edge], floor)
    beyond = (odd > over) & ~early
    tail = np.where(hot[:, Hot.COUNT] <= c.LEARN, c.TAIL, hot[:, tail_at])
    excess = np.where(beyond, _ln(np.where(beyond, odd / over, 1.0)), 0.0)
    lifted = beyond & (over < c.FAINT * floor) & (excess > c.LIFT)
    excess = np.where(lifted, c.LIFT, excess)
    seen = np.minimum(c.RARE * (hot[:, Hot.COUNT] - c.LEARN) + c.TAIL_PRIOR, c.TAIL_MEMORY)
    taught = np.maximum(
        tail + (np.minimum(excess, c.TAIL_MOST * tail) - tail) / np.where(early, 1.0, seen),
        c.TAIL_LEAST,
    )
    nats: Array = np.where(beyond, excess / np.where(beyond, tail, 1.0), 0.0)
    hot[:, tail_at] = np.select([early, beyond & ~burst], [hot[:, tail_at], taught], tail)
    before = hot[:, edge].copy()
    follow(hot, edge, odd, floor, early, inverse)
    kept = still & ~early & ~beyond
    hot[:, edge] = np.select([lifted, kept], [c.LIFTED * odd, before], hot[:, edge])
    return nats


def _rhythm(hot: Array, seconds: Array) -> NDArray[np.int64]:
    """The usual step follows; whether this one was a gap."""
    count = hot[:, Hot.COUNT]
    gap = (count > 2) & (seconds > c.GAP * hot[:, Hot.STEP])
    step = np.where(count < 2, seconds, hot[:, Hot.STEP])
    hot[:, Hot.STEP] = step + c.STEP_RATE * np.minimum(seconds - step, step)
    return np.where(gap, int(Flag.GAP), 0)
