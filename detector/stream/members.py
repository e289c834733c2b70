"""The series that are counted: in which cell, and what was last seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.room import Column, Room
from models.baseline.state import NEVER

__all__ = ["ROOM", "Members"]

ROOM = 64


_COLUMNS = {
    "series": Column(dtype=np.int32, fill=-1),
    "cell": Column(dtype=np.int32),
    "is_delta": Column(dtype=np.bool_),
    "last": Column(dtype=np.float64, fill=np.nan),
    "seen": Column(dtype=np.int64, fill=NEVER),
}
_PLACES = {"place": Column(dtype=np.int32, fill=-1)}


class Members:
    """The series that are counted: by series its row here, by row what is known of it.

    A row whose series is counted no more is free for another (-1 in `series`).
    """

    def __init__(self) -> None:
        self._rows, self._places = Room(_COLUMNS), Room(_PLACES)

    @property
    def place(self) -> NDArray[np.int32]:
        """By series its row, -1 for none."""
        return self._places["place"]

    @property
    def series(self) -> NDArray[np.int32]:
        """By row its series."""
        return self._rows["series"]

    @property
    def cell(self) -> NDArray[np.int32]:
        """By row where it is counted."""
        return self._rows["cell"]

    @property
    def is_delta(self) -> NDArray[np.bool_]:
        """By row whether its values are what came since the last one."""
        return self._rows["is_delta"]

    @property
    def last(self) -> NDArray[np.float64]:
        """By row its last value."""
        return self._rows["last"]

    @property
    def seen(self) -> NDArray[np.int64]:
        """By row when that was."""
        return self._rows["seen"]

    def fill(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Be these rows, by what is known of them."""
        series = rows["series"]
        self.reach(int(series.max(initial=-1)) + 1)
        self._rows.grow(len(series))
        for name, column in rows.items():
            self._rows[name][:] = column
        self.place[series] = np.arange(len(series))

    def put(self, series: int, cell: int, *, is_delta: bool) -> None:
        """One more, in the row that its number had before."""
        row = int(self.place[series])
        if row < 0:
            self._rows.grow(1)
            row = self._rows.size - 1
        self.series[row], self.place[series] = series, row
        self.cell[row], self.is_delta[row] = cell, is_delta
        self.last[row], self.seen[row] = np.nan, NEVER

    def drop(self, series: int) -> None:
        """It is counted no more, if it was."""
        row = int(self.place[series])
        if row >= 0:
            self.series[row], self.place[series] = -1, -1

    def reach(self, series: int) -> None:
        """Have a place for so many series in all."""
        if series > self._places.size:
            self._places.grow(series - self._places.size)
