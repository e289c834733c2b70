"""Numbers mixed, so that whoever does not know the seed cannot tell where they fall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted

__all__ = ["mixed", "mixed_trace", "mixed_traces"]

_K1, _K2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S1, _S2, _S3 = np.uint64(30), np.uint64(27), np.uint64(31)


@uncounted
def mixed(number: np.uint64) -> np.uint64:
    """The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): one to one."""
    number = (number ^ (number >> _S1)) * _K1
    number = (number ^ (number >> _S2)) * _K2
    return number ^ (number >> _S3)


@uncounted
def mixed_trace(high: np.uint64, low: np.uint64, seed: np.uint64) -> np.uint64:
    """A trace id of two numbers as one, never 0."""
    found = mixed(mixed(high ^ seed) + low)
    return found if found != np.uint64(0) else np.uint64(1)


def mixed_traces(trace: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Trace ids of two numbers each, (N, 2), as one number each."""
    wholes = np.zeros(len(trace), dtype=np.uint64)
    _mix(trace, np.uint64(seed), wholes)
    return wholes


@uncounted
def _mix(trace: NDArray[np.uint64], seed: np.uint64, wholes: NDArray[np.uint64]) -> None:
    for row in range(len(trace)):
        wholes[row] = mixed_trace(trace[row, 0], trace[row, 1], seed)
