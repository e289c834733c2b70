"""Lines to templates that are known, compiled: scanned, found in a table, counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates.kernel_scan import Places, mixed, scan
from models.templates.kinds import KIND, Kind

__all__ = [
    "ANY",
    "FEW",
    "Table",
    "drop",
    "find",
    "joined",
    "place",
    "put",
    "refill",
    "skeleton",
    "skeleton_of",
    "walk",
]

# Keys, and where each leads: -1 where there is none.
Table = tuple[NDArray[np.uint64], NDArray[np.int32]]
Ints = NDArray[np.int64]

# What a free place hashes to, and the beginning of lines whose first token is no plain word.
FREE, ANY = np.uint64(0xA5A5A5A5F00DCAFE), np.uint64(0x3C6EF372FE94F82B)
# So many lines of a template are kept as samples.
FEW = 3
_ONE, _WORD = np.uint64(1), int(Kind.WORD)


@inlined
def place(table: Table, key: np.uint64) -> int:
    """Where in a table a key is, or the place free for it."""
    keys, to = table
    last = np.uint64(len(keys) - 1)
    at = key & last
    while to[at] >= 0 and keys[at] != key:
        at = (at + _ONE) & last
    return int(np.int64(at))


@inlined
def _find(table: Table, key: np.uint64) -> int:
    return int(table[1][place(table, key)])


@uncounted
def find(table: Table, key: np.uint64) -> int:
    """Where a key leads, or -1."""
    return _find(table, key)


@uncounted
def put(table: Table, key: np.uint64, to: int) -> None:
    """Let a key lead there. One place of the table at least stays free, by who asks."""
    at = place(table, key)
    table[0][at] = key
    table[1][at] = to


@uncounted
def refill(table: Table, old: Table) -> None:
    """All keys of another table too."""
    for at in range(len(old[0])):
        if old[1][at] >= 0:
            free = place(table, old[0][at])
            table[0][free] = old[0][at]
            table[1][free] = old[1][at]


@uncounted
def drop(table: Table, key: np.uint64) -> None:
    """Forget a key; those behind it move up, so that nothing is left of it."""
    keys, to = table
    last = len(keys) - 1
    hole = np.int64(place(table, key))
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
def skeleton_of(
    hashes: NDArray[np.uint64], first: int, n: int, shape: np.uint64, free: np.uint64
) -> np.uint64:
    """As `skeleton`, inside other loops."""
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
    return skeleton_of(hashes, first, n, shape, free)


@inlined
def _among(
    root: np.uint64,
    n: int,
    shape: np.uint64,
    hashes: NDArray[np.uint64],
    groups: tuple[Table, NDArray[np.uint64], NDArray[np.int32]],
    known: Table,
) -> int:
    """Slot of the oldest template that fits among those that begin so, or -1."""
    heads, free, after = groups
    oldest, group = -1, _find(heads, root)
    while group >= 0:
        slot = _find(known, skeleton_of(hashes, 0, n, shape, free[group]))
        if slot >= 0 and (oldest < 0 or slot < oldest):
            oldest = slot
        group = int(after[group])
    return oldest


@uncounted
def walk(
    text: NDArray[np.uint8],
    ends: Ints,
    first: int,
    clock: int,
    places: Places,
    groups: tuple[Table, NDArray[np.uint64], NDArray[np.int32]],
    templates: tuple[Table, NDArray[np.int32], Ints, Ints],
    out: tuple[NDArray[np.int32], NDArray[np.uint64], Ints],
) -> int:
    """Count lines from `first` on until one is of no known template; its place, or their number.

    `groups`: by key of a beginning, sets of free places, each with the next. `templates`: slots by
    skeleton; of slots their number, count of lines, and the last line. `out`: numbers of lines; of
    the line that stopped it, shape and number of tokens; places of lines that are among the first
    `FEW` of their template, how many they are before them.
    """
    numbers, stopped, early = out
    number, count, seen = templates[1:]
    begin = ends[first - 1] if first > 0 else 0
    for i in range(first, len(ends)):
        n, shape = scan(text, begin, ends[i], places)
        begin = ends[i]
        slot = -1
        if n > 0 and (places[1][0] & KIND) == _WORD:
            slot = _among(mixed(shape, places[0][0]), n, shape, places[0], groups, templates[0])
        if slot < 0:
            slot = _among(mixed(shape, ANY), n, shape, places[0], groups, templates[0])
        if slot < 0:
            stopped[0], stopped[1] = shape, np.uint64(n)
            return i
        if count[slot] < FEW:
            early[0] += 1
            early[early[0]] = i
        numbers[i] = number[slot]
        count[slot] += 1
        seen[slot] = clock + i
    return len(ends)
