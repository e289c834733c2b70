"""The template miner: lines in, numbers of their templates out, learned as they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel, tuning
from models.templates.families import Family, Form
from models.templates.kinds import MOST_TOKENS, Kind

__all__ = ["Mined", "Miner", "Pattern", "Settings"]

Text = NDArray[np.uint8]
_SEED, _PRIME, _WHOLE = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
_FEW = 3


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
        self._known = _table(1024)
        self._roots = _table(1024)
        self._free, self._after = np.zeros(256, np.uint64), np.full(256, -1, np.int32)
        self._families: list[Family] = []
        self._count, self._seen = np.zeros(256, np.int64), np.zeros(256, np.int64)
        self._forms: list[Form | None] = []
        self._births: list[tuple[bytes, tuple[bytes, ...]]] = []
        self._filled = 0

    def add(self, text: Text, ends: NDArray[np.int64]) -> Mined:
        """Count lines, the bytes of all of them in `text` and where each ends in `ends`."""
        slots = np.empty(len(ends), np.int32)
        stopped = np.zeros(2, np.uint64)
        early = np.zeros(len(ends) + 1, np.int64)
        fresh: list[int] = []
        merged: list[tuple[int, int]] = []
        at = 0
        while at < len(ends):
            families = (self._roots, self._free, self._after)
            templates = (self._known, self._count, self._seen)
            out = (slots, stopped, early)
            at = kernel.walk(
                text, ends, at, self._clock, self._places, families, templates, out, _FEW
            )
            if at < len(ends):
                slots[at] = self._learn(text, ends, at, stopped, fresh, merged)
                at += 1
        self._clock += len(ends)
        moved = dict(merged)
        if moved:
            into = np.arange(self._filled, dtype=np.int32)
            for gone, to in reversed(merged):
                into[gone] = into[to]
            slots = into[slots]
        alive = [number for number in fresh if number not in moved]
        return Mined(number=slots, fresh=np.array(alive, np.int32), merged=tuple(merged))

    def template(self, number: int) -> Pattern:
        """What is known of a number; `KeyError` where it was merged into another or never was."""
        form = self._forms[number] if 0 <= number < len(self._forms) else None
        if form is None:
            raise KeyError(number)
        birth, marks = self._births[number]
        family = self._family_of(form, number)
        parts = [marks[0]]
        for place, word in enumerate(form.words):
            is_free = family.free >> place & 1
            parts += [b"<*>" if is_free else _shown(form.kinds[place], word), marks[place + 1]]
        return Pattern(
            id=_named(birth),
            text=b"".join(parts).decode(errors="replace"),
            count=int(self._count[number]),
        )

    def _family_of(self, form: Form, number: int) -> Family:
        at = kernel.find(self._roots, _root(form))
        while number not in self._families[at].members:
            at = int(self._after[at])
        return self._families[at]

    def _learn(
        self,
        text: Text,
        ends: NDArray[np.int64],
        at: int,
        stopped: NDArray[np.uint64],
        fresh: list[int],
        merged: list[tuple[int, int]],
    ) -> int:
        begin = int(ends[at - 1]) if at else 0
        n = int(stopped[1])
        hashes, kinds, begins, tos = (list(map(int, column[:n])) for column in self._places)
        line = text[begin : int(ends[at])]
        words = tuple(
            line[i - begin : j - begin].tobytes() for i, j in zip(begins, tos, strict=True)
        )
        form = Form(int(stopped[0]), tuple(hashes), tuple(kinds), words)
        family = self._joined(form, merged)
        key = self._key(form, family.free)
        slot = kernel.find(self._known, key)
        if slot < 0:
            slot = self._born(form, key)
            family.members.append(slot)
            edges = [begin, *(e for pair in zip(begins, tos, strict=True) for e in pair)]
            edges.append(min(int(ends[at]), edges[-1] + 200) if n == MOST_TOKENS else int(ends[at]))
            marks = tuple(
                _spaced(text[i:j].tobytes()) for i, j in zip(edges[::2], edges[1::2], strict=True)
            )
            shown = [marks[0]]
            for kind, word, mark in zip(kinds, words, marks[1:], strict=True):
                shown += [_shown(kind, word), mark]
            self._births.append((b"".join(shown).strip(), marks))
            fresh.append(slot)
        self._count[slot] += 1
        self._seen[slot] = self._clock + at
        return slot

    def _joined(self, form: Form, merged: list[tuple[int, int]]) -> Family:
        root = _root(form)
        at = kernel.find(self._roots, root)
        best, likeness = -1, 0.0
        while at >= 0:
            like = self._families[at].likeness(form)
            if like > likeness:
                best, likeness = at, like
            at = int(self._after[at])
        if best < 0 or likeness < tuning.ALIKE:
            return self._founded(form, root)
        family = self._families[best]
        before = family.free
        if family.admit(form):
            self._free[best] = np.uint64(family.free)
            self._rekey(family, before, merged)
        return family

    def _founded(self, form: Form, root: np.uint64) -> Family:
        family = Family(int(root), form)
        index = len(self._families)
        if index == len(self._free):
            self._free = np.concatenate([self._free, np.zeros_like(self._free)])
            self._after = np.concatenate([self._after, np.full_like(self._after, -1)])
        if 2 * index > len(self._roots[0]):
            self._roots = _grown(self._roots)
        self._after[index] = kernel.find(self._roots, np.uint64(root))
        kernel.put(self._roots, np.uint64(root), index)
        self._families.append(family)
        return family

    def _rekey(self, family: Family, before: int, merged: list[tuple[int, int]]) -> None:
        stay = []
        for slot in family.members:
            form = self._forms[slot]
            assert form is not None
            kernel.drop(self._known, self._key(form, before))
            key = self._key(form, family.free)
            into = kernel.find(self._known, key)
            if into < 0:
                kernel.put(self._known, key, slot)
                stay.append(slot)
            else:
                self._count[into] += self._count[slot]
                self._seen[into] = max(self._seen[into], self._seen[slot])
                self._forms[slot] = None
                merged.append((slot, into))
        family.members[:] = stay

    def _key(self, form: Form, free: int) -> np.uint64:
        hashes = np.array(form.hashes, np.uint64)
        return np.uint64(
            kernel.skeleton(hashes, 0, len(hashes), np.uint64(form.shape), np.uint64(free))
        )

    def _born(self, form: Form, key: np.uint64) -> int:
        slot = self._filled
        self._filled += 1
        if slot == len(self._count):
            self._count = np.concatenate([self._count, np.zeros_like(self._count)])
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])
        if 2 * slot > len(self._known[0]):
            self._known = _grown(self._known)
        kernel.put(self._known, key, slot)
        self._forms.append(form)
        return slot


def _root(form: Form) -> np.uint64:
    if not form.hashes:
        return np.uint64(form.shape)
    return np.uint64(kernel.joined(np.uint64(form.shape), np.uint64(form.hashes[0])))


def _table(size: int) -> kernel.Table:
    return np.zeros(size, np.uint64), np.full(size, -1, np.int32)


def _grown(table: kernel.Table) -> kernel.Table:
    made = _table(2 * len(table[0]))
    for at in np.flatnonzero(table[1] >= 0):
        kernel.put(made, table[0][at], int(table[1][at]))
    return made


def _spaced(marks: bytes) -> bytes:
    """What is between two tokens, each run of spaces as one."""
    lead, trail = marks[:1] <= b" ", marks[-1:] <= b" "
    if not marks:
        return b""
    inner = b" ".join(marks.split())
    return (b" " if lead else b"") + inner + (b" " if trail and inner else b"")


def _shown(kind: int, word: bytes) -> bytes:
    return word if kind == Kind.WORD else b"<%s>" % Kind(kind).name.lower().encode()


def _named(birth: bytes) -> str:
    h = _SEED
    for byte in birth:
        h = (h ^ byte) * _PRIME & _WHOLE
    return f"lt_{h:016x}"
