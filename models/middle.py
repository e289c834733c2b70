"""The middle of a few numbers, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Middle", "middle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """Median of `count` numbers with its interval; bounds are infinite where there are too few."""

    count: int
    median: float
    low: float
    high: float


def middle(values: Sequence[float], *, level: float = 0.95) -> Middle | None:
    """Median with a two-sided interval that holds whatever the distribution; None of nothing.

    Both bounds are order statistics, the widest pair whose binomial tails leave out no more than
    `level` allows: David and Nagaraja, *Order Statistics*, section 7.1.

    >>> found = middle([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    >>> found.median, found.low, found.high
    (4.0, 1.0, 7.0)
    """
    if not values:
        return None
    ordered = sorted(values)
    count = len(ordered)
    half = count // 2
    median = ordered[half] if count % 2 else (ordered[half - 1] + ordered[half]) / 2
    cut = _cut(count, (1 - level) / 2)
    low = ordered[cut - 1] if cut else -math.inf
    high = ordered[count - cut] if cut else math.inf
    return Middle(count=count, median=median, low=low, high=high)


def _cut(count: int, tail: float) -> int:
    """How many numbers from either end the bounds are; 0 where even the extremes say too little."""
    # Late: scipy takes a tenth of the start of every process, and few of them ever come by here.
    from scipy.special import bdtr

    cut = 0
    while cut < count // 2 and float(bdtr(cut, count, 0.5)) <= tail:
        cut += 1
    return cut
