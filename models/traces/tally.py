"""Calls counted by key: how many, how long together, and how many within each bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.rows import NO_ROW, Rows, no_rows, row_of, rows_of

__all__ = ["Tally", "added", "count_calls", "no_tally", "place_of", "without"]

_MOST = np.iinfo(np.int64).max


class Tally(NamedTuple):
    """R keys: `calls` int64 (R,), `total` int64 (R,) nanoseconds, `last` int64 (R,) milliseconds.

    `within` int64 (R, B + 1): calls up to each of B `bounds` (nanoseconds) and above the one
    before; the last column is of those above all.
    """

    rows: Rows
    calls: NDArray[np.int64]
    total: NDArray[np.int64]
    last: NDArray[np.int64]
    within: NDArray[np.int64]
    bounds: NDArray[np.int64]


def no_tally(most: int, bounds: NDArray[np.int64]) -> Tally:
    """Nothing yet, and room for so many keys."""
    return Tally(
        rows=no_rows(most),
        calls=np.zeros(most, dtype=np.int64),
        total=np.zeros(most, dtype=np.int64),
        last=np.zeros(most, dtype=np.int64),
        within=np.zeros((most, len(bounds) + 1), dtype=np.int64),
        bounds=bounds,
    )


def without(tally: Tally, before: int) -> Tally:
    """A tally of the keys alone that had a call since then."""
    used = len(tally.rows)
    kept = np.flatnonzero(tally.last[:used] >= before)
    most = len(tally.calls)
    new = no_tally(most, tally.bounds)._replace(rows=rows_of(tally.rows.keys[kept], most))
    for name in ("calls", "total", "last", "within"):
        getattr(new, name)[: len(kept)] = getattr(tally, name)[kept]
    return new


@uncounted
def place_of(value: int, bounds: NDArray[np.int64]) -> int:
    """The first bound that a value does not exceed."""
    low, high = 0, len(bounds)
    while low < high:
        middle = (low + high) // 2
        if value <= bounds[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@uncounted
def added(total: int, more: int) -> int:
    """The sum of two numbers that are not negative, or the highest that there is."""
    return total + more if more <= _MOST - total else _MOST


@uncounted
def count_calls(
    keys: NDArray[np.int64],
    duration: NDArray[np.int64],
    is_counted: NDArray[np.bool_],
    at: int,
    tally: Tally,
) -> int:
    """Count the calls that are to be; how many had no room."""
    lost = 0
    for nth in range(len(keys)):
        if not is_counted[nth]:
            continue
        row = row_of(keys[nth], tally.rows)
        if row == NO_ROW:
            lost += 1
            continue
        tally.calls[row] += 1
        tally.total[row] = added(tally.total[row], duration[nth])
        tally.last[row] = at
        tally.within[row, place_of(duration[nth], tally.bounds)] += 1
    return lost
