"""Increases of counters, added up in cells: one pass over samples, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.baseline.state import NEVER
from models.compiling import uncounted

__all__ = ["GAP_MS", "tally"]

_STALE_BITS = np.uint64(0x7FF0000000000002)
# What grew over a longer gap grew at no known time.
GAP_MS = 600_000
_NEVER, _GAP = int(NEVER), GAP_MS
_LARGEST = 1e15


@uncounted
def tally(  # noqa: PLR0913, PLR0917 - columns
    place: NDArray[np.int32],
    cell: NDArray[np.int32],
    is_delta: NDArray[np.bool_],
    last: NDArray[np.float64],
    seen: NDArray[np.int64],
    most: NDArray[np.float64],
    sums: NDArray[np.float64],
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    bits: NDArray[np.uint64],
) -> None:
    """Add what each sample grew by to the cell of its series, in place.

    `place` (S,): the member that a series is, -1 for none; by member (M,) its `cell`, whether its
    values are increases already, and its `last` value (NaN: a chain that is broken) and when it was
    `seen` (unix ms). `most` (C,): the largest first value that a counter in a cell is believed to
    have reached since it was born; below 0 none is. `bits` are those of `value`: a staleness
    marker breaks the chain, other NaN, late and repeated samples are passed over. A value that fell
    has grown from 0.
    """
    for i in range(len(series)):
        m = place[series[i]]
        if m < 0:
            continue
        if bits[i] == _STALE_BITS:
            last[m] = np.nan
            continue
        t, v = at[i], value[i]
        if not abs(v) <= _LARGEST or (seen[m] != _NEVER and t <= seen[m]):
            continue
        grown = 0.0
        if is_delta[m]:
            grown = max(v, 0.0)
        elif seen[m] == _NEVER:
            if v <= most[cell[m]]:
                grown = v
        elif last[m] == last[m] and t - seen[m] <= _GAP:
            grown = v - last[m] if v >= last[m] else max(v, 0.0)
        last[m] = v
        seen[m] = t
        sums[cell[m]] += grown
