"""Families of lines: templates that are alike but for some words, and which of these are free."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel

__all__ = ["Families", "grown", "table"]


class Families:
    """Families 0 .. `len`: each lines of one beginning, with the same places free.

    `older`: the family of the same beginning that is next, -1 after the last. Groups are the sets
    of free places that families of a beginning have, each once: all that a known line is found by.
    """

    def __init__(self) -> None:
        self._heads, self._groups = table(256), table(256)
        self.roots: list[int] = []
        self.free: list[int] = []
        self.older: list[int] = []
        self.members: list[list[int]] = []
        self.group_roots: list[int] = []
        self.group_free = np.zeros(64, np.uint64)
        self.group_after = np.zeros(64, np.int32)

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def groups(self) -> tuple[kernel.Table, NDArray[np.uint64], NDArray[np.int32]]:
        """As `kernel.walk` reads them."""
        return self._groups, self.group_free, self.group_after

    def newest(self, root: int, most: int) -> list[int]:
        """Families of a beginning that have members, the newest first."""
        found: list[int] = []
        at = kernel.find(self._heads, np.uint64(root))
        while at >= 0 and len(found) < most:
            if self.members[at]:
                found.append(at)
            at = self.older[at]
        return found

    def found(self, root: int, free: int) -> int:
        """A new family, without members."""
        family = len(self.roots)
        if 2 * family > len(self._heads[0]):
            self._heads = grown(self._heads)
        self.older.append(kernel.find(self._heads, np.uint64(root)))
        kernel.put(self._heads, np.uint64(root), family)
        self.roots.append(root)
        self.free.append(free)
        self.members.append([])
        self._group(root, free)
        return family

    def set_free(self, family: int, free: int) -> None:
        """Let these places of it be any, of what was said before and of what comes."""
        self.free[family] = free
        self._group(self.roots[family], free)

    def kept(self, of: NDArray[np.int32]) -> tuple[Families, NDArray[np.int32]]:
        """Those families alone that slots 0 .. are of, and the new place of each slot's."""
        old, places = np.unique(of, return_inverse=True)
        made = Families()
        for family in old.tolist():
            made.found(self.roots[family], self.free[family])
        made.fill(places)
        return made, places.astype(np.int32)

    def fill(self, of: NDArray[Any]) -> None:
        """Let slots 0 .. be members of these."""
        for slot, family in enumerate(of.tolist()):
            self.members[family].append(slot)

    def _group(self, root: int, free: int) -> None:
        head = kernel.find(self._groups, np.uint64(root))
        at = head
        while at >= 0:
            if int(self.group_free[at]) == free:
                return
            at = int(self.group_after[at])
        group = len(self.group_roots)
        if group == len(self.group_free):
            self.group_free = np.concatenate([self.group_free, np.zeros_like(self.group_free)])
            self.group_after = np.concatenate([self.group_after, np.zeros_like(self.group_after)])
        if 2 * group > len(self._groups[0]):
            self._groups = grown(self._groups)
        self.group_roots.append(root)
        self.group_free[group], self.group_after[group] = free, head
        kernel.put(self._groups, np.uint64(root), group)


def table(size: int) -> kernel.Table:
    """An empty one; the size is a power of two."""
    return np.zeros(size, np.uint64), np.full(size, -1, np.int32)


def grown(old: kernel.Table) -> kernel.Table:
    """The same in twice the room."""
    made = table(2 * len(old[0]))
    for at in np.flatnonzero(old[1] >= 0):
        kernel.put(made, old[0][at], int(old[1][at]))
    return made
