"""The wire format of protobuf, walked in compiled loops: fields, numbers, nothing copied.

https://protobuf.dev/programming-guides/encoding/. A field is told as `(number, wire, start, stop)`:
where its payload lies, `stop` being where the next field begins, or -1 where the bytes are no
protobuf. Groups, which nobody writes any more, are no protobuf here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted

__all__ = ["BYTES", "FIXED32", "FIXED64", "VARINT", "Bytes", "bits64", "field", "varint"]

Bytes = NDArray[np.uint8]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MOST_BYTES = 10
_MOST_NUMBER = np.uint64(2**29 - 1)


@uncounted
def varint(data: Bytes, at: int, end: int) -> tuple[np.uint64, int]:
    """The number at `at` and where it ends, -1 where it does not."""
    value = np.uint64(0)
    for place in range(min(_MOST_BYTES, end - at)):
        byte = np.uint64(data[at + place])
        value |= (byte & np.uint64(0x7F)) << np.uint64(7 * place)
        if byte < np.uint64(0x80):
            return value, at + place + 1
    return np.uint64(0), -1


@uncounted
def bits64(data: Bytes, at: int) -> np.uint64:
    """Eight bytes as they lie there: of a double these are the bits."""
    value = np.uint64(0)
    for place in range(8):
        value |= np.uint64(data[at + place]) << np.uint64(8 * place)
    return value


@uncounted
def field(data: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """The field that begins at `at`, of a message that ends at `end`."""
    tag, start = varint(data, at, end)
    wire = int(np.int64(tag & np.uint64(7)))
    number = tag >> np.uint64(3)
    if start < 0 or number == np.uint64(0) or number > _MOST_NUMBER:
        return 0, 0, 0, -1
    start, stop = _payload(data, start, end, wire)
    if stop > end:
        stop = -1
    return int(np.int64(number)), wire, start, stop


@uncounted
def _payload(data: Bytes, at: int, end: int, wire: int) -> tuple[int, int]:
    """Where a payload begins and ends; the end may lie behind the message's."""
    if wire == VARINT:
        return at, varint(data, at, end)[1]
    if wire == FIXED64:
        return at, at + 8
    if wire == FIXED32:
        return at, at + 4
    if wire == BYTES:
        size, start = varint(data, at, end)
        if start < 0 or size > np.uint64(end - start):
            return at, -1
        return start, start + int(np.int64(size))
    return at, -1
