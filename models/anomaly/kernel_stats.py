"""Parts of statistics, compiled: how far out a number is, and what edges and hours learn of it."""

from __future__ import annotations

from math import frexp

import numpy as np

from models.anomaly import tuning as c
from models.anomaly.columns import Singles
from models.anomaly.scored import Flag
from models.baseline.layout import Hot
from models.compiling import inlined

__all__ = ["bounded", "fill", "follow", "rhythm", "run_on", "weigh"]

_GAP = int(Flag.GAP)
_STEP, _BIN_SUM, _BIN_COUNT = int(Hot.STEP), int(Hot.BIN_SUM), int(Hot.BIN_COUNT)
_LN2 = 0.6931471805599453


@inlined
def _ln(x: float) -> float:
    """Natural logarithm by arithmetic alone, so that every machine finds the same bits."""
    mantissa, exponent = frexp(x)
    s = (mantissa - 0.75) / (mantissa + 0.75)
    q = s * s
    series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11)))))
    return 2.0 * s * series + (exponent * _LN2 - 0.2876820724517809)


@inlined
def weigh(
    row: int,
    edge: int,
    odd: float,
    over: float,
    floor: float,
    is_still: bool,
    is_burst: bool,
    count: float,
    rate: float,
    hot: Singles,
) -> float:
    """Nats by which a statistic is beyond its edge; edge and tail then learn from it."""
    tail = c.TAIL if count <= c.LEARN else np.float64(hot[row, edge + 1])
    nats = 0.0
    if odd > over:
        excess, next_edge = _ln(odd / over), follow(over, odd, rate)
        if over < c.FAINT * floor and excess > c.LIFT:
            excess, next_edge = c.LIFT, c.LIFTED * odd
        nats = excess / tail
        seen = min(c.RARE * (count - c.LEARN) + c.TAIL_PRIOR, c.TAIL_MEMORY)
        if not is_burst:
            tail = max(tail + (min(excess, c.TAIL_MOST * tail) - tail) / seen, c.TAIL_LEAST)
        hot[row, edge] = next_edge
    elif not is_still:
        hot[row, edge] = follow(over, odd, rate)
    hot[row, edge + 1] = tail
    return nats


@inlined
def follow(over: float, odd: float, rate: float) -> float:
    """Where an edge moves so that a share `RARE` stays beyond it."""
    return over * (1.0 + rate * (1.0 - c.RARE) if odd > over else 1.0 - rate * c.RARE)


@inlined
def bounded(odd: float, edge: float) -> float:
    """A deviation, no larger than an outlier may teach."""
    most = c.CLIP * edge
    return min(max(odd, -most), most)


@inlined
def rhythm(row: int, seconds: float, step: float, hot: Singles) -> int:
    """The usual step follows; whether this one was a gap, as a flag."""
    hot[row, _STEP] = step + c.STEP_RATE * min(seconds - step, step)
    return _GAP if seconds > c.GAP * step else 0


@inlined
def fill(row: int, season: float, wide: float, edge: float, hot: Singles) -> None:
    """An hour is taught, by a sample no farther out than is believed."""
    most = c.HOUR_CLIP * edge
    came = season + min(max(wide, -most), most)
    hot[row, _BIN_SUM] = np.float64(hot[row, _BIN_SUM]) + came
    hot[row, _BIN_COUNT] = np.float64(hot[row, _BIN_COUNT]) + 1.0


@inlined
def run_on(run: float, came: float, bar: float) -> float:
    """Samples in a row beyond the wide edge: above counts up, below counts down."""
    if abs(came) <= bar:
        return 0.0
    return max(run, 0.0) + 1.0 if came > 0.0 else min(run, 0.0) - 1.0
