"""A line of no known template: which family it joins, and what becomes a parameter by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel, kernel_family, tuning
from models.templates.families import Families, grown, table
from models.templates.form import Form
from models.templates.kinds import KIND, MOST_TOKENS, Kind
from models.templates.shelf import Shelf

__all__ = ["Learning"]

_ALL = (1 << 64) - 1


class Learning:
    """Templates and families, and what a skeleton leads to."""

    def __init__(self) -> None:
        self.shelf, self.families = Shelf(), Families()
        self.known, self._rests = table(1024), table(1024)
        self._next = self._live = self._rested = 0
        self._alone = np.zeros(MOST_TOKENS, np.uint64)
        self.fresh: list[int] = []
        self.merged: list[tuple[int, int]] = []

    @property
    def templates(
        self,
    ) -> tuple[kernel.Table, NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """As `kernel.walk` reads them."""
        return self.known, self.shelf.number, self.shelf.count, self.shelf.seen

    def learn(self, form: Form) -> int:
        """The slot of a form that is of no known template, until now."""
        family = self._joined(form)
        key = self._key(form.hashes, form.shape, self.families.free[family])
        slot = kernel.find(self.known, key)
        if slot < 0:
            slot = self._born(form, family, key)
            slot = self._first_freed(form, slot)
        if len(self.shelf.samples[slot]) < kernel.FEW:
            self.shelf.keep(slot, form)
        return slot

    def _joined(self, form: Form) -> int:
        """The family that is most alike, if it is alike enough, or a new one."""
        own, root = (form.hashes, form.signs), _root(form)
        best, likeness = -1, tuning.ALIKE
        for family in self.families.newest(root, tuning.SEARCHED):
            is_any = np.uint64(self.families.free[family])
            like = kernel_family.likeness(self._pool(), self._rows(family), own, is_any)
            if like >= likeness:
                best, likeness = family, like
        if best < 0:
            return self.families.found(root, 0)
        free = self.families.free[best]
        freed = int(
            kernel_family.freed(self._pool(), self._rows(best), own, np.uint64(free), self._alone)
        )
        if freed:
            self._set_free(best, free | freed)
        return best

    def _pool(self) -> kernel_family.Pool:
        return self.shelf.hashes, self.shelf.signs

    def _rows(self, family: int) -> NDArray[np.int64]:
        """Where the tokens of its newest templates begin."""
        return self.shelf.start[self.families.members[family][-tuning.WINDOW :]]

    def _set_free(self, family: int, free: int) -> None:
        """Find its templates by another key; those that are the same by it become the oldest."""
        for slot in self.families.members[family]:
            kernel.drop(self.known, self._slot_key(slot, self.families.free[family]))
        self.families.set_free(family, free)
        members = self.families.members[family]
        self.families.members[family] = [slot for slot in members if self._placed(slot, free)]

    def _placed(self, slot: int, free: int) -> bool:
        """Whether a template stays one by a key, or is merged into another."""
        key = self._slot_key(slot, free)
        into = kernel.find(self.known, key)
        if into < 0:
            kernel.put(self.known, key, slot)
            return True
        self._merge(slot, into)
        return False

    def _merge(self, slot: int, into: int) -> None:
        shelf = self.shelf
        self.merged.append((int(shelf.number[slot]), int(shelf.number[into])))
        shelf.count[into] += shelf.count[slot]
        shelf.seen[into] = max(shelf.seen[into], shelf.seen[slot])
        room = kernel.FEW - len(shelf.samples[into])
        shelf.samples[into] += shelf.samples[slot][: max(room, 0)]
        shelf.samples[slot], shelf.marks[slot] = [], b""
        shelf.number[slot] = -1
        self._live -= 1

    def _born(self, form: Form, family: int, key: np.uint64) -> int:
        slot = self.shelf.add(form, self._next)
        self.fresh.append(self._next)
        self._next += 1
        self._live += 1
        self.shelf.family[slot] = family
        self.families.members[family].append(slot)
        if 2 * self._live > len(self.known[0]):
            self.known = grown(self.known)
        kernel.put(self.known, key, slot)
        return slot

    def _first_freed(self, form: Form, slot: int) -> int:
        """Lines that differ in their first word alone, of which there are many, become one."""
        family = int(self.shelf.family[slot])
        if len(form.hashes) < 3 or form.signs[0] & KIND != Kind.WORD:
            return slot
        free = self.families.free[family] | 1
        rest = self._key(form.hashes, form.shape, free)
        self.shelf.rest[slot] = rest
        alike = kernel.find(self._rests, rest) + 1
        if alike <= 0:
            alike, self._rested = 1, self._rested + 1
            if 2 * self._rested > len(self._rests[0]):
                self._rests = grown(self._rests)
        kernel.put(self._rests, rest, alike)
        is_time = alike == tuning.FIRST or (alike > tuning.FIRST and alike & (alike - 1) == 0)
        if not is_time:
            return slot
        return self._first_any(form, slot, rest, free)

    def _first_any(self, form: Form, slot: int, rest: np.uint64, free: int) -> int:
        """The oldest of them, if what they begin with is no state."""
        shelf = self.shelf
        slots = np.flatnonzero(
            (shelf.rest[: shelf.filled] == rest) & (shelf.number[: shelf.filled] >= 0)
        )
        rows = shelf.start[slots[-tuning.WINDOW :]]
        own = (form.hashes, form.signs)
        freed = int(kernel_family.freed(self._pool(), rows, own, np.uint64(free & ~1), self._alone))
        if not freed & 1:
            return slot
        root = int(kernel.joined(form.shape, kernel.ANY))
        family = self.families.found(root, free)
        for one in slots.tolist():
            old = int(shelf.family[one])
            kernel.drop(self.known, self._slot_key(one, self.families.free[old]))
            self.families.members[old].remove(one)
            if self._placed(one, free):
                shelf.family[one] = family
                self.families.members[family].append(one)
        return int(slots[0])

    def _slot_key(self, slot: int, free: int) -> np.uint64:
        return self._key(self.shelf.tokens(slot)[0], self.shelf.shape[slot], free)

    def _key(self, hashes: NDArray[np.uint64], shape: np.uint64, free: int) -> np.uint64:
        return np.uint64(kernel.skeleton(hashes, 0, len(hashes), shape, np.uint64(free)))


def _root(form: Form) -> int:
    is_word = len(form.signs) > 0 and form.signs[0] & KIND == Kind.WORD
    return int(kernel.joined(form.shape, form.hashes[0] if is_word else kernel.ANY))
