"""One usable sample, compiled: what was expected, how odd it is, and what is learned of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_learn, kernel_peaks, kernel_season, kernel_stats
from models.anomaly import tuning as c
from models.anomaly.columns import Singles
from models.anomaly.scored import Flag
from models.baseline.layout import Hot
from models.compiling import inlined

__all__ = ["score"]

_LEARNING, _GAP, _SHIFT = (int(f) for f in (Flag.LEARNING, Flag.GAP, Flag.SHIFT))
_COUNT, _STEP, _NEAR, _SHORT, _LONG, _RUN = (
    int(h) for h in (Hot.COUNT, Hot.STEP, Hot.NEAR, Hot.SHORT, Hot.LONG, Hot.RUN)
)
_POINT_EDGE, _POINT_TAIL, _SHORT_EDGE, _LONG_EDGE, _WIDE_EDGE = (
    int(h) for h in (Hot.POINT_EDGE, Hot.POINT_TAIL, Hot.SHORT_EDGE, Hot.LONG_EDGE, Hot.WIDE_EDGE)
)
_BIN_SUM, _BIN_COUNT, _TYPICAL, _DAY_MAX = (
    int(h) for h in (Hot.BIN_SUM, Hot.BIN_COUNT, Hot.TYPICAL, Hot.DAY_MAX)
)
_BIN = c.GRAINS // int(c.GRAIN_SCORE)
_season_at, _tell = kernel_season.season_at, kernel_peaks.tell
_weigh, _follow, _bounded = kernel_stats.weigh, kernel_stats.follow, kernel_stats.bounded
_believed, _settle, _relearn = kernel_learn.believed, kernel_learn.settle, kernel_learn.relearn


@inlined
def score(
    i: int,
    row: int,
    x: float,
    seconds: float,
    t: int,
    here: int,
    quiet: int,
    rows: tuple[NDArray[Any], ...],
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
) -> int:
    """Score it by what came before, learn from it; what befell it, as flags."""
    _, _, levels, hot, _, cold, profile = rows
    count = float(hot[row, _COUNT])
    level = x if count == 0 else levels[row]
    early = count < c.LEARN
    inverse = 1.0 / (count + 1.0)
    floor = c.FLOOR * abs(level) + c.LEAST
    wide_edge = max(np.float64(hot[row, _WIDE_EDGE]), floor)
    season = _season_at(row, here, hot)
    came = x - season - level
    wide = _believed(row, came, wide_edge, hot) if early else came
    near, short, long = float(hot[row, _NEAR]), float(hot[row, _SHORT]), float(hot[row, _LONG])
    point = wide - near
    short += max(inverse, 1 / c.SHORT) * (wide - short)
    long += max(inverse, 1 / c.LONG) * (wide - long)
    point_edge = max(np.float64(hot[row, _POINT_EDGE]), floor)
    if not early:
        _tell_range(i, row, level + near + season, point_edge, hot, scores)
    a = c.POINT_WEIGHT * _weigh(row, _POINT_EDGE, abs(point), floor, count, inverse, hot)
    b = c.SHORT_WEIGHT * _weigh(row, _SHORT_EDGE, abs(short), floor, count, inverse, hot)
    d = c.LONG_WEIGHT * _weigh(row, _LONG_EDGE, abs(long), floor, count, inverse, hot)
    wide_next = _follow(wide_edge, abs(wide), early, inverse)
    if abs(hot[row, _RUN]) >= c.AWAY and c.LEARN <= count < c.YOUNG:
        wide_next = min(wide_next, wide_edge)
    hot[row, _WIDE_EDGE] = wide_next
    if not early:
        tilt = np.copysign(a, point) + np.copysign(b, short) + np.copysign(d, long)
        side = 1 if tilt >= 0 else -1
        _judge(i, row, a + b + d, side, count, seconds, t, quiet, hot, pool, scores)
    found = _rhythm(row, seconds, count, hot) | (_LEARNING if early else 0)
    _fill(row, season, wide, wide_edge, hot)
    near += max(inverse, 1 / c.NEAR) * _bounded(point, point_edge, early)
    drift = max(inverse, 1 / c.LEVEL) * _bounded(wide, wide_edge, early)
    bar = max(wide_next, floor)
    shifted = _settle(row, came, bar, near, short, long, drift, level, early, levels, hot)
    hot[row, _COUNT] = min(count + 1.0, 16_777_216.0)
    lost = shifted and (count < c.YOUNG or abs(came) > c.BELIEVED * bar)
    if _relearn(row, x, count, lost, levels, hot, cold, profile):
        found |= _LEARNING
    return found | (_SHIFT if shifted else 0)


@inlined
def _tell_range(
    i: int,
    row: int,
    middle: float,
    edge: float,
    hot: Singles,
    scores: tuple[NDArray[Any], ...],
) -> None:
    expected, low, high = scores[4], scores[5], scores[6]
    half = edge * (1.0 + 3.4 * np.float64(hot[row, _POINT_TAIL]))
    expected[i] = middle
    low[i] = middle - half
    high[i] = middle + half


@inlined
def _judge(
    i: int,
    row: int,
    nats: float,
    side: int,
    count: float,
    seconds: float,
    t: int,
    quiet: int,
    hot: Singles,
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
) -> None:
    counts, spent = pool[0], pool[1]
    if count == c.LEARN:
        hot[row, _TYPICAL] = c.TYPICAL_FIRST
        spent[2] += 1
    spent[1] += min(int(seconds * 1000.0 + 0.5), c.WATCHED_MS)
    if nats == 0:
        counts[0, 0] += c.ONE
        return
    hot[row, _DAY_MAX] = max(np.float64(hot[row, _DAY_MAX]), nats)
    typical = np.float64(hot[row, _TYPICAL])
    grains = int(min(nats / (c.TYPICAL_BASE + typical) * c.GRAINS, c.GRAINS_MOST))
    counts[0, grains // _BIN] += c.ONE
    if grains > 0:
        _tell(i, row, grains, side, t, quiet, hot, pool, scores)


@inlined
def _rhythm(row: int, seconds: float, count: float, hot: Singles) -> int:
    step = float(hot[row, _STEP])
    found = _GAP if count > 2 and seconds > c.GAP * step else 0
    if count < 2:
        step = seconds
    hot[row, _STEP] = step + c.STEP_RATE * min(seconds - step, step)
    return found


@inlined
def _fill(row: int, season: float, wide: float, edge: float, hot: Singles) -> None:
    most = c.HOUR_CLIP * edge
    came = season + min(max(wide, -most), most)
    hot[row, _BIN_SUM] = np.float64(hot[row, _BIN_SUM]) + came
    hot[row, _BIN_COUNT] = np.float64(hot[row, _BIN_COUNT]) + 1.0
