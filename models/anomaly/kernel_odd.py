"""A sample beyond its edges, compiled: how odd it is, on which side, and what that means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_peaks, kernel_stats
from models.anomaly import tuning as c
from models.anomaly.columns import Singles
from models.baseline.layout import Hot
from models.compiling import inlined

__all__ = ["judge"]

_POINT, _SHORT, _LONG = int(Hot.POINT_EDGE), int(Hot.SHORT_EDGE), int(Hot.LONG_EDGE)
_TYPICAL, _DAY_MAX = int(Hot.TYPICAL), int(Hot.DAY_MAX)
_BIN = c.GRAINS // int(c.GRAIN_SCORE)
_weigh, _tell = kernel_stats.weigh, kernel_peaks.tell


@inlined
def judge(
    i: int,
    row: int,
    odd: tuple[float, float, float],
    edges: tuple[float, float, float],
    floor: float,
    is_still: bool,
    is_burst: bool,
    count: float,
    rate: float,
    t: int,
    quiet: int,
    hot: Singles,
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
) -> None:
    """Weigh each statistic, learn its tail, count the score and tell it. Also the first of all."""
    point, short, long = odd
    of_point, of_short, of_long = edges
    a = c.POINT_WEIGHT * _weigh(
        row, _POINT, abs(point), of_point, floor, is_still, is_burst, count, rate, hot
    )
    b = c.SHORT_WEIGHT * _weigh(
        row, _SHORT, abs(short), of_short, floor, is_still, is_burst, count, rate, hot
    )
    d = c.LONG_WEIGHT * _weigh(
        row, _LONG, abs(long), of_long, floor, is_still, is_burst, count, rate, hot
    )
    tilt = np.copysign(a, point) + np.copysign(b, short) + np.copysign(d, long)
    counts, spent = pool[0], pool[1]
    if count == c.LEARN:
        hot[row, _TYPICAL] = c.TYPICAL_FIRST
        spent[2] += 1
    nats = a + b + d
    hot[row, _DAY_MAX] = max(np.float64(hot[row, _DAY_MAX]), nats)
    typical = np.float64(hot[row, _TYPICAL])
    grains = int(min(nats / (c.TYPICAL_BASE + typical) * c.GRAINS, c.GRAINS_MOST))
    counts[0, grains // _BIN] += c.ONE
    if grains > 0:
        _tell(i, row, grains, 1 if tilt >= 0 else -1, t, quiet, hot, pool, scores)
