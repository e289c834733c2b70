"""One usable sample, compiled: what was expected, how odd it is, and what is learned of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_learn, kernel_odd, kernel_season, kernel_stats
from models.anomaly import tuning as c
from models.anomaly.columns import Singles
from models.anomaly.scored import Flag
from models.baseline.layout import Hot
from models.compiling import inlined

__all__ = ["score"]

_LEARNING, _SHIFT = int(Flag.LEARNING), int(Flag.SHIFT)
_COUNT, _STEP, _NEAR, _SHORT, _LONG, _TREND, _RUN = (
    int(h) for h in (Hot.COUNT, Hot.STEP, Hot.NEAR, Hot.SHORT, Hot.LONG, Hot.TREND, Hot.RUN)
)
_POINT_EDGE, _POINT_TAIL, _SHORT_EDGE, _LONG_EDGE, _WIDE_EDGE = (
    int(h) for h in (Hot.POINT_EDGE, Hot.POINT_TAIL, Hot.SHORT_EDGE, Hot.LONG_EDGE, Hot.WIDE_EDGE)
)
_season_at, _learn = kernel_season.season_at, kernel_learn.learn
_untold, _judge, _begin_anew = kernel_learn.untold, kernel_odd.judge, kernel_learn.begin_anew
_bounded, _fill, _follow = kernel_stats.bounded, kernel_stats.fill, kernel_stats.follow
_rhythm, _run_on = kernel_stats.rhythm, kernel_stats.run_on


@inlined
def score(
    i: int,
    row: int,
    x: float,
    span: int,
    t: int,
    into: int,
    quiet: int,
    rows: tuple[NDArray[Any], ...],
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
) -> int:
    """Score it by what came before, learn from it; what befell it, as flags.

    `span` is the milliseconds since the sample before, `into` those into its local hour. Nearly
    all samples are within all edges: of those nothing is weighed and no tail is touched.
    """
    _, _, levels, hot, _, cold, profile = rows
    count, seconds = float(hot[row, _COUNT]), span * 0.001
    season = _season_at(row, into, hot)
    if count < c.LEARN:
        _untold(i, scores)
        return _learn(row, x, season, seconds, count, rows)
    level = levels[row]
    floor = c.FLOOR * abs(level) + c.LEAST
    came = x - season - level
    near, short, long = float(hot[row, _NEAR]), float(hot[row, _SHORT]), float(hot[row, _LONG])
    point = came - near
    short += 1 / c.SHORT * (came - short)
    long += 1 / c.LONG * (came - long)
    of_point, wide_edge = _edge(row, _POINT_EDGE, floor, hot), _edge(row, _WIDE_EDGE, floor, hot)
    of_short, of_long = _edge(row, _SHORT_EDGE, floor, hot), _edge(row, _LONG_EDGE, floor, hot)
    _tell_range(i, row, level + near + season, of_point, hot, scores)
    inverse = 1.0 / (count + 1.0)
    rate = max(c.FOLLOW, 2.0 * inverse)
    pool[1][1] += min(span, c.WATCHED_MS)
    is_usual = (abs(point) <= of_point) & (abs(short) <= of_short) & (abs(long) <= of_long)
    is_still, run = abs(point) <= c.STILL * of_point, float(hot[row, _RUN])
    if is_usual & (count > c.LEARN):
        pool[0][0, 0] += c.ONE
        if not is_still:
            _narrow(row, of_point, of_short, of_long, rate, hot)
    else:
        odd, edges = (point, short, long), (of_point, of_short, of_long)
        is_burst = (run != 0.0) & (wide_edge < c.FAINT * floor) & (not is_still)
        _judge(
            i, row, odd, edges, floor, is_still, is_burst, count, rate, t, quiet, hot, pool, scores
        )
    wide_next = _follow(wide_edge, abs(came), rate)
    if abs(run) >= c.AWAY and count < c.YOUNG:
        wide_next = min(wide_next, wide_edge)
    found = _rhythm(row, seconds, np.float64(hot[row, _STEP]), hot)
    _fill(row, season, came, wide_edge, hot)
    near += 1 / c.NEAR * _bounded(point, _reach(of_point, wide_edge, floor))
    drift = max(inverse, 1 / c.LEVEL) * _bounded(came, wide_edge)
    trend = np.float64(hot[row, _TREND])
    trend += c.TREND / c.LEVEL * (drift - trend)
    drift += trend
    near, bar = near - drift, max(wide_next, floor)
    run = _run_on(run, came, bar)
    hot[row, _WIDE_EDGE] = wide_next
    hot[row, _COUNT] = min(count + 1.0, 16_777_216.0)
    if abs(run) < c.SHIFT:
        _settle(row, near, short, long, trend, run, hot)
        levels[row] = level + drift
        return found
    _settle(row, 0.0, short - near, long - near, 0.0, 0.0, hot)
    levels[row] = level + (drift + near)
    if count >= c.YOUNG and abs(came) <= c.BELIEVED * bar:
        return found | _SHIFT
    _begin_anew(row, x, 0.0, levels, hot, cold, profile)
    return found | _SHIFT | _LEARNING


@inlined
def _edge(row: int, edge: int, floor: float, hot: Singles) -> float:
    return max(np.float64(hot[row, edge]), floor)


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
def _narrow(
    row: int, of_point: float, of_short: float, of_long: float, rate: float, hot: Singles
) -> None:
    """Nothing was beyond an edge."""
    rest = 1.0 - rate * c.RARE
    hot[row, _POINT_EDGE] = of_point * rest
    hot[row, _SHORT_EDGE] = of_short * rest
    hot[row, _LONG_EDGE] = of_long * rest


@inlined
def _reach(of_point: float, wide_edge: float, floor: float) -> float:
    """How far the near level may be moved."""
    return of_point if wide_edge >= c.FAINT * floor else min(of_point, wide_edge)


@inlined
def _settle(
    row: int, near: float, short: float, long: float, trend: float, run: float, hot: Singles
) -> None:
    hot[row, _NEAR] = near
    hot[row, _SHORT] = short
    hot[row, _LONG] = long
    hot[row, _TREND] = trend
    hot[row, _RUN] = run
