"""Labels as numbers, in compiled loops: each pair of a name and a value is held once, by its bytes.

A series is the numbers of its pairs. Both are found by hashes in tables with a place for each; a
place is empty (-1), was left (-2), or has the number of a pair or of a series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled
from pipelines.ingest.hashing import hashed, same
from pipelines.ingest.protobuf import BYTES, Bytes, field, varint

__all__ = [
    "EMPTY",
    "FREE",
    "Tables",
    "add",
    "block",
    "find",
    "leave",
    "mark_names",
    "mean",
    "meant",
    "of_pairs",
    "place",
    "rehash",
    "repack",
]

EMPTY, LEFT = -1, -2
# Where the words of a series begin that is not there.
FREE = np.uint32(0xFFFFFFFF)
_LABEL = 1
_MOST = 256
_MORE, _LOW = np.uint64(0x80), np.uint64(0x7F)
# Counts of what is in use.
PAIRS, LETTERS, WORDS = range(3)


class Tables(NamedTuple):
    """P pairs and S series, with room for more.

    `letters` are the bytes of all pairs, each as a label of a message; `ends` (P,) where each ends;
    `wanted` (P,) for the name of a metric the kind of its series that remote write means, else -1.
    `words`: of each series how many bytes the numbers of its pairs take, and those numbers;
    `starts` (S,) where that begins, `kinds` (S,). `pairs` and `series` are the hash tables, `used`
    how many pairs, letters and words there are; `seed` what hashes begin with.
    """

    letters: Bytes
    ends: NDArray[np.uint32]
    wanted: NDArray[np.int8]
    words: Bytes
    starts: NDArray[np.uint32]
    kinds: NDArray[np.int8]
    pairs: NDArray[np.int32]
    series: NDArray[np.int32]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


@compiled
def find(data: Bytes, labels: NDArray[np.int64], tables: Tables, ids: NDArray[np.int32]) -> None:
    """The ids of series whose labels lie at (N, 2) `labels`, of the kind that their name means.

    -1 where a series, or what kind it is of, is not known, or its labels do not lie together.
    """
    lasts = np.zeros((_MOST, 3), dtype=np.int64)
    known = np.zeros(1, dtype=np.int64)
    scratch = np.empty(5 * _MOST, dtype=np.uint8)
    for row in range(len(labels)):
        size, kind = _numbers(data, labels[row, 0], labels[row, 1], tables, lasts, known, scratch)
        ids[row] = EMPTY
        if size >= 0 and kind >= 0:
            ids[row] = max(tables.series[_place(scratch, size, kind, tables)], EMPTY)


@compiled
def place(data: Bytes, kind: int, tables: Tables) -> int:
    """The id of the one series with these labels, of a kind; -1 where it is not known."""
    lasts = np.zeros((_MOST, 3), dtype=np.int64)
    known = np.zeros(1, dtype=np.int64)
    scratch = np.empty(5 * _MOST, dtype=np.uint8)
    size, _ = _numbers(data, 0, len(data), tables, lasts, known, scratch)
    if size < 0:
        return EMPTY
    return int(max(tables.series[_place(scratch, size, kind, tables)], EMPTY))


@compiled
def _numbers(
    data: Bytes,
    at: int,
    stop: int,
    tables: Tables,
    lasts: NDArray[np.int64],
    known: NDArray[np.int64],
    scratch: Bytes,
) -> tuple[int, int]:
    """Fill in the numbers of a series' pairs: how many bytes they take, and what kind it is of.

    (-1, -1) where one is not known. Series that follow each other share most of their pairs: those
    of the last one are in `lasts`, with where they lie.
    """
    size, kind, nth = 0, -1, 0
    shared, known[0] = known[0], 0
    while at < stop:
        number, wire, _, end = field(data, at, stop)
        if end < 0 or number != _LABEL or wire != BYTES or nth == _MOST:
            return -1, -1
        last = lasts[nth]
        if nth < shared and last[1] == end - at and same(data, at, data, last[0], end - at):
            pair = last[2]
        else:
            pair = np.int64(tables.pairs[_pair_place(data, at, end, tables)])
            if pair < 0:
                return -1, -1
        last[0], last[1], last[2] = at, end - at, pair
        if tables.wanted[pair] >= 0:
            kind = tables.wanted[pair]
        size = _put(scratch, size, pair)
        nth += 1
        at = end
    known[0] = nth
    return size, kind


@compiled
def add(data: Bytes, kind: int, id: int, tables: Tables) -> None:
    """Add a series that is not there; there must be room for all that it may need."""
    used = tables.used
    begin = used[WORDS]
    scratch = np.empty(5 * _MOST, dtype=np.uint8)
    at, size = 0, 0
    while at < len(data):
        end = field(data, at, len(data))[3]
        size = _put(scratch, size, _pair(data, at, end, tables))
        at = end
    here = _place(scratch, size, kind, tables)
    stop = _put(tables.words, begin, size)
    tables.words[stop : stop + size] = scratch[:size]
    used[WORDS] = stop + size
    tables.starts[id], tables.kinds[id] = np.uint32(begin), kind
    tables.series[here] = id


@compiled
def _pair(data: Bytes, at: int, end: int, tables: Tables) -> int:
    """The number of a pair, a new one if need be."""
    here = _pair_place(data, at, end, tables)
    if tables.pairs[here] >= 0:
        return int(tables.pairs[here])
    number, letters = tables.used[PAIRS], tables.used[LETTERS]
    tables.letters[letters : letters + end - at] = data[at:end]
    tables.ends[number] = np.uint32(letters + end - at)
    tables.wanted[number] = -1
    tables.used[PAIRS], tables.used[LETTERS] = number + 1, letters + end - at
    tables.pairs[here] = number
    return int(number)


@compiled
def leave(id: int, tables: Tables) -> None:
    """A series is not there any more."""
    size, begin = varint(tables.words, int(tables.starts[id]), len(tables.words))
    scratch = tables.words[begin : begin + int(np.int64(size))]
    tables.series[_place(scratch, len(scratch), tables.kinds[id], tables)] = LEFT
    tables.starts[id] = FREE


@compiled
def repack(old: Tables, new: Tables, count: int) -> None:
    """Fill empty tables with the series that are there, and with the pairs that they have."""
    moved = np.full(old.used[PAIRS], EMPTY, dtype=np.int64)
    scratch = np.empty(5 * _MOST, dtype=np.uint8)
    for id in range(count):
        new.starts[id], new.kinds[id] = FREE, old.kinds[id]
        if old.starts[id] == FREE:
            continue
        length, at = varint(old.words, int(old.starts[id]), len(old.words))
        stop, size = at + int(np.int64(length)), 0
        while at < stop:
            number, at = varint(old.words, at, stop)
            pair = int(np.int64(number))
            if moved[pair] < 0:
                begin, end = _span(pair, old)
                moved[pair] = _pair(old.letters, begin, end, new)
                new.wanted[moved[pair]] = old.wanted[pair]
            size = _put(scratch, size, moved[pair])
        new.starts[id] = np.uint32(new.used[WORDS])
        stop = _put(new.words, new.used[WORDS], size)
        new.words[stop : stop + size] = scratch[:size]
        new.used[WORDS] = stop + size
        new.series[_place(scratch, size, new.kinds[id], new)] = id


@compiled
def rehash(tables: Tables, count: int) -> None:
    """Fill empty hash tables."""
    for pair in range(tables.used[PAIRS]):
        begin, end = _span(pair, tables)
        tables.pairs[_pair_place(tables.letters, begin, end, tables)] = pair
    for id in range(count):
        if tables.starts[id] != FREE:
            size, begin = varint(tables.words, int(tables.starts[id]), len(tables.words))
            numbers = tables.words[begin : begin + int(np.int64(size))]
            tables.series[_place(numbers, len(numbers), tables.kinds[id], tables)] = id


@compiled
def mark_names(name: Bytes, kinds: NDArray[np.int8], tables: Tables, count: int) -> None:
    """Let names mean the kind of their series, the last of them; `kinds` may be taken for one.

    `name` is what the label of a name has where its value is left out.
    """
    for id in range(count):
        if tables.starts[id] == FREE or not kinds[tables.kinds[id]]:
            continue
        length, at = varint(tables.words, int(tables.starts[id]), len(tables.words))
        stop = at + int(np.int64(length))
        while at < stop:
            number, at = varint(tables.words, at, stop)
            pair = int(np.int64(number))
            begin, end = _span(pair, tables)
            inner = varint(tables.letters, begin + 1, end)[1]
            if end - inner > len(name) and same(tables.letters, inner, name, 0, len(name)):
                tables.wanted[pair] = tables.kinds[id]


@compiled
def mean(name: Bytes, kind: int, tables: Tables) -> None:
    """Let the name that is a label alone mean a kind, if a series has it."""
    pair = int(tables.pairs[_pair_place(name, 0, len(name), tables)])
    if pair >= 0:
        tables.wanted[pair] = kind


@compiled
def meant(name: Bytes, tables: Tables) -> int:
    """The kind that a name means, -1 for none."""
    pair = int(tables.pairs[_pair_place(name, 0, len(name), tables)])
    return int(tables.wanted[pair]) if pair >= 0 else -1


@compiled
def of_pairs(data: Bytes, ends: NDArray[np.int64], tables: Tables, count: int) -> NDArray[np.int64]:
    """The ids of series that have one of some pairs, which lie between the `ends` in the data."""
    is_one = np.zeros(tables.used[PAIRS] + 1, dtype=np.bool_)
    for nth in range(len(ends) - 1):
        pair = int(tables.pairs[_pair_place(data, ends[nth], ends[nth + 1], tables)])
        is_one[pair if pair >= 0 else tables.used[PAIRS]] = pair >= 0
    found, size = np.empty(count, dtype=np.int64), 0
    for id in range(count):
        if tables.starts[id] == FREE:
            continue
        length, at = varint(tables.words, int(tables.starts[id]), len(tables.words))
        stop, has = at + int(np.int64(length)), False
        while at < stop and not has:
            number, at = varint(tables.words, at, stop)
            has = is_one[int(np.int64(number))]
        if has:
            found[size] = id
            size += 1
    return found[:size].copy()


@compiled
def block(id: int, tables: Tables) -> Bytes:
    """The labels of a series as they came."""
    length, first = varint(tables.words, int(tables.starts[id]), len(tables.words))
    stop = first + int(np.int64(length))
    found, size = np.empty(0, dtype=np.uint8), 0
    for is_filled in range(2):
        at, size = first, 0
        while at < stop:
            number, at = varint(tables.words, at, stop)
            pair = int(np.int64(number))
            begin, end = _span(pair, tables)
            if is_filled:
                found[size : size + end - begin] = tables.letters[begin:end]
            size += end - begin
        if not is_filled:
            found = np.empty(size, dtype=np.uint8)
    return found


@compiled
def _span(pair: int, tables: Tables) -> tuple[int, int]:
    """Where a pair begins and ends."""
    begin = 0 if pair == 0 else int(tables.ends[pair - 1])
    return begin, int(tables.ends[pair])


@compiled
def _pair_place(data: Bytes, at: int, end: int, tables: Tables) -> int:
    """Where in the hash table a pair is, or would be."""
    mask = len(tables.pairs) - 1
    here = hashed(data, at, end, tables.seed[0]) & mask
    while True:
        pair = int(tables.pairs[here])
        if pair == EMPTY:
            return here
        begin, stop = _span(pair, tables)
        if stop - begin == end - at and same(tables.letters, begin, data, at, end - at):
            return here
        here = (here + 1) & mask


@compiled
def _place(numbers: Bytes, size: int, kind: int, tables: Tables) -> int:
    """Where in the hash table a series is, or would be."""
    mask = len(tables.series) - 1
    here = hashed(numbers, 0, size, tables.seed[0] ^ np.uint64(kind + 1)) & mask
    free = -1
    while True:
        id = np.int64(tables.series[here])
        if id == EMPTY:
            return here if free < 0 else free
        if id == LEFT:
            free = here if free < 0 else free
        elif tables.kinds[id] == kind:
            length, begin = varint(tables.words, int(tables.starts[id]), len(tables.words))
            if np.int64(length) == size and same(tables.words, begin, numbers, 0, size):
                return here
        here = (here + 1) & mask


@compiled
def _put(into: Bytes, at: int, number: int) -> int:
    """Write a number in as few bytes as it takes; where it ends."""
    left = np.uint64(number)
    while left >= _MORE:
        into[at] = np.uint8((left & _LOW) | _MORE)
        left >>= np.uint64(7)
        at += 1
    into[at] = np.uint8(left)
    return at + 1
