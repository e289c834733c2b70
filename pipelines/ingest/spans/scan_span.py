"""A span of OTLP, read where it lies: ids, times, status, and its shape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.protobuf import BYTES, FIXED64, VARINT, Bytes, bits64, field, varint
from pipelines.ingest.spans.keys import KEYS, SLOTS, Keys, Slot, slot_of
from pipelines.ingest.spans.shapes_scan import Shapes, shape_of

__all__ = ["Held", "Reader", "fill_span", "reader_into"]

# Fields of Span, Status, KeyValue and AnyValue.
_TRACE, _SPAN, _PARENT, _NAME, _KIND, _START, _END, _ATTRIBUTE, _STATUS = 1, 2, 4, 5, 6, 7, 8, 9, 15
_CODE, _KEY, _VALUE, _STRING, _INT = 3, 1, 2, 1, 3
_NAMED, _HTTP_STATUS = int(Slot.NAME), int(Slot.HTTP_STATUS)
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_MOST_KIND, _UNSET, _ERROR, _MOST_STATUS, _FAILING, _NO_STATUS = 5, 0, 2, 2, 500, 600
_UNRANKED = 99


class Held(NamedTuple):
    """N spans: columns as in `Spans`, `end` unix nanoseconds, `shape` its number or `NO_SHAPE`.

    `resource` (N,) rows of the resources; `has_ids` (N,) whether both ids are such.
    """

    trace: NDArray[np.uint8]
    span: NDArray[np.uint64]
    parent: NDArray[np.uint64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kind: NDArray[np.uint8]
    status: NDArray[np.uint8]
    shape: NDArray[np.int32]
    resource: NDArray[np.int32]
    has_ids: NDArray[np.bool_]


class Reader(NamedTuple):
    """What reading a span takes, with room for the one at hand.

    `slots` (S, 2) where its values lie, `ranks` (S,) of their names, `letters` of its shape.
    """

    keys: Keys
    shapes: Shapes
    slots: NDArray[np.int64]
    ranks: NDArray[np.int64]
    letters: Bytes


def reader_into(shapes: Shapes) -> Reader:
    """A reader that adds new shapes to these."""
    return Reader(
        keys=KEYS,
        shapes=shapes,
        slots=np.zeros((SLOTS, 2), dtype=np.int64),
        ranks=np.zeros(SLOTS, dtype=np.int64),
        letters=np.zeros(1 + 257 * SLOTS, dtype=np.uint8),
    )


@uncounted
def fill_span(data: Bytes, at: int, end: int, row: int, held: Held, reader: Reader) -> bool:
    """Read a span into a row; False where it is no protobuf."""
    reader.slots[:] = 0
    reader.ranks[:] = _UNRANKED
    http = 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return False
        if wire == BYTES:
            told = _held_bytes(data, number, start, stop, row, held, reader)
            if told < 0:
                return False
            http = told or http
        elif wire == FIXED64:
            _time(data, number, start, row, held)
        elif wire == VARINT and number == _KIND:
            kind = varint(data, start, stop)[0]
            held.kind[row] = np.uint8(kind) if kind <= np.uint64(_MOST_KIND) else np.uint8(0)
        at = stop
    held.has_ids[row] = held.has_ids[row] and held.span[row] != np.uint64(0)
    if _FAILING <= http < _NO_STATUS and held.status[row] == _UNSET:
        held.status[row] = _ERROR
    kind_of_call = int(held.kind[row])
    held.shape[row] = shape_of(data, kind_of_call, reader.slots, reader.letters, reader.shapes)
    return True


@uncounted
def _held_bytes(
    data: Bytes, number: int, start: int, stop: int, row: int, held: Held, reader: Reader
) -> int:
    """Read a field of bytes; a status of HTTP where it tells one, -1 where it is broken, else 0."""
    if number == _ATTRIBUTE:
        return _attribute(data, start, stop, reader)
    if number == _STATUS:
        return _status(data, start, stop, row, held)
    if number == _NAME:
        reader.slots[_NAMED, 0], reader.slots[_NAMED, 1] = start, stop
    elif number == _TRACE:
        held.has_ids[row] = _trace(data, start, stop, held.trace[row])
    elif number == _SPAN:
        held.span[row] = _id(data, start, stop)
    elif number == _PARENT:
        held.parent[row] = _id(data, start, stop)
    return 0


@uncounted
def _time(data: Bytes, number: int, start: int, row: int, held: Held) -> None:
    if number == _START:
        held.start[row] = np.int64(bits64(data, start))
    elif number == _END:
        held.end[row] = np.int64(bits64(data, start))


@uncounted
def _trace(data: Bytes, at: int, end: int, into: Bytes) -> bool:
    """Copy a trace id; whether it is one: sixteen bytes, not all zero."""
    if end - at != _TRACE_BYTES:
        return False
    bits = np.uint8(0)
    for place in range(_TRACE_BYTES):
        into[place] = data[at + place]
        bits |= data[at + place]
    return bool(bits != 0)


@uncounted
def _id(data: Bytes, at: int, end: int) -> np.uint64:
    """Eight bytes, the most significant first; 0 where there are not eight."""
    value = np.uint64(0)
    if end - at == _SPAN_BYTES:
        for place in range(_SPAN_BYTES):
            value = value << np.uint64(8) | np.uint64(data[at + place])
    return value


@uncounted
def _status(data: Bytes, at: int, end: int, row: int, held: Held) -> int:
    """Read a status; -1 where it is broken."""
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return -1
        if number == _CODE and wire == VARINT:
            code = varint(data, start, stop)[0]
            held.status[row] = np.uint8(code) if code <= np.uint64(_MOST_STATUS) else np.uint8(0)
        at = stop
    return 0


@uncounted
def _attribute(data: Bytes, at: int, end: int, reader: Reader) -> int:
    """Keep where the value lies, if it tells something; a status of HTTP, 0 for none, -1 broken."""
    key, key_end, value, value_end = 0, 0, 0, 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return -1
        if number == _KEY and wire == BYTES:
            key, key_end = start, stop
        elif number == _VALUE and wire == BYTES:
            value, value_end = start, stop
        at = stop
    slot, rank = slot_of(data, key, key_end, reader.keys)
    if slot < 0 or rank > reader.ranks[slot]:
        return 0
    return _value(data, value, value_end, slot, rank, reader)


@uncounted
def _value(data: Bytes, at: int, end: int, slot: int, rank: int, reader: Reader) -> int:
    """As `_attribute`, of a value that tells something."""
    status = 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return -1
        if number == _STRING and wire == BYTES and stop > start:
            reader.slots[slot, 0], reader.slots[slot, 1] = start, stop
            reader.ranks[slot] = rank
            if slot == _HTTP_STATUS:
                status = _digits(data, start, stop)
        elif number == _INT and wire == VARINT and slot == _HTTP_STATUS:
            code = varint(data, start, stop)[0]
            status = int(np.int64(code)) if code < np.uint64(_NO_STATUS) else 0
            reader.ranks[slot] = rank
        at = stop
    return status


@uncounted
def _digits(data: Bytes, at: int, end: int) -> int:
    """The number that three digits are, else 0."""
    if end - at != 3:
        return 0
    value = 0
    for place in range(at, end):
        if not 48 <= data[place] <= 57:
            return 0
        value = 10 * value + int(data[place]) - 48
    return value
