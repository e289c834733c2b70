"""What is kept of every series beside its model: whose it is, when it came last, what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly.score import threshold
from models.baseline.room import Column, Room

__all__ = ["FIELDS", "GONE", "Tracks"]

# In place of when a series came last: it is forgotten, and its row is for another one.
GONE = -1
# The columns that are kept.
FIELDS: Mapping[str, Column] = {
    "subject": Column(dtype=np.int32),
    "heard": Column(dtype=np.int32),
    "shift": Column(dtype=np.float32),
    "normal": Column(dtype=np.uint16),
    "real": Column(dtype=np.uint16),
}
_FOLLOWING = {"is_out": Column(dtype=np.bool_)}


class Tracks:
    """One row per series.

    `heard` is the hour of the stream (a count of hours that had samples) in which it last had
    one, `GONE` for a row whose series is forgotten; `shift` is what people's feedback added to the
    surprise that an alarm needs (decades), `normal` and `real` how often they gave it. `level` is
    the surprise that a series without feedback needs, and `is_out` says which series are out of
    their range: these follow from the rest and are not kept.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.level: float = np.inf
        self._room = Room({**FIELDS, **_FOLLOWING}, _whole(arrays) if arrays else None)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The rows of a column; a view until rows are added."""
        return self._room[name]

    @property
    def size(self) -> int:
        """How many rows there are, those for other series among them."""
        return self._room.size

    def needed(self, series: NDArray[np.int32] | int) -> NDArray[np.float32]:
        """The surprise that some series need to alarm."""
        needed: NDArray[np.float32] = np.float32(self.level) + self["shift"][series]
        return needed

    def add(self, subjects: NDArray[np.int32], hour: int) -> None:
        """Rows for new series, which are heard of in this hour."""
        old = self.size
        self._room.grow(len(subjects))
        self["subject"][old:] = subjects
        self["heard"][old:] = hour

    def begin(self, series: NDArray[np.int32], subjects: NDArray[np.int32], hour: int) -> None:
        """Rows of series that are forgotten become those of new ones."""
        self._room.clear(series)
        self["subject"][series] = subjects
        self["heard"][series] = hour

    def counted(self, series: NDArray[np.int32], hour: int) -> None:
        """These had samples in this hour."""
        self["heard"][series] = hour

    def live(self, first: int) -> int:
        """How many series had samples in this hour or later."""
        return int((self["heard"] >= first).sum())

    def silent(self, before: int) -> NDArray[np.int32]:
        """Series that had their last sample before an hour, and no feedback of people."""
        heard = self["heard"]
        rows = np.flatnonzero((heard < before) & (heard != GONE)).astype(np.int32)
        silent: NDArray[np.int32] = rows[(self["normal"][rows] == 0) & (self["real"][rows] == 0)]
        return silent

    def share(self, live: int, alarms_a_week: float) -> None:
        """Give each of the live series an equal part of the alarms that are accepted in a week."""
        self.level = threshold(alarms_a_week, live) if live else np.inf


def _whole(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Kept columns, with those that follow from others; what is zero takes no memory."""
    size = len(arrays["subject"])
    whole = {name: column.made(size) for name, column in {**FIELDS, **_FOLLOWING}.items()}
    for name in FIELDS:
        if arrays[name].any():
            whole[name][:] = arrays[name]
    return whole
