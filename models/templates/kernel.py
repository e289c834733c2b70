"""Lines to templates that are known, compiled: scanned, found in a table, counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates.kernel_scan import Places, mixed, scan

__all__ = ["FREE", "Table", "drop", "find", "joined", "put", "skeleton", "walk"]

# Keys, and where each leads: -1 where there is none.
Table = tuple[NDArray[np.uint64], NDArray[np.int32]]
Ints = NDArray[np.int64]

FREE = np.uint64(0xA5A5A5A5F00DCAFE)
_ONE = np.uint64(1)


@inlined
def _place(table: Table, key: np.uint64) -> int:
    """Where a key is, or the place free for it."""
    keys, to = table
    last = np.uint64(len(keys) - 1)
    at = key & last
    while to[at] >= 0 and keys[at] != key:
        at = (at + _ONE) & last
    return int(np.int64(at))


@inlined
def _find(table: Table, key: np.uint64) -> int:
    return int(table[1][_place(table, key)])


@uncounted
def find(table: Table, key: np.uint64) -> int:
    """Where a key leads, or -1."""
    return _find(table, key)


@uncounted
def put(table: Table, key: np.uint64, to: int) -> None:
    """Let a key lead there. One place of the table at least stays free, by who asks."""
    at = _place(table, key)
    table[0][at] = key
    table[1][at] = to


@uncounted
def drop(table: Table, key: np.uint64) -> None:
    """Forget a key; those behind it move up, so that nothing is left of it."""
    keys, to = table
    last = len(keys) - 1
    hole = np.int64(_place(table, key))
    if to[hole] < 0:
        return
    at = (hole + 1) & last
    while to[at] >= 0:
        home = np.int64(keys[at] & np.uint64(last))
        if (at - home) & last >= (at - hole) & last:
            keys[hole], to[hole] = keys[at], to[at]
            hole = at
        at = (at + 1) & last
    to[hole] = -1


@uncounted
def joined(shape: np.uint64, first: np.uint64) -> np.uint64:
    """Key of all families of lines of a shape that begin with the same token."""
    return mixed(shape, first)


@inlined
def _skeleton(
    hashes: NDArray[np.uint64], first: int, n: int, shape: np.uint64, free: np.uint64
) -> np.uint64:
    h = mixed(shape, free)
    for k in range(n):
        is_free = (free >> np.uint64(k)) & _ONE
        h = mixed(h, FREE if is_free else hashes[first + k])
    return h


@uncounted
def skeleton(
    hashes: NDArray[np.uint64], first: int, n: int, shape: np.uint64, free: np.uint64
) -> np.uint64:
    """Hash of a line whose tokens at the places of the set `free` may be any."""
    return _skeleton(hashes, first, n, shape, free)


@uncounted
def walk(
    text: NDArray[np.uint8],
    ends: Ints,
    first: int,
    clock: int,
    places: Places,
    families: tuple[Table, NDArray[np.uint64], NDArray[np.int32]],
    templates: tuple[Table, Ints, Ints],
    out: tuple[NDArray[np.int32], NDArray[np.uint64], Ints],
    few: int,
) -> int:
    """Count lines from `first` on until one is of no known template; its place, or their number.

    `out`: slots of lines; of the line that stopped it, shape and number of tokens; places of lines
    that are among the first `few` of their template, their number first.
    """
    table, free, after = families
    known, count, seen = templates
    slots, stopped, early = out
    hashes = places[0]
    begin = ends[first - 1] if first > 0 else 0
    for i in range(first, len(ends)):
        n, shape = scan(text, begin, ends[i], places)
        begin = ends[i]
        slot = -1
        family = _find(table, mixed(shape, hashes[0]) if n > 0 else shape)
        while family >= 0 and slot < 0:
            slot = _find(known, _skeleton(hashes, 0, n, shape, free[family]))
            family = after[family]
        if slot < 0:
            stopped[0], stopped[1] = shape, np.uint64(n)
            return i
        if count[slot] < few:
            early[0] += 1
            early[early[0]] = i
        slots[i] = slot
        count[slot] += 1
        seen[slot] = clock + i
    return len(ends)
