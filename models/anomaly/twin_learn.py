"""How levels and edges move, in plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.baseline.layout import EMPTY, Cold, Hot
from models.baseline.state import State

__all__ = ["believed", "bounded", "follow", "relearn", "settle"]

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# While a series is learned its tails are not, and hold this.
_FARTHEST, _SECOND, _TRIED = Hot.POINT_TAIL, Hot.SHORT_TAIL, Hot.LONG_TAIL
_COLUMNS = np.array([int(k) for k in Cold if k != Cold.DAYS])
_KEPT = {Hot.COUNT, Hot.STEP, Hot.TYPICAL, Hot.DAY_MAX, Hot.PEAK_ABOVE, Hot.PEAK_BELOW}


def believed(hot: Array, came: Array, edge: Array, early: Bools) -> Array:
    """Early deviations, as far as they are within reach or there were two as large."""
    far = np.abs(came)
    farthest, second = hot[:, _FARTHEST].copy(), hot[:, _SECOND].copy()
    reach = c.BELIEVED * edge
    waits = (far > reach) & (hot[:, Hot.RUN] != 0) & (hot[:, Hot.COUNT] >= c.WAIT)
    most = np.where(waits, c.CLIP * edge, np.maximum(reach, second))
    hot[:, _SECOND] = np.where(early, np.maximum(second, np.minimum(far, farthest)), second)
    hot[:, _FARTHEST] = np.where(early, np.maximum(far, farthest), farthest)
    return np.where(early, np.clip(came, -most, most), came)


def follow(hot: Array, edge: Hot, odd: Array, floor: Array, early: Bools, inverse: Array) -> None:
    """Move an edge so that a share `RARE` stays beyond it; at first to twice the mean."""
    over = np.maximum(hot[:, edge], floor)
    rate = np.maximum(c.FOLLOW, 2.0 * inverse)
    later = over * np.where(odd > over, 1.0 + rate * (1.0 - c.RARE), 1.0 - rate * c.RARE)
    hot[:, edge] = np.where(early, over + (2.0 * odd - over) * inverse, later)


def bounded(odd: Array, edge: Array, early: Bools) -> Array:
    """Deviations, no larger than an outlier may teach."""
    most = c.CLIP * edge
    return np.where(early, odd, np.clip(odd, -most, most))


def settle(
    hot: Array, came: Array, bar: Array, near: Array, drift: Array, level: Array, early: Bools
) -> tuple[Array, Bools]:
    """Levels move, as far as an outlier may move them; where a shift is over, the level jumps."""
    trend = hot[:, Hot.TREND]
    trend = np.where(early, 0.0, trend + c.TREND / c.LEVEL * (drift - trend))
    drift = drift + trend
    run = _run(hot, came, bar)
    near = near - drift
    shifted = (np.abs(run) >= c.SHIFT) & ~early
    jump = np.where(shifted, near, 0.0)
    hot[:, Hot.TREND] = np.where(shifted, 0.0, trend)
    hot[:, Hot.NEAR] = near - jump
    hot[:, Hot.SHORT] -= jump
    hot[:, Hot.LONG] -= jump
    hot[:, Hot.RUN] = np.where(shifted, 0.0, run)
    return level + (drift + jump), shifted


def _run(hot: Array, came: Array, bar: Array) -> Array:
    """Samples in a row beyond the wide edge: above counts up, below counts down."""
    run = hot[:, Hot.RUN]
    return np.select(
        [came > bar, came < -bar], [np.maximum(run, 0.0) + 1.0, np.minimum(run, 0.0) - 1.0], 0.0
    )


def relearn(state: State, rows: Ints, x: Array, count: Array, lost: Bools) -> Bools:
    """Begin anew where what was learned is of another level; where that is so."""
    early = count < c.LEARN
    tried = np.where(early, state.hot[rows, _TRIED].astype(np.float64), 0.0)
    run = np.abs(state.hot[rows, Hot.RUN].astype(np.float64))
    long = np.where(count >= c.AWAY, c.AWAY, c.AWAY_LEAST)
    is_away = (run >= long) & (tried + count < c.LEARN)
    anew: Bools = np.where(early, is_away, lost)
    gone = rows[anew]
    for column in set(Hot) - _KEPT:
        state.hot[gone, column] = 0.0
    state.hot[gone, _TRIED] = np.where(early, tried + count, 0.0)[anew]
    state.hot[gone, Hot.COUNT] = 1.0
    state.level[gone] = x[anew]
    state.cold[np.ix_(gone, _COLUMNS)] = 0.0
    state.profile[gone] = EMPTY
    return anew
