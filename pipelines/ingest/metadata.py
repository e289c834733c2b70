"""Metadata of metric families in a remote write request."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.families import Family, FamilyType
from pipelines.ingest.protobuf import BYTES, VARINT, field, varint

__all__ = ["families_in"]

# prompb.MetricMetadata; its help is not kept.
_TYPE, _NAME, _UNIT = 1, 2, 5


def families_in(body: bytes, places: NDArray[np.int64]) -> Iterator[Family]:
    """The families that can be read: metadata is advice, so what is broken is passed over."""
    data = np.frombuffer(body, dtype=np.uint8)
    for start, stop in places.tolist():
        family = _family(body, data, start, stop)
        if family is not None:
            yield family


def _family(body: bytes, data: NDArray[np.uint8], at: int, end: int) -> Family | None:
    kind, words = 0, {_NAME: b"", _UNIT: b""}
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return None
        if number == _TYPE and wire == VARINT:
            kind = int(varint(data, start, stop)[0])
        elif number in words and wire == BYTES:
            words[number] = body[start:stop]
        at = stop
    if kind not in FamilyType.__members__.values() or not words[_NAME]:
        return None
    try:
        name, unit = str(words[_NAME], "utf-8"), str(words[_UNIT], "utf-8")
    except UnicodeDecodeError:
        return None
    return Family(name=name, type=FamilyType(kind), unit=unit)
