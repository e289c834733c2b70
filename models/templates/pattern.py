"""A template as people read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.templates.form import shown
from models.templates.kinds import KIND, Kind
from models.templates.shelf import Shelf

__all__ = ["Pattern", "Patterns"]

_SEED, _PRIME, _WHOLE = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A kind of line: `<num>`, `<ip>`, ... stand for parameters, `<*>` for words that differ.

    `id` follows from its first line alone, parameters masked. `samples`: parameters of a few lines,
    as they were written, by the places of `<...>` in the text. Nothing in them is redacted.
    """

    id: str
    text: str
    count: int
    samples: tuple[tuple[str, ...], ...] = ()


class Patterns:
    """Patterns as they were last read, for who asks for the same ones after every batch."""

    def __init__(self, most: int = 1 << 13) -> None:
        self._most = most
        self._read: dict[int, tuple[int, int, Pattern]] = {}
        # Ids by number of those whose first line is not known to the last word any more.
        self.named: dict[int, str] = {}

    def read(self, shelf: Shelf, slot: int, free: int) -> Pattern:
        """What is known of a slot whose places `free` may be any."""
        number, kept = int(shelf.number[slot]), int(shelf.kept[slot])
        held = self._read.get(number)
        if held is None or held[:2] != (free, kept):
            if len(self._read) >= self._most:
                self._read.clear()
            held = self._read[number] = free, kept, self._pattern(shelf, slot, free)
        was, count = held[2], int(shelf.count[slot])
        return Pattern(id=was.id, text=was.text, count=count, samples=was.samples)

    def id_of(self, shelf: Shelf, slot: int) -> str:
        """The id of a slot."""
        known = self.named.get(int(shelf.number[slot]))
        if known is not None:
            return known
        marks = tuple(shelf.marks[slot].split(b"\n"))
        return _named(shown(shelf.words(slot), marks, shelf.tokens(slot)[1]))

    def _pattern(self, shelf: Shelf, slot: int, free: int) -> Pattern:
        signs = shelf.tokens(slot)[1]
        marks = tuple(shelf.marks[slot].split(b"\n"))
        words = shelf.words(slot) if shelf.kept[slot] else ()
        is_free = np.array([bool(free >> k & 1) for k in range(len(signs))], dtype=np.bool_)
        masked = tuple(b"<*>" if f else word for f, word in zip(is_free, words, strict=True))
        parameters = np.flatnonzero(is_free | (signs & KIND > Kind.NAME))
        return Pattern(
            id=self.id_of(shelf, slot),
            text=_text(shown(masked, marks, np.where(is_free, np.uint8(Kind.WORD), signs))),
            count=int(shelf.count[slot]),
            samples=_samples(shelf, slot, parameters),
        )


def _samples(shelf: Shelf, slot: int, places: NDArray[np.int64]) -> tuple[tuple[str, ...], ...]:
    if not len(places):
        return ()
    lines = [shelf.words(slot, nth) for nth in range(int(shelf.kept[slot]))]
    return tuple(tuple(_text(line[place]) for place in places.tolist()) for line in lines)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _named(birth: bytes) -> str:
    """FNV-1a: an id that is the same in every process."""
    h = _SEED
    for byte in birth:
        h = (h ^ byte) * _PRIME & _WHOLE
    return f"lt_{h:016x}"
