"""Points of OTLP metrics, read where they lie: numbers, and histograms as cumulated buckets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled
from pipelines.ingest.protobuf import BYTES, FIXED64, VARINT, Bytes, bits64, field, varint

__all__ = [
    "APART",
    "BROKEN",
    "COUNTS",
    "EXEMPLARS",
    "HISTOGRAMS",
    "METRICS",
    "MIN_MAX",
    "NOTHING",
    "NUMBERS",
    "OTHERS",
    "STALE_POINT",
    "VALUES",
    "Found",
    "count_histogram",
    "fill_histogram",
    "fill_number",
]

Places = NDArray[np.int64]

# Rows of what is counted.
METRICS, NUMBERS, HISTOGRAMS, VALUES, OTHERS, EXEMPLARS, MIN_MAX, APART, BROKEN = range(9)
COUNTS = 9
# States of a point; 0 is one with a value.
STALE_POINT, NOTHING = 1, 2

_MS = np.uint64(1_000_000)
# Fields of NumberDataPoint and HistogramDataPoint.
_TIME, _DOUBLE, _EXEMPLAR, _INT, _ATTRIBUTE, _FLAGS = 3, 4, 5, 6, 7, 8
_COUNT, _SUM, _BUCKETS, _BOUNDS, _H_EXEMPLAR, _H_ATTRIBUTE, _H_FLAGS = 4, 5, 6, 7, 8, 9, 10
_MIN, _MAX = 11, 12


class Found(NamedTuple):
    """What a request holds; places are offsets into its bytes, times unix milliseconds.

    `metrics` (M, 11) are rows of `Metric`. Of the N points with one number: `owner` (N,) rows of
    their metrics, `attributes` (N, 2) where those lie, `at`, `value` (`bits` is the same memory)
    and `state` (N,). `histograms` (H, 10): owner, attributes' begin and end, bounds' begin and end,
    time, state, the first of its values in `flat`, how many buckets, whether there is a sum; its
    values are count, sum if there is one, buckets cumulated. `others` (O, 3): owner, begin, end.
    """

    metrics: Places
    owner: Places
    attributes: Places
    at: Places
    value: NDArray[np.float64]
    bits: NDArray[np.uint64]
    state: NDArray[np.uint8]
    histograms: Places
    flat: NDArray[np.float64]
    flat_bits: NDArray[np.uint64]
    others: Places
    counted: Places

    @property
    def is_apart(self) -> bool:
        """Whether fields that belong together do not lie together."""
        return bool(self.counted[APART])


@compiled
def fill_number(data: Bytes, at: int, end: int, owner: int, found: Found) -> None:
    """Read a point of a gauge or a sum into the next row."""
    row = found.counted[NUMBERS]
    found.owner[row] = owner
    attributes = found.attributes[row]
    attributes[0], attributes[1] = end, end
    state = NOTHING
    is_stale = False
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return
        if number == _TIME and wire == FIXED64:
            found.at[row] = np.int64(bits64(data, start) // _MS)
        elif number == _DOUBLE and wire == FIXED64:
            found.bits[row], state = bits64(data, start), 0
        elif number == _INT and wire == FIXED64:
            found.value[row], state = np.float64(np.int64(bits64(data, start))), 0
        elif number == _ATTRIBUTE and wire == BYTES:
            _widen(attributes, at, stop, end, found)
        elif number == _FLAGS and wire == VARINT:
            is_stale = varint(data, start, stop)[0] & np.uint64(1) != np.uint64(0)
        elif number == _EXEMPLAR and wire == BYTES:
            found.counted[EXEMPLARS] += 1
        at = stop
    found.state[row] = STALE_POINT if is_stale else state


@compiled
def _widen(span: Places, start: int, stop: int, nowhere: int, found: Found) -> None:
    """Let a span of attributes go on to `stop`; `nowhere` is where one begins that is empty."""
    if span[0] == nowhere:
        span[0] = start
    elif span[1] != start:
        found.counted[APART] = 1
    span[1] = stop


@compiled
def count_histogram(data: Bytes, at: int, end: int, found: Found) -> None:
    """Count the values of a histogram: its buckets, its count and its sum."""
    values = 2
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return
        if number == _BUCKETS and wire == BYTES:
            values += (stop - start) // 8
        at = stop
    found.counted[VALUES] += values


@compiled
def fill_histogram(data: Bytes, at: int, end: int, owner: int, found: Found) -> None:
    """Read a histogram into the next row, and its values behind those of the one before."""
    row = found.histograms[found.counted[HISTOGRAMS]]
    first = found.counted[VALUES]
    row[0], row[1], row[2], row[7] = owner, end, end, first
    numbers = (np.uint64(0), np.uint64(0), np.uint64(0))
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return
        if wire == FIXED64:
            numbers = _fixed(data, number, start, numbers, row, found)
        elif wire == BYTES and number == _H_ATTRIBUTE:
            _widen(row[1:3], at, stop, end, found)
        elif wire == BYTES:
            _packed(number, start, stop, row, found)
        elif number == _H_FLAGS and wire == VARINT:
            row[6] = np.int64(varint(data, start, stop)[0] & np.uint64(1))
        at = stop
    buckets, row[8], row[9] = row[8], (row[9] - row[8]) // 8, np.int64(numbers[2])
    found.flat[first] = np.float64(numbers[0])
    if row[9]:
        found.flat_bits[first + 1] = numbers[1]
    _cumulate(data, buckets, row[8], first + 1 + row[9], found)


@compiled
def _fixed(
    data: Bytes,
    number: int,
    start: int,
    numbers: tuple[np.uint64, np.uint64, np.uint64],
    row: Places,
    found: Found,
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Count, bits of the sum, and whether there is one, after a field of eight bytes."""
    if number == _TIME:
        row[5] = np.int64(bits64(data, start) // _MS)
    elif number == _COUNT:
        return bits64(data, start), numbers[1], numbers[2]
    elif number == _SUM:
        return numbers[0], bits64(data, start), np.uint64(1)
    elif number in (_MIN, _MAX):
        found.counted[MIN_MAX] += 1
    elif number in (_BUCKETS, _BOUNDS):
        found.counted[APART] = 1
    return numbers


@compiled
def _packed(number: int, start: int, stop: int, row: Places, found: Found) -> None:
    """Where buckets (for now in the places of their number and the sum's) and bounds lie."""
    if number == _BUCKETS:
        if row[9] or (stop - start) % 8:
            found.counted[APART] = 1
        row[8], row[9] = start, stop
    elif number == _BOUNDS:
        if row[4]:
            found.counted[APART] = 1
        row[3], row[4] = start, stop
    elif number == _H_EXEMPLAR:
        found.counted[EXEMPLARS] += 1


@compiled
def _cumulate(data: Bytes, at: int, buckets: int, first: int, found: Found) -> None:
    so_far = np.uint64(0)
    for place in range(buckets):
        so_far += bits64(data, at + 8 * place)
        found.flat[first + place] = np.float64(so_far)
    found.counted[VALUES] = first + buckets
