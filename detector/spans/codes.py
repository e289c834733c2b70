"""Small whole numbers that stand for something, counted without being sorted where they are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["counted"]

# So many more than there are codes may be possible before sorting is cheaper than a table.
_FEW = 65_536


def counted(
    codes: NDArray[np.int64], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which of the codes 0 to `most` are there, where each of N is among them, and how often each.

    >>> found, places, counts = counted(np.array([7, 3, 7]), 10)
    >>> found.tolist(), places.tolist(), counts.tolist()
    ([3, 7], [1, 0, 1], [1, 2])
    """
    if most > 4 * len(codes) + _FEW:
        found, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
        return found, inverse, counts
    counts = np.bincount(codes, minlength=most)
    found = np.flatnonzero(counts)
    places = np.zeros(most, dtype=np.int64)
    places[found] = np.arange(len(found))
    return found, places[codes], counts[found]
