"""Shapes of spans, found by their bytes in compiled loops: what a name follows from, held once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.hashing import hashed, same
from pipelines.ingest.protobuf import Bytes
from pipelines.ingest.spans.keys import Slot
from pipelines.ingest.spans.statement import verb_and_table

__all__ = ["LETTERS", "MOST_SHAPES", "NO_SHAPE", "SHAPES", "Shapes", "made", "shape_of"]

NO_SHAPE = -1
MOST_SHAPES = 32_768
# Of one value; what is longer is cut there.
_MOST_OF_VALUE = 255
_LETTERS_OF_SHAPE = 256
SHAPES, LETTERS = range(2)

_NAME, _METHOD, _ROUTE, _TEMPLATE = int(Slot.NAME), int(Slot.METHOD), Slot.ROUTE, Slot.TEMPLATE
_RPC_METHOD, _PEER, _ADDRESS = int(Slot.RPC_METHOD), int(Slot.PEER), int(Slot.ADDRESS)
_DB_SYSTEM, _DB_SUMMARY = int(Slot.DB_SYSTEM), int(Slot.DB_SUMMARY)
_DB_OPERATION, _DB_COLLECTION = int(Slot.DB_OPERATION), int(Slot.DB_COLLECTION)
_DB_TEXT, _HTTP_STATUS = int(Slot.DB_TEXT), int(Slot.HTTP_STATUS)
_DESTINATION, _MESSAGING = int(Slot.DESTINATION), int(Slot.MESSAGING_OPERATION)
_SERVER, _CONSUMER = 2, 5


class Shapes(NamedTuple):
    """Up to `MOST_SHAPES` shapes.

    A shape is the kind of a span and then, of each slot that counts, its number, how many bytes it
    has, and these. `letters` holds the bytes of all, `ends` where each ends, `places` is a hash
    table of their numbers, -1 for none; `used` how many shapes and letters there are.
    """

    letters: Bytes
    ends: NDArray[np.int64]
    places: NDArray[np.int32]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


def made(seed: int, most: int = MOST_SHAPES) -> Shapes:
    """None yet."""
    return Shapes(
        letters=np.zeros(_LETTERS_OF_SHAPE * most, dtype=np.uint8),
        ends=np.zeros(most + 1, dtype=np.int64),
        places=np.full(1 << (2 * most - 1).bit_length(), -1, dtype=np.int32),
        used=np.zeros(2, dtype=np.int64),
        seed=np.array([seed], dtype=np.uint64),
    )


@uncounted
def shape_of(
    data: Bytes, kind: int, slots: NDArray[np.int64], scratch: Bytes, shapes: Shapes
) -> int:
    """The number of a shape, a new one if need be; `NO_SHAPE` where there is no room for that.

    `slots` (S, 2): where the value of each lies, 0, 0 where it is not there; it is changed.
    """
    _settle(data, kind, slots)
    size = _written(data, kind, slots, scratch)
    mask = len(shapes.places) - 1
    here = hashed(scratch, 0, size, shapes.seed[0]) & mask
    while shapes.places[here] >= 0:
        number = int(shapes.places[here])
        begin = shapes.ends[number]
        if shapes.ends[number + 1] - begin == size and same(
            shapes.letters, begin, scratch, 0, size
        ):
            return number
        here = (here + 1) & mask
    number, letters = shapes.used[SHAPES], shapes.used[LETTERS]
    if number + 1 >= len(shapes.ends) or letters + size > len(shapes.letters):
        return NO_SHAPE
    for place in range(size):
        shapes.letters[letters + place] = scratch[place]
    shapes.ends[number + 1] = letters + size
    shapes.places[here] = number
    shapes.used[SHAPES], shapes.used[LETTERS] = number + 1, letters + size
    return int(number)


@uncounted
def _settle(data: Bytes, kind: int, slots: NDArray[np.int64]) -> None:
    """Leave out what the name does not follow from: values that differ would make many shapes."""
    text = slots[_DB_TEXT]
    if text[1] > text[0] and not _has(slots, _DB_SUMMARY):
        verb, verb_end, table, table_end = verb_and_table(data, text[0], text[1])
        if not _has(slots, _DB_OPERATION):
            slots[_DB_OPERATION, 0], slots[_DB_OPERATION, 1] = verb, verb_end
        if not _has(slots, _DB_COLLECTION):
            slots[_DB_COLLECTION, 0], slots[_DB_COLLECTION, 1] = table, table_end
    if _is_named(slots):
        slots[_NAME, 1] = slots[_NAME, 0]
    if _has(slots, _PEER) or kind in (_SERVER, _CONSUMER):
        slots[_ADDRESS, 1] = slots[_ADDRESS, 0]


@uncounted
def _is_named(slots: NDArray[np.int64]) -> bool:
    """Whether attributes name the operation, so that the name of the span says nothing more."""
    if _has(slots, _METHOD) and (_has(slots, _ROUTE) or _has(slots, _TEMPLATE)):
        return True
    if _has(slots, _DB_SYSTEM):
        return _has(slots, _DB_SUMMARY) or _has(slots, _DB_OPERATION)
    if _has(slots, _DESTINATION):
        return _has(slots, _MESSAGING)
    return _has(slots, _RPC_METHOD)


@uncounted
def _has(slots: NDArray[np.int64], slot: int) -> bool:
    return bool(slots[slot, 1] > slots[slot, 0])


@uncounted
def _written(data: Bytes, kind: int, slots: NDArray[np.int64], scratch: Bytes) -> int:
    """Write a shape; how many bytes it has."""
    scratch[0] = kind
    size = 1
    for slot in range(_DB_TEXT):
        begin = slots[slot, 0]
        count = min(slots[slot, 1] - begin, _MOST_OF_VALUE)
        if count > 0:
            scratch[size], scratch[size + 1] = slot, count
            for place in range(count):
                scratch[size + 2 + place] = data[begin + place]
            size += 2 + count
    return size
