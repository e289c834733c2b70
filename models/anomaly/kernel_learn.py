"""How levels move, compiled: by what is believed of a sample, by jumps, and from the start anew."""

from __future__ import annotations

import numpy as np

from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Shorts, Singles
from models.baseline.layout import EMPTY, SLOTS, Cold, Hot
from models.compiling import inlined

__all__ = ["believed", "relearn", "settle"]

_COUNT, _NEAR, _SHORT, _LONG, _TREND, _RUN = (
    int(h) for h in (Hot.COUNT, Hot.NEAR, Hot.SHORT, Hot.LONG, Hot.TREND, Hot.RUN)
)
# While a series is learned its tails are not, and hold this.
_FARTHEST, _SECOND, _TRIED = int(Hot.POINT_TAIL), int(Hot.SHORT_TAIL), int(Hot.LONG_TAIL)
# What a series keeps when it begins anew.
_KEPT = {Hot.COUNT, Hot.STEP, Hot.TYPICAL, Hot.DAY_MAX, Hot.PEAK_ABOVE, Hot.PEAK_BELOW}
_OWN = tuple(int(h) for h in Hot if h not in _KEPT)
_COLUMNS = tuple(int(k) for k in Cold if k != Cold.DAYS)


@inlined
def believed(row: int, came: float, edge: float, hot: Singles) -> float:
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
def settle(
    row: int,
    came: float,
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
    """Move the level and what is relative to it; whether it jumped."""
    trend = 0.0
    if not early:
        trend = np.float64(hot[row, _TREND])
        trend = trend + c.TREND / c.LEVEL * (drift - trend)
    drift += trend
    run = float(hot[row, _RUN])
    if came > bar:
        run = max(run, 0.0) + 1.0
    elif came < -bar:
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


@inlined
def relearn(
    row: int,
    x: float,
    count: float,
    lost: bool,
    levels: Doubles,
    hot: Singles,
    cold: Singles,
    profile: Shorts,
) -> bool:
    """Begin anew with this sample where what was learned is of another level; whether it is so.

    `lost`: a level was left for good, and its edges may be those of something else.
    """
    run = abs(np.float64(hot[row, _RUN]))
    if run < c.AWAY_LEAST and not lost:
        return False
    tried = 0.0
    if count < c.LEARN:
        tried = np.float64(hot[row, _TRIED])
        if (count >= c.AWAY and run < c.AWAY) or tried + count >= c.LEARN:
            return False
        tried += count
    elif not lost:
        return False
    for column in _OWN:
        hot[row, column] = 0.0
    hot[row, _TRIED] = tried
    hot[row, _COUNT] = 1.0
    levels[row] = x
    _forget(row, cold, profile)
    return True


@inlined
def _forget(row: int, cold: Singles, profile: Shorts) -> None:
    for column in _COLUMNS:
        cold[row, column] = 0.0
    for slot in range(SLOTS):
        profile[row, slot] = EMPTY
