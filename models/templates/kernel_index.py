"""Tables of many families and templates made at once, compiled: after a restart, and a clearing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.templates.kernel import Table, place, skeleton_of

__all__ = ["chain", "group", "link", "list_templates", "pack", "tally"]

Keys = NDArray[np.uint64]
Places = NDArray[np.int32]


@uncounted
def chain(heads: Table, roots: Keys, older: Places) -> None:
    """Of each of these in turn the one before it with the same root; heads lead to the last."""
    for nth in range(len(older)):
        at = place(heads, roots[nth])
        older[nth] = heads[1][at]
        heads[0][at] = roots[nth]
        heads[1][at] = nth


@uncounted
def group(heads: Table, roots: Keys, free: Keys, out: tuple[Keys, Places]) -> int:
    """How many pairs of root and free places there are; each with the next of its root."""
    group_free, group_after = out
    found = 0
    for nth in range(len(roots)):
        at = place(heads, roots[nth])
        known = heads[1][at]
        while known >= 0 and group_free[known] != free[nth]:
            known = group_after[known]
        if known < 0:
            group_free[found], group_after[found] = free[nth], heads[1][at]
            heads[0][at] = roots[nth]
            heads[1][at] = found
            found += 1
    return found


@uncounted
def link(of: Places, newest: Places, before: Places) -> None:
    """Slots 0 .. as members of families: of each the one before, of each family the last."""
    for slot in range(len(of)):
        before[slot] = newest[of[slot]]
        newest[of[slot]] = slot


@uncounted
def list_templates(
    known: Table,
    hashes: Keys,
    rows: tuple[NDArray[np.int64], NDArray[np.uint8], Keys],
    free: Keys,
) -> None:
    """Slots by skeleton; `rows`: where tokens of each begin, how many they are, its shape."""
    start, length, shape = rows
    for slot in range(len(free)):
        key = skeleton_of(hashes, start[slot], int(length[slot]), shape[slot], free[slot])
        at = place(known, key)
        known[0][at] = key
        known[1][at] = slot


@uncounted
def pack(
    tokens: tuple[Keys, NDArray[np.uint8]],
    start: NDArray[np.int64],
    length: NDArray[np.uint8],
) -> int:
    """Move tokens of rows that lie one behind the other together; where the last one ends."""
    end = 0
    for row in range(len(start)):
        begin = start[row]
        start[row] = end
        for k in range(np.int64(length[row])):
            tokens[0][end + k] = tokens[0][begin + k]
            tokens[1][end + k] = tokens[1][begin + k]
        end = int(end + np.int64(length[row]))
    return end


@uncounted
def tally(counts: Table, keys: Keys) -> int:
    """Count each key but 0; how many different ones there are."""
    found = 0
    for nth in range(len(keys)):
        if keys[nth] == 0:
            continue
        at = place(counts, keys[nth])
        if counts[1][at] < 0:
            counts[0][at] = keys[nth]
            counts[1][at] = 0
            found += 1
        counts[1][at] += 1
    return found
