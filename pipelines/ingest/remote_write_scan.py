"""One walk over a remote write request: where its labels lie, and its samples as columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled
from pipelines.ingest.protobuf import BYTES, FIXED64, VARINT, Bytes, bits64, field, varint

__all__ = ["Scanned", "scan"]

Places = NDArray[np.int64]

# prompb.WriteRequest, TimeSeries and Sample.
_SERIES, _METADATA = 1, 3
_LABEL, _SAMPLE, _EXEMPLAR, _HISTOGRAM = 1, 2, 3, 4
_VALUE, _AT = 1, 2

# Rows of what is counted.
_N_SERIES, _N_SAMPLES, _N_METADATA, _N_EXEMPLARS, _N_HISTOGRAMS, _BROKEN = range(6)


class Scanned(NamedTuple):
    """S series and N samples of a request; places are offsets into its bytes.

    `labels` (S, 2) where a series' labels begin and end, tags included; `apart` (S,) where other
    fields lie between them; `samples` (S,) how many are a series'. `at` and the `bits` of the
    values (N,) in the order of the bytes. `histograms` (H, 3): series, begin, end. `metadata`
    (M, 2): begin, end. `counted`: how many of each, as it goes.
    """

    labels: Places
    apart: NDArray[np.bool_]
    samples: Places
    at: Places
    bits: NDArray[np.uint64]
    histograms: Places
    metadata: Places
    counted: Places

    @property
    def value(self) -> NDArray[np.float64]:
        """The samples' values, every bit as it came."""
        return self.bits.view(np.float64)

    @property
    def exemplars(self) -> int:
        """How many there were; nothing else is told of them."""
        return int(self.counted[_N_EXEMPLARS])


def scan(data: bytes) -> Scanned | None:
    """What a request holds, None where it is no protobuf."""
    body = np.frombuffer(data, dtype=np.uint8)
    counted = _count(body)
    if counted[_BROKEN]:
        return None
    n_series, n_samples, n_metadata, n_exemplars, n_histograms, _ = counted.tolist()
    scanned = Scanned(
        labels=np.zeros((n_series, 2), dtype=np.int64),
        apart=np.zeros(n_series, dtype=np.bool_),
        samples=np.zeros(n_series, dtype=np.int64),
        at=np.zeros(n_samples, dtype=np.int64),
        bits=np.zeros(n_samples, dtype=np.uint64),
        histograms=np.zeros((n_histograms, 3), dtype=np.int64),
        metadata=np.zeros((n_metadata, 2), dtype=np.int64),
        counted=np.zeros(6, dtype=np.int64),
    )
    _fill(body, scanned)
    scanned.counted[_N_EXEMPLARS] = n_exemplars
    return scanned


@compiled
def _count(data: Bytes) -> Places:
    counted = np.zeros(6, dtype=np.int64)
    at, end = 0, len(data)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            counted[_BROKEN] = 1
            return counted
        if number == _SERIES and wire == BYTES:
            counted[_N_SERIES] += 1
            _count_series(data, start, stop, counted)
        elif number == _METADATA and wire == BYTES:
            counted[_N_METADATA] += 1
        at = stop
    return counted


@compiled
def _count_series(data: Bytes, at: int, end: int, counted: Places) -> None:
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            counted[_BROKEN] = 1
            return
        if wire == BYTES and number == _SAMPLE:
            counted[_N_SAMPLES] += 1
            counted[_BROKEN] |= _is_broken(data, start, stop)
        elif wire == BYTES and number == _EXEMPLAR:
            counted[_N_EXEMPLARS] += 1
        elif wire == BYTES and number == _HISTOGRAM:
            counted[_N_HISTOGRAMS] += 1
        at = stop


@compiled
def _is_broken(data: Bytes, at: int, end: int) -> int:
    """1 where the fields of a message do not end where it does."""
    while at < end:
        at = field(data, at, end)[3]
        if at < 0:
            return 1
    return 0


@compiled
def _fill(data: Bytes, into: Scanned) -> None:
    at, end = 0, len(data)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if number == _SERIES and wire == BYTES:
            _fill_series(data, start, stop, into)
        elif number == _METADATA and wire == BYTES:
            row = into.counted[_N_METADATA]
            into.metadata[row, 0], into.metadata[row, 1] = start, stop
            into.counted[_N_METADATA] += 1
        at = stop


@compiled
def _fill_series(data: Bytes, at: int, end: int, into: Scanned) -> None:
    row, first = into.counted[_N_SERIES], into.counted[_N_SAMPLES]
    sample = first
    into.labels[row, 0], into.labels[row, 1] = at, at
    has_labels = False
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if wire == BYTES and number == _LABEL:
            if not has_labels:
                into.labels[row, 0], has_labels = at, True
            elif into.labels[row, 1] != at:
                into.apart[row] = True
            into.labels[row, 1] = stop
        elif wire == BYTES and number == _SAMPLE:
            into.bits[sample], into.at[sample] = _sample(data, start, stop)
            sample += 1
        elif wire == BYTES and number == _HISTOGRAM:
            _fill_histogram(row, start, stop, into)
        at = stop
    into.samples[row] = sample - first
    into.counted[_N_SAMPLES] = sample
    into.counted[_N_SERIES] += 1


@compiled
def _fill_histogram(row: int, start: int, stop: int, into: Scanned) -> None:
    place = into.histograms[into.counted[_N_HISTOGRAMS]]
    place[0], place[1], place[2] = row, start, stop
    into.counted[_N_HISTOGRAMS] += 1


@compiled
def _sample(data: Bytes, at: int, end: int) -> tuple[np.uint64, np.int64]:
    """Bits of the value, and the time; what is left out is zero."""
    bits, at_ms = np.uint64(0), np.int64(0)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if number == _VALUE and wire == FIXED64:
            bits = bits64(data, start)
        elif number == _AT and wire == VARINT:
            at_ms = np.int64(varint(data, start, stop)[0])
        at = stop
    return bits, at_ms
