"""Arrays that grow, and rings of the last few values."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bools", "Floats", "Ints", "grown", "push", "push_all", "sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T", np.float64, np.int64)


def grown(old: NDArray[T], size: int, fill: float) -> NDArray[T]:
    """The same array with `size` rows; new ones hold `fill`."""
    new = np.full((size, *old.shape[1:]), fill, old.dtype)
    new[: len(old)] = old
    return new


def push(ring: Floats, at: Ints, values: Floats) -> None:
    """Shift the rows `at` of a ring and put one value at their ends."""
    if len(at):
        held = ring[at]
        held[:, :-1] = held[:, 1:]
        held[:, -1] = values
        ring[at] = held


def push_all(ring: Floats, at: Ints, values: Floats) -> None:
    """Shift the rows `at` of a ring and put several values at their ends, (rows, values)."""
    ring[at] = np.concatenate([ring[at], values], axis=1)[:, -ring.shape[1] :]


def sums(groups: Ints, weights: Floats, count: int) -> Floats:
    """Sum of the weights of each group, added up in their order."""
    found: Floats = np.bincount(groups, weights=weights, minlength=count).astype(np.float64)
    return found
