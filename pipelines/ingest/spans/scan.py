"""One walk over an OTLP traces request: its resources and its spans, each with its shape.

https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.protobuf import BYTES, Bytes, field
from pipelines.ingest.spans.scan_span import Held, Reader, fill_span, reader_into
from pipelines.ingest.spans.shapes_scan import Shapes

__all__ = ["Found", "scan"]

_RESOURCE_SPANS, _RESOURCE, _SCOPE_SPANS, _SPANS = 1, 1, 2, 2
# What is counted.
_RESOURCES, _HELD, _APART, _BROKEN = range(4)


class Found(NamedTuple):
    """What a request holds: `resources` (R, 2) where they lie, and its spans.

    Where `is_apart`, fields are not in the order in which libraries write them, and the resources
    are not to be used.
    """

    resources: NDArray[np.int64]
    spans: Held
    counted: NDArray[np.int64]

    @property
    def is_apart(self) -> bool:
        """Whether fields that belong together do not lie together."""
        return bool(self.counted[_APART])


def scan(data: bytes, shapes: Shapes) -> Found | None:
    """What a request holds, None where it is no protobuf; shapes that are new are added."""
    body = np.frombuffer(data, dtype=np.uint8)
    counted = np.zeros(4, dtype=np.int64)
    room = _room(counted)
    reader = reader_into(shapes)
    _walk(body, room, reader, False)
    if counted[_BROKEN]:
        return None
    found = _room(counted.copy())
    found.counted[:] = 0
    _walk(body, found, reader, True)
    return None if found.counted[_BROKEN] else found


def _room(counted: NDArray[np.int64]) -> Found:
    spans = int(counted[_HELD])
    return Found(
        resources=np.zeros((int(counted[_RESOURCES]), 2), dtype=np.int64),
        spans=Held(
            trace=np.zeros((spans, 16), dtype=np.uint8),
            span=np.zeros(spans, dtype=np.uint64),
            parent=np.zeros(spans, dtype=np.uint64),
            start=np.zeros(spans, dtype=np.int64),
            end=np.zeros(spans, dtype=np.int64),
            kind=np.zeros(spans, dtype=np.uint8),
            status=np.zeros(spans, dtype=np.uint8),
            shape=np.zeros(spans, dtype=np.int32),
            resource=np.zeros(spans, dtype=np.int32),
            has_ids=np.zeros(spans, dtype=np.bool_),
        ),
        counted=counted,
    )


@uncounted
def _walk(data: Bytes, found: Found, reader: Reader, filling: bool) -> None:
    at, end = 0, len(data)
    while at < end and not found.counted[_BROKEN]:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[_BROKEN] = 1
            return
        if number == _RESOURCE_SPANS and wire == BYTES:
            _resource(data, start, stop, found, reader, filling)
        at = stop


@uncounted
def _resource(
    data: Bytes,
    at: int,
    end: int,
    found: Found,
    reader: Reader,
    filling: bool,
) -> None:
    begin, finish, seen = 0, 0, 0
    while at < end and not found.counted[_BROKEN]:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[_BROKEN] = 1
            return
        if number == _SCOPE_SPANS and wire == BYTES:
            _scope(data, start, stop, found, reader, filling)
        elif number == _RESOURCE and wire == BYTES:
            begin, finish, seen = start, stop, seen + 1
        at = stop
    if seen > 1:
        found.counted[_APART] = 1
    if filling:
        row = found.resources[found.counted[_RESOURCES]]
        row[0], row[1] = begin, finish
    found.counted[_RESOURCES] += 1


@uncounted
def _scope(
    data: Bytes,
    at: int,
    end: int,
    found: Found,
    reader: Reader,
    filling: bool,
) -> None:
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            found.counted[_BROKEN] = 1
            return
        if number == _SPANS and wire == BYTES:
            if filling:
                row = found.counted[_HELD]
                found.spans.resource[row] = found.counted[_RESOURCES]
                if not fill_span(data, start, stop, row, found.spans, reader):
                    found.counted[_BROKEN] = 1
                    return
            found.counted[_HELD] += 1
        at = stop
