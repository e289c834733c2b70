"""A line of no known template: which family it joins, and what becomes a parameter by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel, kernel_family, kernel_index, tuning
from models.templates.families import Families, grown, table_for
from models.templates.form import Form
from models.templates.kinds import KIND, MOST_TOKENS, STATE, Kind
from models.templates.shelf import Shelf
from models.templates.tallied import Tallied

__all__ = ["Learning"]

Known = tuple[kernel.Table, NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]
# Of templates unseen for longest one in so many is forgotten at a time.
_FORGOTTEN = 16
_WORD = int(Kind.WORD)


class Learning:
    """Templates and families, and the slot that each skeleton leads to.

    `fresh`, `merged`, `forgotten`: numbers, as they are told, until they are cleared. `born` counts
    all templates that there ever were, `joined` those that were merged, `lost` those that were
    forgotten, `floods` shapes of which there were too many kinds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.shelf, self.families, self.known = Shelf(), Families(), table_for(0)
        self._rests, self._shapes = Tallied(), Tallied()
        self._shape_most = min(tuning.SHAPE_MOST, most // 4)
        self.born = self.joined = self.lost = self.floods = 0
        self._alone = np.zeros(MOST_TOKENS, np.uint64)
        self.fresh: list[int] = []
        self.merged: list[tuple[int, int]] = []

    @property
    def templates(self) -> Known:
        """As `kernel.walk` reads them."""
        return self.known, self.shelf.number, self.shelf.count, self.shelf.seen

    @property
    def live(self) -> int:
        """How many templates there are."""
        return self.born - self.joined - self.lost

    def learn(self, form: Form) -> int:
        """The slot of a form that is of no known template, until now."""
        is_flood = self._shapes.of(form.shape) >= self._shape_most
        family = self._flooded(form) if is_flood else self._family(form)
        key = _key(form.hashes, form.shape, self.families.free[family])
        slot = kernel.find(self.known, key)
        if slot < 0:
            slot = self._add(form, family, key)
            slot = self._absorb(slot) if self.families.free[family] & 1 else self._begun(form, slot)
        self.keep(slot, form)
        return slot

    def keep(self, slot: int, form: Form) -> None:
        """Keep a line of a template as a sample, while there are few."""
        if self.shelf.kept[slot] < kernel.FEW:
            self.shelf.keep(slot, form)

    def oldest(self) -> NDArray[np.int64]:
        """Slots to be forgotten before there is one more: none, while there is room."""
        if self.live < self._most:
            return np.zeros(0, np.int64)
        slots = self.shelf.live()
        order = np.lexsort((slots, self.shelf.seen[slots]))
        return np.sort(slots[order[: max(1, len(slots) // _FORGOTTEN)]])

    def is_full(self) -> bool:
        """Whether slots of templates that are gone take too much room."""
        return self.shelf.filled > self._most + self._most // 4 + _FORGOTTEN

    def without(self, slots: NDArray[np.int64]) -> None:
        """Forget slots, and close the room that those have left that are gone."""
        self.lost += len(slots)
        self.shelf.alive[slots] = False
        shelf = self.shelf
        shelf.only(shelf.live())
        n = shelf.filled
        families, shelf.family[:n] = self.families.kept(shelf.family[:n])
        self.settle(shelf, families)

    def settle(self, shelf: Shelf, families: Families) -> None:
        """Go on from these."""
        self.shelf, self.families, n = shelf, families, shelf.filled
        live = shelf.live()
        self._rests, self._shapes = Tallied(shelf.rest[live]), Tallied(shelf.shape[live])
        self.known = table_for(n)
        rows = (shelf.start[:n], shelf.length[:n], shelf.shape[:n])
        free = families.free[shelf.family[:n]]
        kernel_index.list_templates(self.known, shelf.hashes, rows, free)

    def _family(self, form: Form) -> int:
        """The family that is most alike, if it is alike enough, or a new one."""
        own, root = (form.hashes, form.signs), _root(form)
        best, likeness = -1, tuning.ALIKE
        for family in self.families.of(root, tuning.SEARCHED):
            is_any = self.families.free[family]
            like = kernel_family.likeness(self._pool(), self._rows(family), own, is_any)
            if like > likeness or (best < 0 and like == likeness):
                best, likeness = family, like
        if best < 0:
            return self.families.found(root, 0)
        free = int(self.families.free[best])
        freed = self._freed(self._rows(best), form, free)
        if freed:
            self._set_free(best, free | freed)
        return best

    def _flooded(self, form: Form) -> int:
        """The family of lines of which there are too many kinds: any word may be anywhere."""
        free = (1 << len(form.hashes)) - 1
        root = _joined(form.shape, kernel.ANY)
        for family in self.families.of(root, tuning.NEVER):
            if int(self.families.free[family]) == free:
                return family
        self.floods += 1
        return self.families.found(root, free)

    def _freed(self, rows: NDArray[np.int64], form: Form, free: int) -> int:
        own = (form.hashes, form.signs)
        return int(kernel_family.freed(self._pool(), rows, own, np.uint64(free), self._alone))

    def _pool(self) -> kernel_family.Pool:
        return self.shelf.hashes, self.shelf.signs

    def _rows(self, family: int) -> NDArray[np.int64]:
        """Where the tokens of its newest templates begin."""
        return self.shelf.start[self.families.members(family, tuning.WINDOW)]

    def _set_free(self, family: int, free: int) -> None:
        """Find its templates by another key; those that are the same by it become the oldest."""
        members = self.families.members(family)
        for slot in members:
            kernel.drop(self.known, self._slot_key(slot, int(self.families.free[family])))
        self.families.set_free(family, free)
        stay = [slot for slot in members if self._placed(slot, free)]
        self.families.set_members(family, stay)
        if free & 1:
            for slot in stay:
                self._absorb(slot)

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
        self.joined += 1
        self._rests.leave(shelf.rest[slot])
        self._shapes.leave(shelf.shape[slot])
        shelf.merge(slot, into, kernel.FEW)

    def _add(self, form: Form, family: int, key: np.uint64) -> int:
        slot = self.shelf.add(form, self.born)
        self.fresh.append(self.born)
        self.born += 1
        self.shelf.family[slot] = family
        self.families.enter(family, slot)
        self._shapes.enter(form.shape)
        if 2 * self.live > len(self.known[0]):
            self.known = grown(self.known)
        kernel.put(self.known, key, slot)
        return slot

    def _begun(self, form: Form, slot: int) -> int:
        """Where many lines differ in their first word alone, it becomes a parameter too."""
        if len(form.hashes) < tuning.FIRST_LEAST or form.signs[0] & KIND != _WORD:
            return slot
        free = int(self.families.free[self.shelf.family[slot]]) | 1
        rest = _key(form.hashes, form.shape, free)
        self.shelf.rest[slot] = rest
        alike = self._rests.enter(rest)
        if alike < tuning.FIRST or (alike - tuning.FIRST) % tuning.FIRST:
            return slot
        return self._any_begun(form, slot, rest, free)

    def _any_begun(self, form: Form, slot: int, rest: np.uint64, free: int) -> int:
        """The oldest of those lines, if what they begin with is no state."""
        shelf = self.shelf
        slots = np.flatnonzero((shelf.rest[: shelf.filled] == rest) & shelf.alive[: shelf.filled])
        if not self._freed(shelf.start[slots[-tuning.WINDOW :]], form, free & ~1) & 1:
            return slot
        for one in slots.tolist():
            free |= int(self.families.free[shelf.family[one]])
        self._gather(slots.tolist(), self.families.found(_joined(form.shape, kernel.ANY), free))
        return int(slots[0])

    def _absorb(self, slot: int) -> int:
        """Lines that differ from a template in their first word alone, where that may be any.

        The slot of all of them, the oldest.
        """
        shelf, family = self.shelf, int(self.shelf.family[slot])
        key = self._slot_key(slot, int(self.families.free[family]))
        if not self._rests.of(key):
            return slot
        is_alike = (shelf.rest[: shelf.filled] == key) & shelf.alive[: shelf.filled]
        slots = [
            one
            for one in np.flatnonzero(is_alike).tolist()
            if not shelf.signs[shelf.start[one]] & STATE and one != slot
        ]
        if not slots:
            return slot
        slots = sorted([*slots, slot])
        self._gather(slots, family)
        return slots[0]

    def _gather(self, slots: list[int], family: int) -> None:
        """Let slots, by age, be of a family; those that are the same there become the oldest."""
        for slot in slots:
            old = int(self.shelf.family[slot])
            kernel.drop(self.known, self._slot_key(slot, int(self.families.free[old])))
            stay = [member for member in self.families.members(old) if member != slot]
            self.families.set_members(old, stay)
        for slot in slots:
            if self._placed(slot, int(self.families.free[family])):
                self.shelf.family[slot] = family
                self.families.set_members(family, sorted([*self.families.members(family), slot]))

    def _slot_key(self, slot: int, free: int) -> np.uint64:
        return _key(self.shelf.tokens(slot)[0], self.shelf.shape[slot], free)


def _key(hashes: NDArray[np.uint64], shape: np.uint64, free: int) -> np.uint64:
    return np.uint64(kernel.skeleton(hashes, 0, len(hashes), shape, np.uint64(free)))


def _root(form: Form) -> np.uint64:
    is_word = len(form.signs) > 0 and form.signs[0] & KIND == _WORD
    return _joined(form.shape, form.hashes[0] if is_word else kernel.ANY)


def _joined(shape: np.uint64, first: np.uint64) -> np.uint64:
    return np.uint64(kernel.joined(shape, first))
