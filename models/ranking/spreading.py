"""What of one node's trouble reaches another, over a graph that may go in circles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["reach"]

Array = NDArray[np.float64]
# Longer chains of calls than this pass nothing on that would be told from noise.
_HOPS = 12
_STILL = 1e-9


def reach(passed: Array) -> Array:
    """Probability (n, n) that trouble of the column is felt by the row, over any path.

    `passed[c, d]` is the probability that c feels trouble of d directly. Paths count as if they
    were independent (noisy or), at most twelve hops of them, so circles end. The diagonal is 1.

    >>> reach(np.array([[0.0, 0.5], [0.0, 0.0]])).tolist()
    [[1.0, 0.5], [0.0, 1.0]]
    """
    count = len(passed)
    felt = np.eye(count)
    for _ in range(_HOPS):
        spared = np.zeros((count, count))
        for callee in np.flatnonzero(passed.any(axis=0)):
            spared += np.log1p(
                -np.clip(np.outer(passed[:, callee], felt[callee]), 0.0, 1.0 - 1e-12)
            )
        after = 0.0 - np.expm1(spared)
        np.fill_diagonal(after, 1.0)
        done = float(np.abs(after - felt).max(initial=0.0)) < _STILL
        felt = after
        if done:
            break
    return felt
