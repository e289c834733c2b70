"""Templates in rows: arrays that grow, and the texts that they were born with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.templates.form import Form
from models.templates.kinds import KIND, Kind

__all__ = ["Shelf"]

_FIRST_ROOM, _TOKENS_A_ROW = 256, 16
# Of a sample all words are kept, and of parameters so many bytes.
_SAMPLE_MOST = 64


class Shelf:
    """Slots 0 .. `filled`, one a template; those of `number` -1 were merged into others.

    `count` of lines, `seen` the last of them, `start` and `length` of its tokens in the pool of
    `hashes` and `signs`, `family` it belongs to, `rest` its key without the first token.
    """

    __slots__ = (
        "count", "family", "filled", "hashes", "length", "marks", "number", "pooled", "rest",
        "samples", "seen", "shape", "signs", "start",
    )  # fmt: skip

    def __init__(self) -> None:
        self.filled = self.pooled = 0
        self.number = np.full(_FIRST_ROOM, -1, np.int32)
        self.count, self.seen, self.start = (np.zeros(_FIRST_ROOM, np.int64) for _ in range(3))
        self.length = np.zeros(_FIRST_ROOM, np.uint8)
        self.family = np.zeros(_FIRST_ROOM, np.int32)
        self.shape, self.rest = (np.zeros(_FIRST_ROOM, np.uint64) for _ in range(2))
        self.hashes = np.zeros(_FIRST_ROOM * _TOKENS_A_ROW, np.uint64)
        self.signs = np.zeros(_FIRST_ROOM * _TOKENS_A_ROW, np.uint8)
        self.marks: list[bytes] = []
        self.samples: list[list[bytes]] = []

    def add(self, form: Form, number: int) -> int:
        """The slot of a new one."""
        slot, start, n = self.filled, self.pooled, len(form.words)
        self._make_room(slot + 1, start + n)
        self.filled, self.pooled = slot + 1, start + n
        self.number[slot], self.count[slot], self.start[slot] = number, 0, start
        self.length[slot], self.shape[slot] = n, form.shape
        self.hashes[start : start + n], self.signs[start : start + n] = form.hashes, form.signs
        self.marks.append(b"\n".join(form.marks))
        self.samples.append([])
        return slot

    def keep(self, slot: int, form: Form) -> None:
        """Keep a line of it as a sample: its words whole, the begins of its parameters."""
        kept = (
            word if sign & KIND <= Kind.NAME else word[:_SAMPLE_MOST].replace(b"\n", b" ")
            for word, sign in zip(form.words, form.signs.tolist(), strict=True)
        )
        self.samples[slot].append(b"\n".join(kept))

    def words(self, slot: int, nth: int = 0) -> tuple[bytes, ...]:
        """Tokens of a sample."""
        return tuple(self.samples[slot][nth].split(b"\n")) if self.length[slot] else ()

    def tokens(self, slot: int) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        """Hashes and signs of a slot's tokens."""
        start = int(self.start[slot])
        end = start + int(self.length[slot])
        return self.hashes[start:end], self.signs[start:end]

    def live(self) -> NDArray[np.int64]:
        """Slots that are templates, by age."""
        return np.flatnonzero(self.number[: self.filled] >= 0)

    def _make_room(self, rows: int, tokens: int) -> None:
        for name, needed in self._rooms(rows, tokens):
            column = getattr(self, name)
            if needed > len(column):
                room = np.zeros(max(needed, 2 * len(column)), column.dtype)
                room[: len(column)] = column
                setattr(self, name, room)

    @staticmethod
    def _rooms(rows: int, tokens: int) -> Iterator[tuple[str, int]]:
        for name in ("number", "count", "seen", "start", "length", "family", "shape", "rest"):
            yield name, rows
        for name in ("hashes", "signs"):
            yield name, tokens
