"""The label sets that answers to one question have had, and what they are known as."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

__all__ = ["Key", "Known", "KnownByQuestion", "Labels", "key_of"]

Ints = NDArray[np.int64]
Labels = Mapping[str, str]
# Names and values in turn, by name: a fifth of the bytes that a set of pairs takes.
Key = tuple[str, ...]

# Label sets that an answer may leave out in a row, such as all series of some pods.
_SKIP = 512
# Questions whose answers are remembered: families x arms, and pods in hundreds.
_QUESTIONS = 256


def key_of(labels: Labels) -> Key:
    """What a label set is looked up by; the same however its labels are ordered."""
    return tuple(chain.from_iterable(sorted(labels.items())))


class Known:
    """Numbers of label sets.

    An answer is nearly always all of the one before, or a part in the same order: then it is
    walked once, side by side.
    """

    def __init__(self) -> None:
        self._labels: list[Labels] = []
        self._numbers: list[int] = []
        self._last: tuple[list[Labels], Ints] = ([], np.zeros(0, np.int64))

    def numbers(self, labels: list[Labels], place: Callable[[Labels], int]) -> Ints:
        """Numbers of label sets; `place` tells those that were not found, the same each time."""
        if self._last[0] != labels:
            self._last = (labels, np.array(self._find(labels, place), np.int64))
        return self._last[1]

    def _find(self, labels: list[Labels], place: Callable[[Labels], int]) -> list[int]:
        found, at, new = [], 0, 0
        for one in labels:
            until = min(at + _SKIP, len(self._labels))
            look = at
            while look < until and self._labels[look] is not one and self._labels[look] != one:
                look += 1
            if look < until:
                found.append(self._numbers[look])
                at = look + 1
            else:
                found.append(place(one))
                new += 1
        if new and len(labels) >= len(self._labels):
            self._labels, self._numbers = labels, found
        return found


class KnownByQuestion:
    """What is known of the answers to each of the questions that came up last."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Known] = {}

    def of(self, question: Hashable) -> Known:
        """What is known of the answers to a question."""
        held = self._known.get(question)
        if held is None:
            held = self._known[question] = Known()
            while len(self._known) > _QUESTIONS:
                del self._known[next(iter(self._known))]
        return held
