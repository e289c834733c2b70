"""Retained bins: one row per cell (what a pod's series of a kind add up to), one column per bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray

__all__ = ["Cells"]


class Cells:
    """A growing matrix of float32; columns are the bins `first .. first + width - 1`."""

    def __init__(self, *, first: int, fill: float) -> None:
        self.first, self.width, self.count = first, 0, 0
        self._fill = fill
        self._at = 0
        self._held: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def add(self) -> int:
        """A new cell; its earlier bins hold the fill value."""
        self.count += 1
        if self.count > len(self._held):
            self._resize(max(16, self.count + self.count // 4), self._held.shape[1])
        return self.count - 1

    def append(self, values: FloatArray) -> None:
        """Add columns for all cells."""
        more = values.shape[1]
        end = self._at + self.width + more
        if end > self._held.shape[1]:
            self._resize(len(self._held), self.width + more + max(16, self.width // 8))
            end = self.width + more
        self._held[: self.count, end - more : end] = values
        self._held[self.count :, end - more : end] = self._fill
        self.width += more

    def drop_before(self, bin_: int) -> None:
        """Forget the columns before a bin."""
        gone = min(max(bin_ - self.first, 0), self.width)
        self.first, self.width, self._at = self.first + gone, self.width - gone, self._at + gone
        if self._held.shape[1] > self.width + 48:
            self._resize(self.count, self.width + 16)

    def rows(self, which: NDArray[np.int64]) -> FloatArray:
        """The retained bins of some cells, (cells, width), as float64."""
        return self._held[which, self._at : self._at + self.width].astype(np.float64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._held.nbytes

    def _resize(self, rows: int, columns: int) -> None:
        columns = max(columns, self.width)
        held = np.full((rows, columns), self._fill, np.float32)
        both = min(rows, len(self._held))
        held[:both, : self.width] = self._held[:both, self._at : self._at + self.width]
        self._held, self._at = held, 0
