"""Edges and tails of statistics, compiled: how far out a number is, and what is learned of it."""

from __future__ import annotations

from math import frexp

import numpy as np

from models.anomaly import tuning as c
from models.anomaly.columns import Singles
from models.compiling import inlined

__all__ = ["bounded", "follow", "weigh"]

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
def follow(over: float, odd: float, early: bool, inverse: float) -> float:
    """Where an edge moves so that a share `RARE` stays beyond it; at first to twice the mean."""
    if early:
        return over + (2.0 * odd - over) * inverse
    rate = max(c.FOLLOW, 2.0 * inverse)
    return over * (1.0 + rate * (1.0 - c.RARE) if odd > over else 1.0 - rate * c.RARE)


@inlined
def weigh(
    row: int, edge: int, odd: float, floor: float, count: float, inverse: float, hot: Singles
) -> float:
    """Nats by which a statistic is beyond its edge; edge and tail then learn from it."""
    early = count < c.LEARN
    over = max(np.float64(hot[row, edge]), floor)
    tail = c.TAIL if count <= c.LEARN else np.float64(hot[row, edge + 1])
    nats = 0.0
    if odd > over and not early:
        excess = _ln(odd / over)
        nats = excess / tail
        seen = min(c.RARE * (count - c.LEARN) + c.TAIL_PRIOR, c.TAIL_MEMORY)
        tail = max(tail + (min(excess, c.TAIL_MOST * tail) - tail) / seen, c.TAIL_LEAST)
    if not early:
        hot[row, edge + 1] = tail
    hot[row, edge] = follow(over, odd, early, inverse)
    return nats


@inlined
def bounded(odd: float, edge: float, early: bool) -> float:
    """A deviation, no larger than an outlier may teach."""
    most = c.CLIP * edge
    return odd if early else min(max(odd, -most), most)
