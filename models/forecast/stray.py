"""Values that are none of a series: what an overflow or a register that was never set leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["strays"]

Floats = NDArray[np.float64]
# So many times as far from the middle as 98 of 100 values are.
_TIMES, _MOST = 1e6, 0.98
# Above it a number of floating point counts nothing any more.
_COUNTED = 2.0**53


def strays(values: Floats) -> NDArray[np.bool_]:
    """Which values cannot be of this series: (n,). What is NaN is none of them.

    >>> strays(np.array([5.0, 7, 6, 2.0**63, np.nan])).tolist()
    [False, False, False, True, False]
    """
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), dtype=bool)
    middle = float(np.median(values[known]))
    off = np.abs(values - middle)
    # The comparison with what is NaN is false.
    found: NDArray[np.bool_] = off > _TIMES * _usual(off[known], middle)
    return found


def _usual(off: Floats, middle: float) -> float:
    """How far from the middle values usually are; of a constant, by what it is."""
    usual = max(float(np.quantile(off, _MOST, method="lower")), abs(middle))
    if usual > 0:
        return usual
    moved = off[off > 0]
    return min(float(np.median(moved)), _COUNTED / _TIMES) if len(moved) else 0.0
