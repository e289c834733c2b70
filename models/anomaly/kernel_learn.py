"""What a series is before it is judged, compiled: levels and edges by all that came, or anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_stats
from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Shorts, Singles
from models.anomaly.scored import Flag
from models.baseline.layout import EMPTY, SLOTS, Cold, Hot
from models.compiling import inlined

__all__ = ["begin_anew", "learn", "untold"]

_LEARNING = int(Flag.LEARNING)
_COUNT, _STEP, _NEAR, _SHORT, _LONG, _TREND, _RUN = (
    int(h) for h in (Hot.COUNT, Hot.STEP, Hot.NEAR, Hot.SHORT, Hot.LONG, Hot.TREND, Hot.RUN)
)
_POINT_EDGE, _SHORT_EDGE, _LONG_EDGE, _WIDE_EDGE = (
    int(h) for h in (Hot.POINT_EDGE, Hot.SHORT_EDGE, Hot.LONG_EDGE, Hot.WIDE_EDGE)
)
# While a series is learned its tails are not, and hold this.
_FARTHEST, _SECOND, _TRIED = int(Hot.POINT_TAIL), int(Hot.SHORT_TAIL), int(Hot.LONG_TAIL)
# What a series keeps when it begins anew.
_KEPT = {Hot.COUNT, Hot.STEP, Hot.TYPICAL, Hot.DAY_MAX, Hot.PEAK_ABOVE, Hot.PEAK_BELOW}
_OWN = tuple(int(h) for h in Hot if h not in _KEPT)
_COLUMNS = tuple(int(k) for k in Cold if k != Cold.DAYS)
_fill, _rhythm, _run_on = kernel_stats.fill, kernel_stats.rhythm, kernel_stats.run_on


@inlined
def learn(
    row: int, x: float, season: float, seconds: float, count: float, rows: tuple[NDArray[Any], ...]
) -> int:
    """One of the first samples, which teaches all it can; what befell it, as flags."""
    _, _, levels, hot, _, cold, profile = rows
    level = x if count == 0 else levels[row]
    inverse = 1.0 / (count + 1.0)
    floor = c.FLOOR * abs(level) + c.LEAST
    edge = max(np.float64(hot[row, _WIDE_EDGE]), floor)
    came = x - season - level
    wide = _believed(row, came, edge, hot)
    near, short, long = float(hot[row, _NEAR]), float(hot[row, _SHORT]), float(hot[row, _LONG])
    point = wide - near
    short += max(inverse, 1 / c.SHORT) * (wide - short)
    long += max(inverse, 1 / c.LONG) * (wide - long)
    _widen(row, _POINT_EDGE, point, floor, inverse, hot)
    _widen(row, _SHORT_EDGE, short, floor, inverse, hot)
    _widen(row, _LONG_EDGE, long, floor, inverse, hot)
    bar = max(_widen(row, _WIDE_EDGE, wide, floor, inverse, hot), floor)
    step = seconds if count < 2 else float(hot[row, _STEP])
    gap = _rhythm(row, seconds, step, hot)
    _fill(row, season, wide, edge, hot)
    near += max(inverse, 1 / c.NEAR) * point
    drift = max(inverse, 1 / c.LEVEL) * wide
    run = _run_on(np.float64(hot[row, _RUN]), came, bar)
    hot[row, _TREND] = 0.0
    hot[row, _NEAR] = near - drift
    hot[row, _SHORT] = short
    hot[row, _LONG] = long
    hot[row, _RUN] = run
    hot[row, _COUNT] = count + 1.0
    levels[row] = level + drift
    tried = np.float64(hot[row, _TRIED]) + count
    if abs(run) >= (c.AWAY if count >= c.AWAY else c.AWAY_LEAST) and tried < c.LEARN:
        begin_anew(row, x, tried, levels, hot, cold, profile)
    return _LEARNING | (gap if count > 2 else 0)


@inlined
def _believed(row: int, came: float, edge: float, hot: Singles) -> float:
    """An early deviation, as far as it is within reach or there were two as large.

    One beyond reach that follows another to its side may be of another level, and waits.
    """
    far = abs(came)
    farthest, second = np.float64(hot[row, _FARTHEST]), np.float64(hot[row, _SECOND])
    most = max(c.BELIEVED * edge, second)
    if far > c.BELIEVED * edge and hot[row, _RUN] != 0 and hot[row, _COUNT] >= c.WAIT:
        most = c.CLIP * edge
    hot[row, _SECOND] = max(second, min(far, farthest))
    hot[row, _FARTHEST] = max(far, farthest)
    return min(max(came, -most), most)


@inlined
def _widen(row: int, edge: int, odd: float, floor: float, inverse: float, hot: Singles) -> float:
    """An edge that nothing is judged by yet: twice the mean deviation."""
    over = max(np.float64(hot[row, edge]), floor)
    wider = over + (2.0 * abs(odd) - over) * inverse
    hot[row, edge] = wider
    return wider


@inlined
def begin_anew(
    row: int,
    x: float,
    tried: float,
    levels: Doubles,
    hot: Singles,
    cold: Singles,
    profile: Shorts,
) -> None:
    """Begin with this sample, as what was learned is of another level; `tried` were in vain."""
    for column in _OWN:
        hot[row, column] = 0.0
    hot[row, _TRIED] = tried
    hot[row, _COUNT] = 1.0
    levels[row] = x
    for column in _COLUMNS:
        cold[row, column] = 0.0
    for slot in range(SLOTS):
        profile[row, slot] = EMPTY


@inlined
def untold(i: int, scores: tuple[NDArray[Any], ...]) -> None:
    """Of what is not judged no range is told."""
    _, _, _, _, expected, low, high = scores
    expected[i] = np.nan
    low[i] = np.nan
    high[i] = np.nan
