"""Where the records of a message lie in its bytes, and how their texts become one buffer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.decoded import BodyTooLargeError
from pipelines.ingest.logs.named import Role
from pipelines.ingest.protobuf import Bytes

__all__ = [
    "CLEAN",
    "FLAWED",
    "MOST_OWNERS",
    "MOST_RECORDS",
    "NONE",
    "OTHER",
    "Found",
    "copied",
    "owner_rows",
    "remember",
    "rows",
    "text_state",
]

# Of one message. An empty record has two bytes and takes a hundred times as many here: without a
# bound a body of 64 MB would take gigabytes.
MOST_RECORDS, MOST_OWNERS = 500_000, 100_000
# What a record's text is: absent, as it will be kept, to be mended, or a value of another kind.
NONE, CLEAN, FLAWED, OTHER = range(4)


class Found(NamedTuple):
    """N records; places are offsets into the bytes of the message.

    `at` and `seen` (N,): when it was and when it was seen, unix nanoseconds, 0 where that is not
    told. `severity` (N,): OTLP's number. `word` (N, 2): where its text of a level lies. `text`
    (N, 2): where the message lies, `state` (N,) what it is. `trace` (N, 16). `owner` (N,): row of
    the resource or stream. `named` (N, roles, 2): where the value of an attribute lies that tells
    that role, `rank` (N, roles) which of its names it is, -1 for none.
    """

    at: NDArray[np.uint64]
    seen: NDArray[np.uint64]
    severity: NDArray[np.int64]
    word: NDArray[np.int32]
    text: NDArray[np.int64]
    state: NDArray[np.uint8]
    trace: NDArray[np.uint8]
    owner: NDArray[np.int32]
    named: NDArray[np.int32]
    rank: NDArray[np.int16]


def rows(count: int) -> Found:
    """Room for so many; `BodyTooLargeError` for more than are taken at once."""
    _check(count, MOST_RECORDS, "lines")
    return Found(
        at=np.zeros(count, dtype=np.uint64),
        seen=np.zeros(count, dtype=np.uint64),
        severity=np.zeros(count, dtype=np.int64),
        word=np.zeros((count, 2), dtype=np.int32),
        text=np.zeros((count, 2), dtype=np.int64),
        state=np.zeros(count, dtype=np.uint8),
        trace=np.zeros((count, 16), dtype=np.uint8),
        owner=np.zeros(count, dtype=np.int32),
        named=np.zeros((count, len(Role), 2), dtype=np.int32),
        rank=np.full((count, len(Role)), -1, dtype=np.int16),
    )


def owner_rows(count: int) -> NDArray[np.int64]:
    """Room for the places of so many resources or streams; errors as `rows`."""
    _check(count, MOST_OWNERS, "resources or streams")
    return np.zeros((count, 2), dtype=np.int64)


def _check(count: int, most: int, what: str) -> None:
    if count > most:
        raise BodyTooLargeError(
            f"the body has {count:,} {what}; at most {most:,} are taken: send smaller batches",
            field="body",
        )


@uncounted
def remember(found: Found, row: int, role: int, nth: int, begin: int, finish: int) -> None:
    """Remember where a value lies, unless a name that is preferred told of its role already."""
    if found.rank[row, role] < 0 or nth < found.rank[row, role]:
        found.rank[row, role] = nth
        found.named[row, role, 0], found.named[row, role, 1] = begin, finish


@uncounted
def text_state(data: Bytes, at: int, end: int, longest: int) -> int:
    """`CLEAN` for UTF-8 that is not too long and holds nothing that no text holds, or `FLAWED`."""
    if end - at > longest:
        return FLAWED
    high, strange = np.uint8(0), np.uint8(0)
    for place in range(np.uint64(at), np.uint64(end)):
        byte = data[place]
        high |= byte
        is_strange = (byte < 0x20) & (byte != 0x09) & (byte != 0x0A) | (byte == 0x7F)
        strange |= np.uint8(is_strange)
    if strange:
        return FLAWED
    if high < 0x80 or _is_utf8(data, at, end):
        return CLEAN
    return FLAWED


@uncounted
def _is_utf8(data: Bytes, at: int, end: int) -> bool:
    """Whether it is UTF-8 that begins with no byte order mark: Unicode, table 3-7."""
    if end - at >= 3 and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
        return False
    while at < end:
        size = _size(data, at, end)
        if size == 0:
            return False
        at += size
    return True


@uncounted
def _size(data: Bytes, at: int, end: int) -> int:
    """How many bytes the character at a place has, 0 where there is none."""
    first = data[at]
    if first < 0x80:
        return 1
    if first < 0xC2 or first > 0xF4:
        return 0
    size = 2 + (first >= 0xE0) + (first >= 0xF0)
    if at + size > end:
        return 0
    for place in range(at + 1, at + size):
        if data[place] & 0xC0 != 0x80:
            return 0
    return size if _is_second(first, data[at + 1]) else 0


@uncounted
def _is_second(first: np.uint8, second: np.uint8) -> bool:
    """No character has two spellings, none is half of another, and there is an end of them."""
    if first == 0xE0:
        return bool(second >= 0xA0)
    if first == 0xED:
        return bool(second < 0xA0)
    if first == 0xF0:
        return bool(second >= 0x90)
    return bool(first != 0xF4 or second < 0x90)


def copied(
    data: Bytes, mended: bytes, text: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The texts as one buffer, and where each ends; places behind `data` are in `mended`."""
    ends = np.cumsum(text[:, 1] - text[:, 0])
    into = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    _copy(data, np.frombuffer(mended, dtype=np.uint8), text, into)
    return into, ends


@uncounted
def _copy(data: Bytes, mended: Bytes, text: NDArray[np.int64], into: NDArray[np.uint8]) -> None:
    here = 0
    for row in range(len(text)):
        start, stop = text[row]
        if start < len(data):
            here = _put(data, start, stop, into, here)
        else:
            here = _put(mended, start - len(data), stop - len(data), into, here)


@uncounted
def _put(data: Bytes, start: int, stop: int, into: NDArray[np.uint8], here: int) -> int:
    first, second = np.uint64(start), np.uint64(here)
    for place in range(np.uint64(stop - start)):
        into[second + place] = data[first + place]
    return here + stop - start
