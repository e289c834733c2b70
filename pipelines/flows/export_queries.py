"""Which queries the samples of an evidence file answered, for people to read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detector.errors import StoreError
from detector.gate.record import Chunk
from detector.selector import format_query
from detector.signals.plan import Reading
from pipelines.flows.tape import TapeReader

__all__ = ["AskedQuery", "asked_queries"]


class AskedQuery(msgspec.Struct, frozen=True):
    """One query; `arm` is whose samples it asked for, None for those of all pods."""

    arm: str | None
    query: str


def asked_queries(chunks: Iterable[Chunk]) -> list[AskedQuery]:
    """Each query once, in the order in which they were first asked.

    A chunk that cannot be read ends the list: the file is written all the same, for whoever can.
    """
    reader = TapeReader()
    try:
        for chunk in chunks:
            reader.read(chunk.body)
    except StoreError:
        pass
    return [_asked(reading) for reading in reader.readings]


def _asked(reading: Reading) -> AskedQuery:
    arm = None if reading.arm is None else reading.arm.value
    return AskedQuery(arm=arm, query=format_query(reading.query))
