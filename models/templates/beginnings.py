"""How many templates differ in their first word alone, by all that comes behind it."""

from __future__ import annotations

import numpy as np

from models.templates import kernel
from models.templates.families import grown, table
from models.templates.shelf import Shelf

__all__ = ["Beginnings"]


class Beginnings:
    """Counts by the key of a line without its first word."""

    def __init__(self) -> None:
        self._counts, self._keys = table(256), 0

    @classmethod
    def of(cls, shelf: Shelf) -> Beginnings:
        """As they are for the templates of a shelf."""
        made = cls()
        for rest in shelf.rest[shelf.live()]:
            if rest:
                made.enter(rest)
        return made

    def enter(self, rest: np.uint64) -> int:
        """One more; how many there are now."""
        count = max(kernel.find(self._counts, rest), 0) + 1
        if count == 1:
            self._keys += 1
            if 2 * self._keys > len(self._counts[0]):
                self._counts = grown(self._counts)
        kernel.put(self._counts, rest, count)
        return count

    def leave(self, rest: np.uint64) -> None:
        """One fewer; of key 0, of lines that have no first word, there are none."""
        count = kernel.find(self._counts, rest) if rest else 0
        if count > 1:
            kernel.put(self._counts, rest, count - 1)
        elif count == 1:
            kernel.drop(self._counts, rest)
            self._keys -= 1
