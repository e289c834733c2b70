"""How durations are spread, in bins that are as wide for short ones as for long ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "bins_of", "quantile_s"]

# The first bin ends at a tenth of a millisecond, each further one a twelfth of an octave (6 %)
# later; the last is of all that took longer than 104 seconds.
_FIRST_NS, _OF_OCTAVE, _OCTAVES = 1e5, 12, 20
BINS = _OF_OCTAVE * _OCTAVES + 2
_EDGES_S = _FIRST_NS / 1e9 * 2 ** (np.arange(-1, BINS) / _OF_OCTAVE)


def bins_of(duration: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The bin of each duration, in nanoseconds; never outside of `BINS`."""
    octaves = np.log2(np.maximum(duration, _FIRST_NS / 2) / _FIRST_NS)
    bins = np.maximum(np.minimum(np.ceil(octaves * _OF_OCTAVE), BINS - 1), 0)
    found: NDArray[np.uint8] = bins.astype(np.uint8)
    return found


def quantile_s(counts: NDArray[Any], share: float) -> NDArray[np.float64]:
    """Below what so large a share of the durations of each of R rows (R, `BINS`) lies, in seconds.

    Within a bin they are taken to lie evenly on a scale of logarithms. A row has to have some.
    """
    total = np.cumsum(counts, axis=1, dtype=np.float64)
    wanted = share * total[:, -1:]
    place = np.argmax(total >= wanted, axis=1)
    rows = np.arange(len(counts))
    inside = counts[rows, place].astype(np.float64)
    before = total[rows, place] - inside
    part = np.where(inside > 0, (wanted[:, 0] - before) / np.maximum(inside, 1), 1.0)
    low, high = _EDGES_S[place], _EDGES_S[place + 1]
    found: NDArray[np.float64] = low * (high / low) ** part
    return found
