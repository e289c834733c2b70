"""One walk over an OTLP logs request: where its resources and records lie.

https://github.com/open-telemetry/opentelemetry-proto, logs/v1/logs.proto and common/v1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.logs.named import Names, nth_name
from pipelines.ingest.logs.places import NONE, OTHER, Found, owner_rows, remember, rows, text_state
from pipelines.ingest.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    Bytes,
    bits64,
    field,
    varint,
)

__all__ = ["Scanned", "is_apart", "scan"]

Places = NDArray[np.int64]

# Of ExportLogsServiceRequest, ResourceLogs and ScopeLogs; and of a pair, and of a value.
_FIRST, _SECOND = 1, 2
_KEY, _VALUE = 1, 2
_STRING, _BYTES = 1, 7
# Of LogRecord.
_TIME, _SEVERITY, _WORD, _BODY, _ATTRIBUTE, _TRACE, _SEEN, _EVENT = 1, 2, 3, 5, 6, 9, 11, 12
_TRACE_BYTES = 16
# Rows of what is counted.
_RESOURCES, _RECORDS, _APART, _BROKEN = range(4)


class Scanned(NamedTuple):
    """The records of a request, and `resources` (R, 2): where the resource of each owner lies."""

    found: Found
    resources: Places
    counted: Places


def scan(data: bytes, names: Names, longest: int) -> Scanned | None:
    """What a request holds, None where it is no protobuf; `BodyTooLargeError` as of `rows`.

    Where `is_apart` of it, its fields are not in the order in which libraries write them, and it
    is not to be used.
    """
    body = np.frombuffer(data, dtype=np.uint8)
    nothing = Scanned(
        found=rows(0),
        resources=owner_rows(0),
        counted=np.zeros(4, dtype=np.int64),
    )
    _walk(body, nothing, names, longest, False)
    resources, records, _, broken = nothing.counted.tolist()
    if broken:
        return None
    scanned = Scanned(
        found=rows(records),
        resources=owner_rows(resources),
        counted=np.zeros(4, dtype=np.int64),
    )
    _walk(body, scanned, names, longest, True)
    return None if scanned.counted[_BROKEN] else scanned


def is_apart(scanned: Scanned) -> bool:
    """Whether fields that belong together do not lie together."""
    return bool(scanned.counted[_APART])


@uncounted
def _walk(data: Bytes, into: Scanned, names: Names, longest: int, filling: bool) -> None:
    at, end = 0, len(data)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _FIRST and wire == BYTES:
            _resource(data, start, stop, into, names, longest, filling)
        at = stop


@uncounted
def _resource(
    data: Bytes, at: int, end: int, into: Scanned, names: Names, longest: int, filling: bool
) -> None:
    begin, finish, seen = end, end, 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _FIRST and wire == BYTES:
            begin, finish, seen = start, stop, seen + 1
        elif number == _SECOND and wire == BYTES:
            _scope(data, start, stop, into, names, longest, filling)
        at = stop
    if seen > 1:
        into.counted[_APART] = 1
    if filling:
        row = into.resources[into.counted[_RESOURCES]]
        row[0], row[1] = begin, finish
    into.counted[_RESOURCES] += 1


@uncounted
def _scope(
    data: Bytes, at: int, end: int, into: Scanned, names: Names, longest: int, filling: bool
) -> None:
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _SECOND and wire == BYTES:
            if filling:
                _record(data, start, stop, into, names, longest)
            into.counted[_RECORDS] += 1
        at = stop


@uncounted
def _record(data: Bytes, at: int, end: int, into: Scanned, names: Names, longest: int) -> None:
    found, row = into.found, into.counted[_RECORDS]
    found.owner[row] = into.counted[_RESOURCES]
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if wire == BYTES:
            if number == _ATTRIBUTE:
                _attribute(data, start, stop, row, into, names)
            elif number == _BODY:
                _body(data, start, stop, row, into, longest)
            elif number == _EVENT and found.state[row] == NONE:
                # An event may have no body: then its name is what happened.
                found.state[row] = text_state(data, start, stop, longest)
                found.text[row, 0], found.text[row, 1] = start, stop
            else:
                _word(data, number, start, stop, row, found)
        elif wire == FIXED64:
            _moment(data, number, start, row, found)
        elif wire == VARINT and number == _SEVERITY:
            found.severity[row] = np.int64(varint(data, start, stop)[0])
        at = stop


@uncounted
def _moment(data: Bytes, number: int, start: int, row: int, found: Found) -> None:
    if number == _TIME:
        found.at[row] = bits64(data, start)
    elif number == _SEEN:
        found.seen[row] = bits64(data, start)


@uncounted
def _word(data: Bytes, number: int, start: int, stop: int, row: int, found: Found) -> None:
    if number == _WORD:
        found.word[row, 0], found.word[row, 1] = start, stop
    elif number == _TRACE and stop - start == _TRACE_BYTES:
        for place in range(_TRACE_BYTES):
            found.trace[row, place] = data[start + place]


@uncounted
def _body(data: Bytes, at: int, end: int, row: int, into: Scanned, longest: int) -> None:
    """Where a text lies; of any other value, where the value itself does."""
    found = into.found
    found.state[row], found.text[row, 0], found.text[row, 1] = OTHER, at, end
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if wire == BYTES and number in (_STRING, _BYTES):
            found.state[row] = text_state(data, start, stop, longest)
            found.text[row, 0], found.text[row, 1] = start, stop
        at = stop


@uncounted
def _attribute(data: Bytes, at: int, end: int, row: int, into: Scanned, names: Names) -> None:
    """Remember where the value lies of the name of each role that is preferred."""
    nth, begin, finish = -1, end, end
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _KEY and wire == BYTES:
            nth = nth_name(data, start, stop, names)
        elif number == _VALUE and wire == BYTES:
            begin, finish = start, stop
        at = stop
    if nth >= 0:
        remember(into.found, row, names.role[nth], nth, begin, finish)
