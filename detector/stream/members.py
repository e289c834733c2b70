"""The series that are counted: in which cell, and what was last seen of each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.baseline.state import NEVER

__all__ = ["ROOM", "Members"]

ROOM = 64


@dataclass(slots=True)
class Members:
    """The series that are counted: by series its row here, by row what is known of it.

    A row whose series is counted no more is free for another (-1 in `series`).
    """

    place: NDArray[np.int32] = field(default_factory=lambda: np.full(ROOM, -1, np.int32))
    series: list[int] = field(default_factory=list)
    cell: NDArray[np.int32] = field(default_factory=lambda: np.zeros(ROOM, np.int32))
    is_delta: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(ROOM, np.bool_))
    last: NDArray[np.float64] = field(default_factory=lambda: np.full(ROOM, np.nan))
    seen: NDArray[np.int64] = field(default_factory=lambda: np.full(ROOM, NEVER))

    def put(self, series: int, cell: int, *, is_delta: bool) -> None:
        """One more, in the row that its number had before."""
        row = int(self.place[series])
        if row < 0:
            row = self._row()
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
        if series > len(self.place):
            more = np.full(2 * series - len(self.place), -1, np.int32)
            self.place = np.concatenate([self.place, more])

    def _row(self) -> int:
        if len(self.series) == len(self.cell):
            self._make_room(2 * len(self.series))
        self.series.append(-1)
        return len(self.series) - 1

    def _make_room(self, rows: int) -> None:
        more = rows - len(self.cell)
        self.cell = np.concatenate([self.cell, np.zeros(more, np.int32)])
        self.is_delta = np.concatenate([self.is_delta, np.zeros(more, np.bool_)])
        self.last = np.concatenate([self.last, np.full(more, np.nan)])
        self.seen = np.concatenate([self.seen, np.full(more, NEVER)])
