"""Hostile messages: small bytes that would become large memory are refused before they do."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable

import pytest

from pipelines.ingest.decoded import BodyTooLargeError, Refusal
from pipelines.ingest.logs.places import MOST_OWNERS, MOST_RECORDS
from pipelines.ingest.protocol import LogDoor, Packing
from tests.pipelines.ingest.logs.logways import NOW_NS, LogExport, Logway

MB = 2**20


def message(number: int, payload: bytes) -> bytes:
    """A field with a message."""
    size, parts = len(payload), bytearray()
    while size > 0x7F:
        parts.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((number << 3 | 2,)) + bytes(parts) + bytes((size,)) + payload


BOMBS: dict[str, tuple[Callable[[], bytes], LogDoor]] = {
    "records": (
        lambda: message(1, message(2, b"\x12\x00" * (MOST_RECORDS + 1))),
        LogDoor.OTLP,
    ),
    "resources": (lambda: b"\x0a\x00" * (MOST_OWNERS + 1), LogDoor.OTLP),
    "entries": (lambda: message(1, b"\x12\x00" * (MOST_RECORDS + 1)), LogDoor.LOKI),
    "streams": (lambda: b"\x0a\x00" * (MOST_OWNERS + 1), LogDoor.LOKI),
    "objects": (
        lambda: b'{"resourceLogs":[' + b"{}," * 2_000_000 + b"{}]}",
        LogDoor.OTLP_JSON,
    ),
    "lists": (
        lambda: b'{"streams":[{"stream":{},"values":[' + b"[]," * 2_000_000 + b"[]]}]}",
        LogDoor.LOKI_JSON,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_millions_of_empty_things_are_refused_before_they_take_memory(name: str) -> None:
    """A hundred bytes each would be gigabytes, of a body that is well within its bound."""
    make, door = BOMBS[name]
    way = Logway()
    way.take(b"" if door in {LogDoor.OTLP, LogDoor.LOKI} else b"{}", door)
    packed = gzip.compress(make())
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError, match="send smaller batches"):
            way.take(packed, door, Packing.GZIP)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * MB


def test_a_value_of_a_million_parts_costs_its_own_record_only() -> None:
    """It is not taken apart: the library would make an object of each."""
    way, export = Logway(), LogExport()
    export.record().body.bytes_value = b"?"
    export.record("next")
    hostile = message(5, b"\x0a\x00" * MB)
    record = message(5, hostile) + b"\x09" + NOW_NS.to_bytes(8, "little")
    body = message(1, message(2, message(2, record)))
    taken = way.take(body + export.body)
    assert taken.refused.counts == {Refusal.BODY: 1}
    assert way.sink.messages() == ["?", "next"]


def test_a_resource_of_a_million_parts_costs_its_own_lines_only() -> None:
    """Whose they are is not read; the others of the message are taken."""
    way, export = Logway(), LogExport(service_name="shop")
    export.record("next")
    resource = message(1, b"\x0a\x00" * MB)
    record = b"\x09" + NOW_NS.to_bytes(8, "little")
    body = message(1, resource + message(2, message(2, record)))
    taken = way.take(body + export.body)
    assert taken.refused.counts == {Refusal.LABELS: 1}
    assert "over 256 KB" in taken.refused.words
    assert way.sink.messages() == ["next"]
