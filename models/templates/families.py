"""Families of lines: templates that are alike but for some words, and which of these are free."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel, kernel_index

__all__ = ["Families", "grown", "table", "table_for"]

_FIRST_ROOM = 64


class Families:
    """Families 0 .. `filled`: each lines of one beginning, with the same places free.

    `root` tells the beginning, `free` the places, `older` the next family of the same beginning.
    Members are a chain: `newest` of a family, and of each slot the `before`. Groups are the sets
    of free places that families of a beginning have, each once: what known lines are found by.
    """

    def __init__(self) -> None:
        self._heads, self._groups = table(256), table(256)
        self.filled = self._grouped = 0
        self.root, self.free = (np.zeros(_FIRST_ROOM, np.uint64) for _ in range(2))
        self.older, self.newest, self.before = (np.full(_FIRST_ROOM, -1, np.int32) for _ in "123")
        self.group_free = np.zeros(_FIRST_ROOM, np.uint64)
        self.group_after = np.zeros(_FIRST_ROOM, np.int32)

    @property
    def groups(self) -> tuple[kernel.Table, NDArray[np.uint64], NDArray[np.int32]]:
        """As `kernel.walk` reads them."""
        return self._groups, self.group_free, self.group_after

    def of(self, root: np.uint64, most: int) -> list[int]:
        """Families of a beginning that have members, the newest first."""
        found: list[int] = []
        at = kernel.find(self._heads, root)
        while at >= 0 and len(found) < most:
            if self.newest[at] >= 0:
                found.append(at)
            at = int(self.older[at])
        return found

    def found(self, root: np.uint64, free: int) -> int:
        """A new family, without members."""
        family = self.filled
        self.filled += 1
        for name in ("root", "free", "older", "newest"):
            setattr(self, name, _roomy(getattr(self, name), self.filled))
        if 2 * family > len(self._heads[0]):
            self._heads = grown(self._heads)
        self.older[family] = kernel.find(self._heads, root)
        kernel.put(self._heads, root, family)
        self.root[family], self.free[family], self.newest[family] = root, free, -1
        self._group(root, free)
        return family

    def set_free(self, family: int, free: int) -> None:
        """Let these places of it be any, of what was said before and of what comes."""
        self.free[family] = free
        self._group(self.root[family], free)

    def members(self, family: int, most: int = 1 << 31) -> list[int]:
        """Slots of its templates, by age; the newest of them where they are more."""
        found: list[int] = []
        slot = int(self.newest[family])
        while slot >= 0 and len(found) < most:
            found.append(slot)
            slot = int(self.before[slot])
        return found[::-1]

    def enter(self, family: int, slot: int) -> None:
        """One more member, the newest."""
        self.before = _roomy(self.before, slot + 1)
        self.before[slot] = self.newest[family]
        self.newest[family] = slot

    def set_members(self, family: int, slots: list[int]) -> None:
        """These alone, by age."""
        self.newest[family] = -1
        for slot in slots:
            self.enter(family, slot)

    def kept(self, of: NDArray[np.int32]) -> tuple[Families, NDArray[np.int32]]:
        """Those families alone that slots 0 .. are of, and the new place of each slot's."""
        old, places = np.unique(of, return_inverse=True)
        slots = places.astype(np.int32)
        return Families.made(self.root[old], self.free[old], slots), slots

    @classmethod
    def made(
        cls, root: NDArray[np.uint64], free: NDArray[np.uint64], of: NDArray[np.int32]
    ) -> Families:
        """Those of these beginnings and free places, with slots 0 .. as members `of` them."""
        made, n = cls(), len(root)
        made.filled, made.root, made.free = (
            n,
            _roomy(root.copy(), _FIRST_ROOM),
            _roomy(free.copy(), _FIRST_ROOM),
        )
        made.older, made.newest, made.before, made.group_after = (
            np.full(max(rows, _FIRST_ROOM), -1, np.int32) for rows in (n, n, len(of), n)
        )
        made.group_free = np.zeros(max(n, _FIRST_ROOM), np.uint64)
        made._heads, made._groups = table_for(n), table_for(n)
        kernel_index.chain(made._heads, root, made.older[:n])
        groups = (made.group_free, made.group_after)
        made._grouped = kernel_index.group(made._groups, root, free, groups)
        kernel_index.link(of, made.newest, made.before)
        return made

    def _group(self, root: np.uint64, free: int) -> None:
        head = at = kernel.find(self._groups, root)
        while at >= 0:
            if self.group_free[at] == free:
                return
            at = int(self.group_after[at])
        group = self._grouped
        self._grouped += 1
        self.group_free = _roomy(self.group_free, self._grouped)
        self.group_after = _roomy(self.group_after, self._grouped)
        if 2 * group > len(self._groups[0]):
            self._groups = grown(self._groups)
        self.group_free[group], self.group_after[group] = free, head
        kernel.put(self._groups, root, group)


def table(size: int) -> kernel.Table:
    """An empty one; the size is a power of two."""
    return np.zeros(size, np.uint64), np.full(size, -1, np.int32)


def table_for(keys: int) -> kernel.Table:
    """An empty one with room for so many keys, and as many more."""
    return table(max(1024, 1 << (2 * keys).bit_length()))


def grown(old: kernel.Table) -> kernel.Table:
    """The same in twice the room."""
    made = table(2 * len(old[0]))
    kernel.refill(made, old)
    return made


def _roomy(column: NDArray[Any], needed: int) -> NDArray[Any]:
    """A column with room for so many, half as much more where it has not."""
    if needed <= len(column):
        return column
    made = np.zeros(max(needed, len(column) * 3 // 2), column.dtype)
    made[: len(column)] = column
    return made
