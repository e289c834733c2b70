"""How many templates there are of a key: of a shape, or of all that is behind a first word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel, kernel_index
from models.templates.families import grown, table_for

__all__ = ["Tallied"]

_NONE = np.zeros(0, np.uint64)


class Tallied:
    """Counts by key; of key 0 nothing is counted."""

    def __init__(self, keys: NDArray[np.uint64] = _NONE) -> None:
        self._counts = table_for(len(keys))
        self._keys = kernel_index.tally(self._counts, keys)

    def of(self, key: np.uint64) -> int:
        """How many there are."""
        return max(kernel.find(self._counts, key), 0) if key else 0

    def enter(self, key: np.uint64) -> int:
        """One more; how many there are now."""
        if not key:
            return 0
        count = self.of(key) + 1
        if count == 1:
            self._keys += 1
            if 2 * self._keys > len(self._counts[0]):
                self._counts = grown(self._counts)
        kernel.put(self._counts, key, count)
        return count

    def leave(self, key: np.uint64) -> None:
        """One fewer."""
        count = self.of(key)
        if count > 1:
            kernel.put(self._counts, key, count - 1)
        elif count == 1:
            kernel.drop(self._counts, key)
            self._keys -= 1
