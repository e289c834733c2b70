"""Rows by key: each key has a row of its own, as long as there is room."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.mixing import mixed

__all__ = ["NO_ROW", "Rows", "no_rows", "row_of", "rows_of"]

NO_ROW = -1


class Rows(NamedTuple):
    """`keys` int64 (R,) by row, `places` int32 a hash table of rows, `used` (1,) how many are."""

    keys: NDArray[np.int64]
    places: NDArray[np.int32]
    used: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.used[0])


def no_rows(most: int) -> Rows:
    """None yet, and room for so many."""
    return Rows(
        keys=np.zeros(most, dtype=np.int64),
        places=np.full(1 << (2 * most - 1).bit_length(), NO_ROW, dtype=np.int32),
        used=np.zeros(1, dtype=np.int64),
    )


def rows_of(keys: NDArray[np.int64], most: int) -> Rows:
    """Rows for some keys, each of which is there once, in their order."""
    rows = no_rows(most)
    _fill(keys, rows)
    return rows


@uncounted
def _fill(keys: NDArray[np.int64], rows: Rows) -> None:
    for place in range(len(keys)):
        row_of(keys[place], rows)


@uncounted
def row_of(key: int, rows: Rows) -> int:
    """The row of a key, a new one if need be; `NO_ROW` where there is no room for one."""
    mask = np.uint64(len(rows.places) - 1)
    here = mixed(np.uint64(key)) & mask
    while rows.places[here] >= 0:
        row = int(rows.places[here])
        if rows.keys[row] == key:
            return row
        here = (here + np.uint64(1)) & mask
    row = int(rows.used[0])
    if row >= len(rows.keys):
        return NO_ROW
    rows.keys[row] = key
    rows.places[here] = row
    rows.used[0] = row + 1
    return row
