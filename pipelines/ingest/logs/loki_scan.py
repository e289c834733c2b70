"""One walk over a push request of Loki: where its streams and entries lie.

https://github.com/grafana/loki, pkg/push/push.proto.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.hashing import same
from pipelines.ingest.logs.named import Names, nth_name
from pipelines.ingest.logs.places import Found, owner_rows, remember, rows, text_state
from pipelines.ingest.protobuf import BYTES, VARINT, Bytes, field, varint

__all__ = ["Pushed", "scan_push"]

Places = NDArray[np.int64]

# Of PushRequest and StreamAdapter; of EntryAdapter; of Timestamp; of LabelPairAdapter.
_STREAM, _LABELS, _ENTRY = 1, 1, 2
_TIME, _LINE, _METADATA = 1, 2, 3
_SECONDS, _NANOS = 1, 2
_NAME, _VALUE = 1, 2
_SECOND = np.int64(1_000_000_000)
# Rows of what is counted.
_STREAMS, _ENTRIES, _TWICE, _BROKEN = range(4)


class Pushed(NamedTuple):
    """The entries of a request, and `labels` (S, 2): where the labels of each owner lie.

    `twice` (N,): an entry that is the one before it in its stream once more.
    """

    found: Found
    labels: Places
    twice: NDArray[np.bool_]
    counted: Places


def scan_push(data: bytes, names: Names, longest: int) -> Pushed | None:
    """What a request holds, None where it is no protobuf; `BodyTooLargeError` as of `rows`."""
    body = np.frombuffer(data, dtype=np.uint8)
    nothing = _room(0, 0)
    _walk(body, nothing, names, longest, False)
    streams, entries, _, is_broken = nothing.counted.tolist()
    if is_broken:
        return None
    pushed = _room(streams, entries)
    _walk(body, pushed, names, longest, True)
    return None if pushed.counted[_BROKEN] else pushed


def _room(streams: int, entries: int) -> Pushed:
    return Pushed(
        found=rows(entries),
        labels=owner_rows(streams),
        twice=np.zeros(entries, dtype=np.bool_),
        counted=np.zeros(4, dtype=np.int64),
    )


@uncounted
def _walk(data: Bytes, into: Pushed, names: Names, longest: int, filling: bool) -> None:
    at, end = 0, len(data)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _STREAM and wire == BYTES:
            _stream(data, start, stop, into, names, longest, filling)
        at = stop


@uncounted
def _stream(
    data: Bytes, at: int, end: int, into: Pushed, names: Names, longest: int, filling: bool
) -> None:
    begin, finish, first = end, end, True
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _LABELS and wire == BYTES:
            begin, finish = start, stop
        elif number == _ENTRY and wire == BYTES:
            if filling:
                _entry(data, start, stop, into, names, longest)
                if not first:
                    _compare(data, into)
            first = False
            into.counted[_ENTRIES] += 1
        at = stop
    if filling:
        row = into.labels[into.counted[_STREAMS]]
        row[0], row[1] = begin, finish
    into.counted[_STREAMS] += 1


@uncounted
def _entry(data: Bytes, at: int, end: int, into: Pushed, names: Names, longest: int) -> None:
    found, row = into.found, into.counted[_ENTRIES]
    found.owner[row] = into.counted[_STREAMS]
    found.text[row, 0], found.text[row, 1] = at, at
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if wire == BYTES:
            if number == _TIME:
                found.at[row] = _moment(data, start, stop, into)
            elif number == _LINE:
                found.text[row, 0], found.text[row, 1] = start, stop
                found.state[row] = text_state(data, start, stop, longest)
            elif number == _METADATA:
                _pair(data, start, stop, row, into, names)
        at = stop


@uncounted
def _moment(data: Bytes, at: int, end: int, into: Pushed) -> np.uint64:
    """Unix nanoseconds; 0, as for none, for a time before there was Unix."""
    seconds, nanos = np.int64(0), np.int64(0)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return np.uint64(0)
        if wire == VARINT and number == _SECONDS:
            seconds = np.int64(varint(data, start, stop)[0])
        elif wire == VARINT and number == _NANOS:
            nanos = np.int64(varint(data, start, stop)[0])
        at = stop
    whole = seconds * _SECOND + nanos
    return np.uint64(max(whole, np.int64(0)))


@uncounted
def _compare(data: Bytes, into: Pushed) -> None:
    """Mark an entry that tells time and line of the one before it: Loki leaves it out, too."""
    found, row = into.found, into.counted[_ENTRIES]
    if found.at[row] != found.at[row - 1]:
        return
    start, stop = found.text[row]
    other, finish = found.text[row - 1]
    if stop - start == finish - other and same(data, start, data, other, stop - start):
        into.twice[row] = True
        into.counted[_TWICE] += 1


@uncounted
def _pair(data: Bytes, at: int, end: int, row: int, into: Pushed, names: Names) -> None:
    """Remember where the value lies of the name of each role that is preferred."""
    nth, begin, finish = -1, end, end
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            into.counted[_BROKEN] = 1
            return
        if number == _NAME and wire == BYTES:
            nth = nth_name(data, start, stop, names)
        elif number == _VALUE and wire == BYTES:
            begin, finish = start, stop
        at = stop
    if nth >= 0:
        remember(into.found, row, names.role[nth], nth, begin, finish)
