"""One walk over an OTLP metrics request: where its resources, metrics and points lie.

https://github.com/open-telemetry/opentelemetry-proto, metrics/v1/metrics.proto.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled
from pipelines.ingest.otlp_points import (
    APART,
    BROKEN,
    COUNTS,
    HISTOGRAMS,
    METRICS,
    NUMBERS,
    OTHERS,
    VALUES,
    Found,
    count_histogram,
    fill_histogram,
    fill_number,
)
from pipelines.ingest.protobuf import BYTES, VARINT, Bytes, field, varint

__all__ = ["EXPONENTIAL", "GAUGE", "HISTOGRAM", "SUM", "SUMMARY", "Metric", "scan"]

# Fields of Metric that hold points: the types of a metric.
GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY = 5, 7, 9, 10, 11
_FIRST, _SECOND = 1, 2
_NAME, _UNIT, _TEMPORALITY, _MONOTONIC = 1, 3, 2, 3


class Metric(NamedTuple):
    """A row of `Found.metrics`: begins and ends, the type, temporality, whether it only grows."""

    resource: int
    resource_end: int
    scope: int
    scope_end: int
    name: int
    name_end: int
    unit: int
    unit_end: int
    type: int
    temporality: int
    is_monotonic: int


def scan(data: bytes) -> Found | None:
    """What a request holds, None where it is no protobuf.

    Where `is_apart` of it says so, its fields are not in the order in which libraries write them,
    and its columns are not to be used.
    """
    body = np.frombuffer(data, dtype=np.uint8)
    found = _room(np.zeros(COUNTS, dtype=np.int64))
    _walk(body, found, False)
    if found.counted[BROKEN]:
        return None
    filled = _room(found.counted)
    _walk(body, filled, True)
    return None if filled.counted[BROKEN] else filled


def _room(counted: NDArray[np.int64]) -> Found:
    numbers, histograms, values = (int(counted[row]) for row in (NUMBERS, HISTOGRAMS, VALUES))
    value = np.zeros(numbers, dtype=np.float64)
    flat = np.zeros(values, dtype=np.float64)
    return Found(
        metrics=np.zeros((int(counted[METRICS]), len(Metric._fields)), dtype=np.int64),
        owner=np.zeros(numbers, dtype=np.int64),
        attributes=np.zeros((numbers, 2), dtype=np.int64),
        at=np.zeros(numbers, dtype=np.int64),
        value=value,
        bits=value.view(np.uint64),
        state=np.zeros(numbers, dtype=np.uint8),
        histograms=np.zeros((histograms, 10), dtype=np.int64),
        flat=flat,
        flat_bits=flat.view(np.uint64),
        others=np.zeros((int(counted[OTHERS]), 3), dtype=np.int64),
        counted=np.zeros(COUNTS, dtype=np.int64),
    )


@compiled
def _walk(data: Bytes, found: Found, filling: bool) -> None:
    at, end = 0, len(data)
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return
        if number == _FIRST and wire == BYTES:
            _resource(data, start, stop, found, filling)
        at = stop


@compiled
def _resource(data: Bytes, at: int, end: int, found: Found, filling: bool) -> None:
    resource = _only(data, at, end, _FIRST, found)
    while at < end and not found.counted[BROKEN]:
        number, wire, start, stop = field(data, at, end)
        if number == _SECOND and wire == BYTES:
            _scope(data, start, stop, resource, found, filling)
        at = stop


@compiled
def _scope(
    data: Bytes, at: int, end: int, resource: tuple[int, int], found: Found, filling: bool
) -> None:
    scope = _only(data, at, end, _FIRST, found)
    while at < end and not found.counted[BROKEN]:
        number, wire, start, stop = field(data, at, end)
        if number == _SECOND and wire == BYTES:
            _metric(data, start, stop, (resource, scope), found, filling)
        at = stop


@compiled
def _metric(
    data: Bytes,
    at: int,
    end: int,
    above: tuple[tuple[int, int], tuple[int, int]],
    found: Found,
    filling: bool,
) -> None:
    name = _only(data, at, end, _NAME, found)
    unit = _only(data, at, end, _UNIT, found)
    kind, begin, finish = 0, 0, 0
    while at < end and not found.counted[BROKEN]:
        number, wire, start, stop = field(data, at, end)
        if wire == BYTES and (number in (GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY)):
            if kind:
                found.counted[APART] = 1
            kind, begin, finish = number, start, stop
        at = stop
    if kind:
        _points(data, begin, finish, kind, found, filling)
    if filling:
        row = found.metrics[found.counted[METRICS]]
        row[0], row[1] = above[0]
        row[2], row[3] = above[1]
        row[4], row[5] = name
        row[6], row[7] = unit
        row[8] = kind
        row[9] = _number_of(data, begin, finish, _TEMPORALITY)
        row[10] = _number_of(data, begin, finish, _MONOTONIC)
    found.counted[METRICS] += 1


@compiled
def _points(data: Bytes, at: int, end: int, kind: int, found: Found, filling: bool) -> None:
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return
        if number == _FIRST and wire == BYTES:
            _point(data, start, stop, kind, found, filling)
        at = stop


@compiled
def _point(data: Bytes, at: int, end: int, kind: int, found: Found, filling: bool) -> None:
    owner = found.counted[METRICS]
    if kind in (GAUGE, SUM):
        if filling:
            fill_number(data, at, end, owner, found)
        found.counted[NUMBERS] += 1
    elif kind == HISTOGRAM:
        if filling:
            fill_histogram(data, at, end, owner, found)
        else:
            count_histogram(data, at, end, found)
        found.counted[HISTOGRAMS] += 1
    else:
        if filling:
            row = found.others[found.counted[OTHERS]]
            row[0], row[1], row[2] = owner, at, end
        found.counted[OTHERS] += 1


@compiled
def _only(data: Bytes, at: int, end: int, wanted: int, found: Found) -> tuple[int, int]:
    """Where the payload of a field lies that comes once; nowhere, where it does not come."""
    begin, finish, seen = 0, 0, 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[BROKEN] = 1
            return 0, 0
        if number == wanted and wire == BYTES:
            begin, finish, seen = start, stop, seen + 1
        at = stop
    if seen > 1:
        found.counted[APART] = 1
    return begin, finish


@compiled
def _number_of(data: Bytes, at: int, end: int, wanted: int) -> int:
    """The number in a field, 0 where it does not come."""
    value = 0
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return 0
        if number == wanted and wire == VARINT:
            value = int(np.int64(varint(data, start, stop)[0]))
        at = stop
    return value
