"""Templates in rows: arrays that grow, and the texts that they were born with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel_index
from models.templates.form import Form
from models.templates.kinds import KIND, Kind

__all__ = ["COLUMNS", "POOLS", "Shelf"]

_FIRST_ROOM, _TOKENS_A_ROW = 256, 16
# Of a parameter in a sample so many bytes are kept; words are kept whole.
_SAMPLE_MOST = 64
_NAME = int(Kind.NAME)
_PRINTED = bytes(max(byte, 32) for byte in range(256))
COLUMNS = {
    "number": np.int32,
    "alive": np.bool_,
    "count": np.int64,
    "seen": np.int64,
    "start": np.int64,
    "length": np.uint8,
    "family": np.int32,
    "shape": np.uint64,
    "rest": np.uint64,
    "kept": np.uint8,
}
Columns = dict[str, NDArray[Any]]
POOLS = {"hashes": np.uint64, "signs": np.uint8}


class Shelf:
    """Slots 0 .. `filled`, one a template, by age; those not `alive` were merged into others.

    `number` for who asks from outside, `count` of lines, `seen` the last of them, `start` and
    `length` of its tokens in the pool of `hashes` and `signs`, `family` that it belongs to, `rest`
    its key without the first token, 0 where there is none, `kept` how many samples.
    """

    number: NDArray[np.int32]
    alive: NDArray[np.bool_]
    count: NDArray[np.int64]
    seen: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.uint8]
    family: NDArray[np.int32]
    shape: NDArray[np.uint64]
    rest: NDArray[np.uint64]
    kept: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    signs: NDArray[np.uint8]

    def __init__(self) -> None:
        self.filled = self.pooled = 0
        for name, kind in COLUMNS.items():
            setattr(self, name, np.zeros(_FIRST_ROOM, kind))
        for name, kind in POOLS.items():
            setattr(self, name, np.zeros(_FIRST_ROOM * _TOKENS_A_ROW, kind))
        self.marks: list[bytes] = []
        self.samples: list[bytes] = []

    def add(self, form: Form, number: int) -> int:
        """The slot of a new one."""
        slot, start, n = self.filled, self.pooled, len(form.words)
        self._make_room(slot + 1, start + n)
        self.filled, self.pooled = slot + 1, start + n
        self.number[slot], self.alive[slot], self.start[slot] = number, True, start
        self.count[slot] = self.seen[slot] = self.rest[slot] = self.kept[slot] = 0
        self.length[slot], self.shape[slot] = n, form.shape
        self.hashes[start : start + n], self.signs[start : start + n] = form.hashes, form.signs
        self.marks.append(b"\n".join(form.marks))
        self.samples.append(b"")
        return slot

    def keep(self, slot: int, form: Form) -> None:
        """Keep a line of it as a sample: its words whole, the begins of its parameters."""
        kept = (
            word if sign & KIND <= _NAME else word[:_SAMPLE_MOST].translate(_PRINTED)
            for word, sign in zip(form.words, form.signs.tolist(), strict=True)
        )
        told = b"\n".join(kept)
        self.samples[slot] = b"\0".join((self.samples[slot], told)) if self.kept[slot] else told
        self.kept[slot] += 1

    def merge(self, slot: int, into: int, most: int) -> None:
        """Add what was counted and kept of one to another."""
        self.count[into] += self.count[slot]
        self.seen[into] = max(self.seen[into], self.seen[slot])
        every = (*self.lines(into), *self.lines(slot))[:most]
        self.samples[into], self.kept[into] = b"\0".join(every), len(every)
        self.bury(slot)

    def bury(self, slot: int) -> None:
        """It is a template no more."""
        self.alive[slot] = False
        self.samples[slot] = self.marks[slot] = b""

    def words(self, slot: int, nth: int = 0) -> tuple[bytes, ...]:
        """Tokens of a sample; those of the first line that there was, by default."""
        return tuple(self.lines(slot)[nth].split(b"\n")) if self.length[slot] else ()

    def lines(self, slot: int) -> list[bytes]:
        """Its samples, each the tokens of a line."""
        return self.samples[slot].split(b"\0") if self.kept[slot] else []

    def tokens(self, slot: int) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        """Hashes and signs of a slot's tokens."""
        start = int(self.start[slot])
        end = start + int(self.length[slot])
        return self.hashes[start:end], self.signs[start:end]

    def live(self) -> NDArray[np.int64]:
        """Slots that are templates, by age."""
        return np.flatnonzero(self.alive[: self.filled])

    def slot_of(self, number: int) -> int:
        """The slot of a number, or -1 where it is no template, or no longer."""
        slot = int(np.searchsorted(self.number[: self.filled], number))
        is_there = slot < self.filled and self.number[slot] == number and self.alive[slot]
        return slot if is_there else -1

    def only(self, slots: NDArray[np.int64]) -> None:
        """Keep these alone, that are by age, and close the room between them."""
        n = len(slots)
        for name in COLUMNS:
            column = getattr(self, name)
            column[:n] = column[slots]
        tokens = (self.hashes, self.signs)
        self.filled, self.pooled = n, kernel_index.pack(tokens, self.start[:n], self.length[:n])
        self.marks = [self.marks[slot] for slot in slots.tolist()]
        self.samples = [self.samples[slot] for slot in slots.tolist()]

    @classmethod
    def of(
        cls, columns: Columns, pools: Columns, marks: list[bytes], samples: list[bytes]
    ) -> Shelf:
        """One of these rows."""
        made = cls()
        made.filled, made.pooled = len(marks), len(pools["hashes"])
        made._make_room(made.filled, made.pooled)
        for name, column in (*columns.items(), *pools.items()):
            getattr(made, name)[: len(column)] = column
        made.marks, made.samples = marks, samples
        return made

    def _make_room(self, rows: int, tokens: int) -> None:
        for name, needed in self._rooms(rows, tokens):
            column = getattr(self, name)
            if needed > len(column):
                room = np.zeros(max(needed, len(column) * 3 // 2), column.dtype)
                room[: len(column)] = column
                setattr(self, name, room)

    @staticmethod
    def _rooms(rows: int, tokens: int) -> Iterator[tuple[str, int]]:
        for name in COLUMNS:
            yield name, rows
        for name in POOLS:
            yield name, tokens
