"""The models of the baseline as the operator's scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns, SeriesKind
from detector.stream.scoring import Arrays, Scored
from models.anomaly.forgetting import forget
from models.anomaly.score import step
from models.anomaly.scored import Flag, Settings
from models.baseline.layout import Kind
from models.baseline.room import Room
from models.baseline.state import ROWS, SHARED, State, empty, from_arrays

__all__ = ["ModelScorer"]

_KINDS = {
    SeriesKind.GAUGE: Kind.GAUGE,
    SeriesKind.CUMULATIVE: Kind.CUMULATIVE,
    SeriesKind.DELTA: Kind.DELTA,
}
_SILENT = np.uint8(Flag.LATE | Flag.DUPLICATE | Flag.INVALID | Flag.STALE | Flag.LEARNING)
_POOL = sorted(SHARED - {"version"})


class ModelScorer:
    """`Scorer`; its state lies in room for more series than there are, so that growing is cheap."""

    def __init__(
        self, settings: Settings, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """With `arrays` it goes on from there, in their memory."""
        self._settings = settings
        held = empty(0) if arrays is None else from_arrays(arrays, are_given=True)
        self._pool = {name: getattr(held, name) for name in _POOL}
        self._room = Room(ROWS, {name: getattr(held, name) for name in ROWS})
        self._state = self._viewed()

    def go_by(self, settings: Settings) -> None:
        """Judge what comes from now on by others."""
        self._settings = settings

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Add rows."""
        old = self._room.size
        self._room.grow(len(kinds))
        self._state = self._viewed()
        self._state.kind[old:] = [_KINDS[kind] for kind in kinds]

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """Give rows that were forgotten to others."""
        forget(self._state, self._room, rows)
        self._state.kind[rows] = [_KINDS[kind] for kind in kinds]

    def forget(self, rows: NDArray[np.int32]) -> None:
        """Clear rows."""
        forget(self._state, self._room, rows)

    def score(self, columns: Columns) -> Scored:
        """Judge samples and learn from them."""
        found = step(self._state, columns.series, columns.at, columns.value, self._settings)
        is_usable = (found.flag & _SILENT) == 0
        return Scored(
            value=found.value,
            expected=found.expected,
            low=found.low,
            high=found.high,
            surprise=found.surprise,
            p_value=found.p_value,
            side=found.side,
            is_usable=is_usable & np.isfinite(found.expected),
        )

    def to_arrays(self) -> Arrays:
        """The rows in use, and what is of all of them."""
        return self._state.to_arrays()

    def _viewed(self) -> State:
        return State(**self._room.views(), **self._pool)
