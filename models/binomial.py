"""Exact tails of the binomial distribution, also between whole counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["at_least", "at_most", "plausible"]

Array = NDArray[np.float64]


def at_least(hits: Array, count: Array, chance: Array | float) -> Array:
    """Chance of `hits` or more of `count`; 1 for none. By the incomplete beta function.

    Interpolated counters give counts that are not whole: between them the tail is smooth. Shapes
    broadcast; hits above the count are taken for the count.

    >>> float(at_least(np.array(1.0), np.array(20.0), 0.001).round(4))
    0.0198
    """
    # Late: scipy takes a tenth of the start of every process.
    from scipy.special import betainc

    hits = np.minimum(hits, count)
    first = np.maximum(hits, 1e-12)
    tail: Array = betainc(first, count - hits + 1.0, chance)
    return np.where(hits > 0, tail, 1.0)


def at_most(hits: Array, count: Array, chance: Array | float) -> Array:
    """Chance of `hits` or fewer of `count`; 1 for all of none.

    >>> float(at_most(np.array(0.0), np.array(20.0), 0.1).round(4))
    0.1216
    """
    from scipy.special import betaincc

    hits = np.minimum(hits, count)
    left = count - hits
    tail: Array = betaincc(hits + 1.0, np.maximum(left, 1e-12), chance)
    return np.where(left > 0, tail, 1.0)


def plausible(alpha: float, beta: float, share: float) -> tuple[float, float]:
    """Between what a chance is by a Beta distribution, but for equal tails beyond `share` of it.

    >>> [round(bound, 3) for bound in plausible(2.0, 38.0, 0.9)]
    [0.009, 0.116]
    """
    from scipy.special import betaincinv

    tail = (1.0 - share) / 2.0
    return float(betaincinv(alpha, beta, tail)), float(betaincinv(alpha, beta, 1.0 - tail))
