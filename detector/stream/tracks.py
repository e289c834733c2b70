"""What is kept of every series beside its model: whose it is, how often it comes, what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIELDS", "Tracks"]

HOURS_A_WEEK = 168.0
# Names and types of the arrays, as they are kept.
FIELDS: dict[str, np.dtype[Any]] = {
    "subject": np.dtype(np.int32),
    "shift": np.dtype(np.float32),
    "normal": np.dtype(np.uint16),
    "real": np.dtype(np.uint16),
    "count": np.dtype(np.uint32),
    "rate": np.dtype(np.float32),
}
_ROOM = 1024


def _empty(name: str) -> NDArray[Any]:
    return np.zeros(_ROOM, FIELDS[name])


@dataclass(slots=True)
class Tracks:
    """One row per series; arrays have room for more rows than are in use.

    `shift` is what people's feedback added to the evidence that an alarm needs (decades), `normal`
    and `real` how often they gave it. `count` are samples since the last tick, `rate` samples per
    hour before it. `needed` is the evidence that an alarm needs, and follows from the others;
    `is_out` says which series are out of their range.
    """

    size: int = 0
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

    def _make_room(self, rows: int) -> None:
        more = rows - len(self.needed)
        for name, array in self.arrays.items():
            self.arrays[name] = np.concatenate([array, np.zeros(more, array.dtype)])
        self.needed = np.concatenate([self.needed, np.full(more, np.inf, np.float32)])
        self.is_out = np.concatenate([self.is_out, np.zeros(more, np.bool_)])

    def counted(self, series: NDArray[np.int32]) -> None:
        """Count samples."""
        np.add.at(self.arrays["count"], series, np.uint32(1))

    def tick(self, hours: float) -> int:
        """Take the counts of so many hours as the rhythm; how many series there were."""
        count, rate = self["count"], self["rate"]
        live = count > 0
        rate[live] = (count[live] / hours).astype(np.float32)
        count[:] = 0
        return int(live.sum())

    def share(self, live: int, alarms_a_week: float) -> None:
        """Give each series an equal part of the alarms that are accepted in a week."""
        if not live:
            return
        weekly = self["rate"].astype(np.float64) * (HOURS_A_WEEK * live / alarms_a_week)
        with np.errstate(divide="ignore"):
            evidence = np.maximum(np.log10(weekly), 0.0) + self["shift"]
        self.needed[: self.size] = np.where(self["rate"] > 0, evidence, np.inf)
