"""The models of the baseline as the operator's scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns, SeriesKind
from detector.stream.scoring import Arrays, Scored
from models.anomaly.score import step
from models.anomaly.scored import Flag, Settings
from models.baseline.layout import Kind
from models.baseline.state import SHARED, empty, from_arrays, grown

__all__ = ["ModelScorer"]

_KINDS = {
    SeriesKind.GAUGE: Kind.GAUGE,
    SeriesKind.CUMULATIVE: Kind.CUMULATIVE,
    SeriesKind.DELTA: Kind.DELTA,
}
_SILENT = np.uint8(Flag.LATE | Flag.DUPLICATE | Flag.INVALID | Flag.STALE | Flag.LEARNING)
_ROOM = 1024


class ModelScorer:
    """`Scorer`; its state has room for more series than there are, so that growing is cheap."""

    def __init__(
        self, settings: Settings, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        self._settings = settings
        self._state = empty(_ROOM) if arrays is None else from_arrays(arrays)
        self._size = 0 if arrays is None else len(self._state)

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Add rows."""
        old, self._size = self._size, self._size + len(kinds)
        if self._size > len(self._state):
            self._state = grown(self._state, max(self._size, 2 * len(self._state)))
        self._state.kind[old : self._size] = [_KINDS[kind] for kind in kinds]

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
            is_usable=is_usable & np.isfinite(found.expected),
        )

    def to_arrays(self) -> Arrays:
        """The rows in use."""
        return {
            name: array if name in SHARED else array[: self._size]
            for name, array in self._state.to_arrays().items()
        }
