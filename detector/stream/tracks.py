"""What is kept of every series beside its model: whose it is, how often it comes, what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly.score import threshold

__all__ = ["FIELDS", "Tracks"]

# Names and types of the arrays, as they are kept.
FIELDS: dict[str, np.dtype[Any]] = {
    "subject": np.dtype(np.int32),
    "shift": np.dtype(np.float32),
    "normal": np.dtype(np.uint16),
    "real": np.dtype(np.uint16),
    "seen": np.dtype(np.bool_),
}
_ROOM = 1024


def _empty(name: str) -> NDArray[Any]:
    return np.zeros(_ROOM, FIELDS[name])


@dataclass(slots=True)
class Tracks:
    """One row per series; arrays have room for more rows than are in use.

    `shift` is what people's feedback added to the surprise that an alarm needs (decades), `normal`
    and `real` how often they gave it; `seen` whether there were samples since the last tick.
    `needed` is the surprise that an alarm needs, `level` that of a series without feedback, and
    `is_out` says which series are out of their range: these follow from the others and are not
    kept.
    """

    size: int = 0
    level: float = np.inf
    arrays: dict[str, NDArray[Any]] = field(
        default_factory=lambda: {name: _empty(name) for name in FIELDS}
    )
    needed: NDArray[np.float32] = field(default_factory=lambda: np.full(_ROOM, np.inf, np.float32))
    is_out: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(_ROOM, np.bool_))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The rows in use of an array."""
        rows: NDArray[Any] = self.arrays[name][: self.size]
        return rows

    def add(self, subjects: NDArray[np.int32]) -> None:
        """Rows for new series."""
        old, self.size = self.size, self.size + len(subjects)
        if self.size > len(self.needed):
            self._make_room(max(self.size, 2 * len(self.needed)))
        self.arrays["subject"][old : self.size] = subjects
        self.needed[old : self.size] = self.level

    def _make_room(self, rows: int) -> None:
        more = rows - len(self.needed)
        for name, array in self.arrays.items():
            self.arrays[name] = np.concatenate([array, np.zeros(more, array.dtype)])
        self.needed = np.concatenate([self.needed, np.full(more, np.inf, np.float32)])
        self.is_out = np.concatenate([self.is_out, np.zeros(more, np.bool_)])

    def counted(self, series: NDArray[np.int32]) -> None:
        """These had samples."""
        self.arrays["seen"][series] = True

    def tick(self) -> int:
        """How many series had samples since the last tick."""
        live = int(self["seen"].sum())
        self["seen"][:] = False
        return live

    def share(self, live: int, alarms_a_week: float) -> None:
        """Give each of the live series an equal part of the alarms that are accepted in a week."""
        self.level = threshold(alarms_a_week, live) if live else np.inf
        self.needed[: self.size] = np.float32(self.level) + self["shift"]
