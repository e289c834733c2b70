"""Lines and spans by step as samples of the stream, and zeros where none came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns
from pipelines.flows.logs_record import Counted
from pipelines.stores.own import STEP_MS

__all__ = ["QUIET_MS", "Rates", "joined"]

# Of what does not come any more so many zeros are told; below a day, after which the stream may
# forget a series.
QUIET_MS = 6 * 3_600_000
# After a pause, as of a restart, so much of it is told as zeros.
_MOST_BACK_MS = 600_000
_PREFIX = "rates."


class Rates:
    """What came of each series in the step that is open; its state is plain arrays."""

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]] | None = None, *, step_ms: int = STEP_MS
    ) -> None:
        self._step = step_ms
        held = arrays or {}
        ids = held.get(_PREFIX + "ids", np.zeros(0, np.int32)).tolist()
        sums = held.get(_PREFIX + "sums", np.zeros(0)).tolist()
        seen = held.get(_PREFIX + "seen", np.zeros(0, np.int64)).tolist()
        self._sums: dict[int, float] = dict(zip(ids, sums, strict=True))
        self._seen: dict[int, int] = dict(zip(ids, seen, strict=True))
        marks = held.get(_PREFIX + "marks", np.zeros(1, np.int64))
        self.newest = int(marks[0])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that is held."""
        return {
            _PREFIX + "ids": np.array(list(self._sums), np.int32),
            _PREFIX + "sums": np.array(list(self._sums.values()), np.float64),
            _PREFIX + "seen": np.array(list(self._seen.values()), np.int64),
            _PREFIX + "marks": np.array([self.newest], np.int64),
        }

    def take(self, counted: Counted) -> Columns | None:
        """Add what came; the samples of the steps that are over, None without any."""
        found = self._closed(counted.taken - counted.taken % self._step)
        ids, values = counted.rates.arrays()
        for id, value in zip(ids.tolist(), values.tolist(), strict=True):
            self._sums[id] = self._sums.get(id, 0.0) + value
            self._seen[id] = counted.taken
        return found

    def __len__(self) -> int:
        return len(self._sums)

    def _closed(self, end: int) -> Columns | None:
        if not self.newest:
            self.newest = end
        if end <= self.newest:
            return None
        first, step = self.newest + self._step, self._step
        rest = np.arange(max(first + step, end - _MOST_BACK_MS), end + 1, step)
        self.newest = end
        if not self._sums:
            return None
        found = self._samples(np.concatenate([[first], rest]).astype(np.int64))
        self._sums = {id: 0.0 for id, seen in self._seen.items() if seen > end - QUIET_MS}
        self._seen = {id: self._seen[id] for id in self._sums}
        return found

    def _samples(self, ends: NDArray[np.int64]) -> Columns:
        """What came in the first of some steps, and zeros for the others."""
        ids = np.array(list(self._sums), np.int32)
        value = np.zeros((len(ends), len(ids)))
        value[0] = list(self._sums.values())
        return Columns(
            series=np.tile(ids, len(ends)), at=np.repeat(ends, len(ids)), value=value.ravel()
        )


def joined(*parts: Columns | None) -> Columns | None:
    """Samples of several in the order of their times, None without any."""
    found = [part for part in parts if part is not None]
    if len(found) < 2:
        return found[0] if found else None
    at = np.concatenate([part.at for part in found])
    order = np.argsort(at, kind="stable")
    return Columns(
        series=np.concatenate([part.series for part in found])[order],
        at=at[order],
        value=np.concatenate([part.value for part in found])[order],
    )
