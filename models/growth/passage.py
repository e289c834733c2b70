"""When futures first reach a bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_share", "passages"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def passages(paths: Floats, bound: Floats, last: Floats | float, *, again: int = 0) -> Floats:
    """In which step each future first reaches the bound, with its part: (count,), inf for never.

    `paths` (count, H), `bound` (H,) or (count, H), `last`: the value before the first step. A step
    is passed evenly from the value before it to its own. With `again`, a step counts only if one of
    so many that follow reaches the bound too, and it counts from its beginning; the last `again`
    steps are only looked at for that.

    >>> passages(np.array([[1.0, 3, 5], [1, 1, 1]]), np.full(3, 4.0), 0.0).tolist()
    [2.5, inf]
    >>> passages(np.array([[5.0, 1, 1, 5, 5]]), np.full(5, 4.0), 0.0, again=2).tolist()
    [3.0]
    """
    reached = paths >= bound
    if again:
        reached = _again(reached, again)
    first = np.argmax(reached, axis=1)
    row = np.arange(len(paths))
    part = np.zeros(len(paths)) if again else _part(paths, bound, last, row, first)
    found: Floats = np.where(reached[row, first], first + part, np.inf)
    return found


def _again(reached: NDArray[np.bool_], again: int) -> NDArray[np.bool_]:
    """Which are followed by another within `again` steps."""
    sums = np.cumsum(np.pad(reached, ((0, 0), (1, again))), axis=1)
    size = reached.shape[1]
    later: Ints = sums[:, 1 + again : 1 + again + size] - sums[:, 1 : 1 + size]
    followed: NDArray[np.bool_] = reached & (later > 0)
    return followed


def _part(
    paths: Floats,
    bound: Floats,
    last: Floats | float,
    row: Ints,
    at: Ints,
) -> Floats:
    """How far into its step each has reached it."""
    value = paths[row, at]
    before = np.where(at > 0, paths[row, np.maximum(at - 1, 0)], last)
    level = np.broadcast_to(bound, paths.shape)[row, at]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part = (level - before) / (value - before)
    inside: Floats = np.where(value > before, np.clip(part, 0.0, 1.0), 0.0)
    return inside


def by_share(found: Floats, share: float) -> float:
    """By when this share of the futures has passed: inf where fewer ever do.

    >>> by_share(np.array([3.0, 1, np.inf, 2]), 0.5), by_share(np.array([1.0, np.inf]), 0.9)
    (2.0, inf)
    """
    return float(np.quantile(found, share, method="inverted_cdf"))
