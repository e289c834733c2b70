"""Native histograms of a remote write request, as the classic series that they stand for.

prompb.Histogram of https://github.com/prometheus/prometheus/blob/main/prompb/types.proto; what
schemas and spans mean: https://prometheus.io/docs/specs/native_histograms/.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.exponential import Exponential
from pipelines.ingest.protobuf import BYTES, FIXED64, VARINT, varint
from pipelines.ingest.protobuf import field as next_field

__all__ = ["Native", "NativeError", "native_of"]

CUSTOM = -53
_SCHEMAS = range(-4, 9)
_GAUGE = 3
# A bucket takes a byte on the wire at least, a gap between two takes none.
_MOST_BUCKETS = 20_000

_COUNT, _COUNT_F, _SUM, _SCHEMA, _ZEROS, _ZEROS_F = 1, 2, 3, 4, 6, 7
_BELOW, _ABOVE = (8, 9, 10), (11, 12, 13)
_RESET_HINT, _AT, _CUSTOM_BOUNDS = 14, 15, 16
_DOUBLES = {_BELOW[2], _ABOVE[2], _CUSTOM_BOUNDS}
_SIGNED = {_SCHEMA, _BELOW[1], _ABOVE[1]}


class NativeError(ValueError):
    """A histogram that cannot be meant."""


@dataclass(slots=True)
class _Fields:
    """The fields of a message by number: numbers, doubles and messages, each in order."""

    body: bytes
    numbers: dict[int, list[int]] = field(default_factory=dict)
    doubles: dict[int, list[float]] = field(default_factory=dict)
    messages: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def last(self, number: int) -> int:
        """A number that comes once, 0 where it does not."""
        return self.numbers.get(number, [0])[-1]

    def last_double(self, number: int) -> float:
        """The same of a double."""
        return self.doubles.get(number, [0.0])[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A histogram at a time (unix milliseconds); `bounds` only where they are its own."""

    at: int
    count: float
    sum: float
    is_gauge: bool
    spread: Exponential
    bounds: NDArray[np.float64] | None


def native_of(body: bytes) -> Native:
    """The histogram in a message; `NativeError` says why it is none."""
    told = _read(body)
    schema = told.last(_SCHEMA)
    if schema != CUSTOM and schema not in _SCHEMAS:
        raise NativeError(f"a native histogram of schema {schema}")
    offset, counts = _dense(told, *_ABOVE)
    zeros = told.last(_ZEROS) + told.last_double(_ZEROS_F)
    below = zeros + float(_dense(told, *_BELOW)[1].sum())
    bounds = np.array(told.doubles.get(_CUSTOM_BOUNDS, ()), dtype=np.float64)
    is_custom = schema == CUSTOM
    if is_custom and offset + len(counts) > len(bounds) + 1:
        raise NativeError("a native histogram has more buckets than bounds of its own")
    # Prometheus' bucket i ends at b^i, ours begins there.
    first = offset if is_custom else offset - 1
    scale = 0 if is_custom else schema
    return Native(
        at=told.last(_AT),
        count=told.last(_COUNT) + told.last_double(_COUNT_F),
        sum=told.last_double(_SUM),
        is_gauge=told.last(_RESET_HINT) == _GAUGE,
        spread=Exponential(scale=scale, offset=first, counts=counts, below=below),
        bounds=bounds if is_custom else None,
    )


def _dense(told: _Fields, spans: int, deltas: int, floats: int) -> tuple[int, NDArray[np.float64]]:
    """The first bucket, and how many are in it and in each that follows, gaps included."""
    whole = np.cumsum(np.array(told.numbers.get(deltas, ()), dtype=np.float64))
    filled = whole if len(whole) else np.array(told.doubles.get(floats, ()), dtype=np.float64)
    parts, used, place, first = list[NDArray[np.float64]](), 0, 0, 0
    for start, stop in told.messages.get(spans, ()):
        span = _read(told.body[start:stop])
        gap, length = _unzigzag(span.last(1)), span.last(2)
        if not parts:
            first = place = gap
            gap = 0
        place += gap + length
        if gap < 0 or used + length > len(filled) or abs(place - first) > _MOST_BUCKETS:
            raise NativeError("the spans of a native histogram do not fit its buckets")
        parts += [np.zeros(gap), filled[used : used + length]]
        used += length
    if used != len(filled):
        raise NativeError("the spans of a native histogram do not fit its buckets")
    return first, np.concatenate(parts) if parts else np.zeros(0)


def _read(body: bytes) -> _Fields:
    """All fields of a message that are not unknown anyway."""
    data, told, at = np.frombuffer(body, dtype=np.uint8), _Fields(body), 0
    while at < len(body):
        number, wire, start, stop = next_field(data, at, len(body))
        if stop < 0:
            raise NativeError("a native histogram cannot be read")
        if wire == VARINT:
            told.numbers.setdefault(number, []).append(_number(data, number, start, stop)[0])
        elif wire == FIXED64:
            told.doubles.setdefault(number, []).extend(struct.unpack_from("<d", body, start))
        elif wire == BYTES:
            _add_bytes(told, data, number, start, stop)
        at = stop
    return told


def _add_bytes(told: _Fields, data: Any, number: int, start: int, stop: int) -> None:  # noqa: ANN401
    """Packed numbers, packed doubles, or a message."""
    if number in _DOUBLES:
        many = np.frombuffer(told.body[start : stop - (stop - start) % 8], dtype="<f8")
        told.doubles.setdefault(number, []).extend(many.tolist())
    elif number in _SIGNED:
        while start < stop:
            value, start = _number(data, number, start, stop)
            if start < 0:
                raise NativeError("a native histogram cannot be read")
            told.numbers.setdefault(number, []).append(value)
    else:
        told.messages.setdefault(number, []).append((start, stop))


def _number(data: Any, number: int, start: int, stop: int) -> tuple[int, int]:  # noqa: ANN401
    value, after = varint(data, start, stop)
    whole = int(value)
    if number == _AT:
        return whole - 2**64 if whole >= 2**63 else whole, after
    return (_unzigzag(whole) if number in _SIGNED else whole), after


def _unzigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)
