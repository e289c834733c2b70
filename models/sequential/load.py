"""How a unit's response grows with its load, learned from the reference group as its load falls.

A unit that carries twice the load may be slower for that alone. When traffic moves away from the
reference its load falls, and its response with it: what was saved says what the load had cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Usual", "allowance", "usual"]

Array = NDArray[np.float64]

# Blocks of history that tell how far the mean wanders by itself.
_FEWEST_BLOCKS = 6
# No further beyond the highest load ever seen of a unit: nobody knows where it saturates.
_BEYOND = 1.25
# A load that has hardly fallen teaches nothing; nor may a unit come near to saturation.
_FALLEN, _SATURATED = 0.95, 0.9
# Any service may be used by so much at its usual load, and need so much more per log load besides.
_USED, _ELASTIC = 0.25, 0.05
# A response that may double is no yardstick.
_MOST = float(np.log(2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What units of the reference group were before: `load` requests/s each, `most` the highest.

    `mean`: log response, `spread`: sd of it from block to block.
    """

    load: float
    most: float
    mean: float
    spread: float


def usual(counts: Array, middles: Array, seconds: float) -> Usual | None:
    """From histograms of blocks (K, N, B + 1) that last `seconds`; None of too few blocks.

    `middles` (B + 1,): log response of each bucket.
    """
    served = counts.sum(axis=2)
    each = served / seconds
    total = served.sum(axis=0)
    used = total > 0
    if np.count_nonzero(used) < _FEWEST_BLOCKS:
        return None
    mean = (counts.sum(axis=0)[used] @ middles) / total[used]
    return Usual(
        load=float(each[each > 0].mean()),
        most=float(each.max()),
        mean=float(np.average(mean, weights=total[used])),
        spread=float(mean.std(ddof=1)),
    )


def allowance(before: Usual, mean: Array, load: Array, now: Array, log_ratio: Array) -> Array:
    """Log response that the load of a treated unit may explain, (T, P); inf where none knows.

    `mean`, `load` (T,): log response and requests/s of a unit of the reference lately, `now` (T,)
    its requests/s at this moment, `log_ratio` (T, P) a treated unit's load over it. What the
    reference saved (and two of its own wanderings) is put down to saturation, `-log(1 - u load)`:
    of all responses that saved as much, the one that costs most at a higher load. What it did not
    show is no proof that load is free: something else may have slowed it meanwhile.
    """
    lately, here = load / before.load, now / before.load
    there = here[:, None] * np.exp(log_ratio)
    saved, slack = before.mean - mean, 2 * before.spread
    gain = np.exp(np.maximum(saved + slack, 0.0))
    known = (lately < _FALLEN) & (saved >= -slack)
    used = np.where(known, (gain - 1) / np.where(known, gain - lately, 1.0), 1.0)
    used = np.maximum(used, _USED)[:, None]
    near = (there <= _BEYOND * before.most / before.load) & (used * there < _SATURATED)
    safe = np.where(near, used * there, 0.0)
    cost = np.log1p(-np.minimum(used * here[:, None], 0.99)) - np.log1p(-safe)
    cost += _ELASTIC * log_ratio
    allowed: Array = np.where(near & (cost <= _MOST), cost, np.inf)
    return allowed
