"""Rows of services as the stream's operator judges samples: by their chance, and how rare it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.fitted.unit import TOLD_P
from detector.stream.columns import Columns, SeriesKind
from detector.stream.scoring import Arrays, Scored
from models.anomaly.multivariate.rarity import Rarity, bin_of, score_of
from models.baseline.room import Column, Room

__all__ = ["RowScorer"]

# An excursion is over after so many rows that are not odd: the stream's own.
_CALM_ROWS = 3
# Decades: what a usual row has, and the least of one that is out of its range.
_USUAL, _RANGE = 0.3, 3.0
_WEEK_S = 604_800.0
_COLUMNS = {
    # Where the excursion that is under way has got to, -1 for none, and calm rows since.
    "reached": Column(dtype=np.int16, fill=-1),
    "calm": Column(dtype=np.int16),
}
_RARITY = ("counts", "weeks")


class RowScorer:
    """`Scorer`: a sample is a row of a service, its value what `row` says of it beforehand.

    The value is the chance in decades, so that 3 is one in a thousand.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
        """With `arrays` it goes on from there."""
        held = None if arrays is None else {name: arrays[name].copy() for name in _COLUMNS}
        self._rows, self.rarity = Room(_COLUMNS, held), Rarity()
        if arrays is not None:
            self.rarity = Rarity(arrays["counts"], float(arrays["weeks"][0]))
        self._told: deque[tuple[float, float]] = deque()

    def row(self, p_value: float, step_s: float) -> float:
        """A row that is judged next, in the order in which they are told; its value."""
        self._told.append((p_value, step_s))
        return score_of(p_value)

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Rows for new services."""
        self._rows.grow(len(kinds))

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """Rows that were forgotten are others'."""
        self._rows.clear(rows)

    def forget(self, rows: NDArray[np.int32]) -> None:
        """Services that nobody heard of for long."""
        self._rows.clear(rows)

    def score(self, columns: Columns) -> Scored:
        """Judge rows in their order, and count them."""
        pairs = zip(columns.series.tolist(), columns.value.tolist(), strict=True)
        surprise, chance = np.empty((2, len(columns)))
        for at, (number, score) in enumerate(pairs):
            chance[at], step_s = self._told.popleft()
            surprise[at] = self.rarity.surprise(score, _WEEK_S / step_s)
            self.rarity.watched(step_s / _WEEK_S, self._rows.size)
            self._count(number, chance[at], score)
        return Scored(
            value=columns.value,
            expected=np.full(len(columns), _USUAL),
            low=np.zeros(len(columns)),
            high=np.full(len(columns), _RANGE),
            surprise=surprise.astype(np.float32),
            p_value=chance.astype(np.float32),
            side=(chance <= TOLD_P).astype(np.int8),
            is_usable=np.ones(len(columns), np.bool_),
        )

    def to_arrays(self) -> Arrays:
        """All state."""
        told = {"counts": self.rarity.counts, "weeks": np.array([self.rarity.weeks])}
        return {**self._rows.views(), **told}

    def _count(self, number: int, chance: float, score: float) -> None:
        """How far the excursion of a service has got, once for each."""
        reached, calm = self._rows["reached"], self._rows["calm"]
        if chance > TOLD_P:
            calm[number] += 1
            if calm[number] >= _CALM_ROWS:
                reached[number], calm[number] = -1, 0
            return
        calm[number] = 0
        here = bin_of(score)
        if here > reached[number]:
            self.rarity.rose(int(reached[number]), here)
            reached[number] = here
