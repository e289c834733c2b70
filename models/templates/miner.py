"""The template miner: lines in, numbers of their templates out, learned as they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel
from models.templates.form import form, shown
from models.templates.kinds import KIND, MOST_BYTES, MOST_TOKENS, Kind
from models.templates.learning import Learning

__all__ = ["Mined", "Miner", "Pattern", "Settings"]

Text = NDArray[np.uint8]
_SEED, _PRIME, _WHOLE = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How many templates are kept at most; those unseen for longest are forgotten first."""

    templates: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """What a batch of N lines was.

    `number` int32 (N,): of the template of each line, after what was merged in this call. `fresh`
    int32: numbers first seen in this call. `merged`: pairs (gone, into) of numbers; lines counted
    under the first belong to the second from now on.
    """

    number: NDArray[np.int32]
    fresh: NDArray[np.int32]
    merged: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A template as people read it: `<num>`, `<ip>`, `<*>` ... where lines differ.

    `id` follows from the form of the first line of it. `samples`: parameters of a few lines.
    """

    id: str
    text: str
    count: int
    samples: tuple[tuple[str, ...], ...] = ()


class Miner:
    """Templates of a stream of lines, in the order that they come in.

    The same lines give the same numbers, however they are cut into batches.
    """

    def __init__(self, settings: Settings = Settings()) -> None:
        self._settings = settings
        self._clock = 0
        self._places = (
            np.zeros(MOST_TOKENS, np.uint64),
            np.zeros(MOST_TOKENS, np.uint8),
            np.zeros(MOST_TOKENS, np.int64),
            np.zeros(MOST_TOKENS, np.int64),
        )
        self._learning = Learning()
        self._slots: dict[int, int] = {}

    def add(self, text: Text, ends: NDArray[np.int64]) -> Mined:
        """Count lines, the bytes of all of them in `text` and where each ends in `ends`."""
        learning = self._learning
        learning.fresh, learning.merged = [], []
        numbers = np.empty(len(ends), np.int32)
        out = (numbers, np.zeros(2, np.uint64), np.zeros(len(ends) + 1, np.int64))
        at = 0
        while at < len(ends):
            at = kernel.walk(
                text,
                ends,
                at,
                self._clock,
                self._places,
                learning.families.groups,
                learning.templates,
                out,
            )
            if at < len(ends):
                numbers[at] = self._learned(text, ends, at, out[1])
                at += 1
        self._clock += len(ends)
        return self._mined(numbers)

    def _mined(self, numbers: NDArray[np.int32]) -> Mined:
        learning = self._learning
        into: dict[int, int] = {}
        for gone, to in reversed(learning.merged):
            into[gone] = into.get(to, to)
        if into:
            gone_ones = np.array(sorted(into), np.int32)
            places = np.flatnonzero(np.isin(numbers, gone_ones))
            numbers[places] = [into[number] for number in numbers[places].tolist()]
        fresh = [number for number in learning.fresh if number not in into]
        return Mined(number=numbers, fresh=np.array(fresh, np.int32), merged=tuple(learning.merged))

    def _learned(
        self, text: Text, ends: NDArray[np.int64], at: int, stopped: NDArray[np.uint64]
    ) -> int:
        begin = int(ends[at - 1]) if at else 0
        line = text[begin : min(int(ends[at]), begin + MOST_BYTES)].tobytes()
        shelf = self._learning.shelf
        slot = self._learning.learn(form(line, stopped[0], int(stopped[1]), self._places, begin))
        shelf.count[slot] += 1
        shelf.seen[slot] = self._clock + at
        return int(shelf.number[slot])

    def template(self, number: int) -> Pattern:
        """What is known of a number; `KeyError` where it was merged into another or never was."""
        shelf = self._learning.shelf
        found = np.flatnonzero(shelf.number[: shelf.filled] == number)
        if number < 0 or not len(found):
            raise KeyError(number)
        slot = int(found[0])
        free = self._learning.families.free[int(shelf.family[slot])]
        signs = shelf.tokens(slot)[1]
        marks = tuple(shelf.marks[slot].split(b"\n"))
        words = shelf.words(slot)
        masked = tuple(
            b"<*>" if free >> k & 1 and signs[k] & KIND <= Kind.NAME else w
            for k, w in enumerate(words)
        )
        return Pattern(
            id=_named(shown(words, marks, signs)),
            text=shown(masked, marks, signs).decode(errors="replace"),
            count=int(shelf.count[slot]),
        )


def _named(birth: bytes) -> str:
    h = _SEED
    for byte in birth:
        h = (h ^ byte) * _PRIME & _WHOLE
    return f"lt_{h:016x}"
