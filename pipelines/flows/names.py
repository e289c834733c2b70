"""Label sets to numbers, without hashing the same labels at each poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Labels", "Names"]

Ints = NDArray[np.int64]
Labels = Mapping[str, str]


@dataclass(slots=True)
class Names:
    """Numbers of label sets in order of first sight.

    The same question mostly has the same series in its answer: the last answer to each is kept,
    and comparing two lists of labels costs a tenth of hashing them.
    """

    known: dict[frozenset[tuple[str, str]], int] = field(default_factory=dict)
    _last: dict[int, tuple[list[Labels], Ints]] = field(default_factory=dict)

    def numbers(self, question: int, labels: list[Labels]) -> Ints:
        """The number of each label set; `question` names what was asked."""
        last = self._last.get(question)
        if last is not None and last[0] == labels:
            return last[1]
        known = self.known
        found = [known.setdefault(frozenset(one.items()), len(known)) for one in labels]
        numbers = np.array(found, np.int64)
        self._last[question] = (labels, numbers)
        return numbers
