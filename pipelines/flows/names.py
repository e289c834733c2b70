"""Label sets to numbers, without hashing the same labels at each poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.series import Series

__all__ = ["Names"]

Labels = Mapping[str, str]


@dataclass(slots=True)
class Names:
    """Numbers of label sets in order of first sight.

    The same question mostly has the same series in its answer: the last answer to each is kept,
    and comparing two lists of labels costs a tenth of hashing them.
    """

    known: dict[frozenset[tuple[str, str]], int] = field(default_factory=dict)
    _last: dict[int, tuple[list[Labels], list[int]]] = field(default_factory=dict)

    def numbers(self, question: int, series: Sequence[Series]) -> list[int]:
        """The number of each series; `question` names what was asked."""
        labels = [one.labels for one in series]
        last = self._last.get(question)
        if last is not None and last[0] == labels:
            return last[1]
        known = self.known
        numbers = [known.setdefault(frozenset(one.items()), len(known)) for one in labels]
        self._last[question] = (labels, numbers)
        return numbers
