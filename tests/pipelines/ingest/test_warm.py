"""What is compiled before the first message comes."""

from __future__ import annotations

from typing import Any

from pipelines.ingest.otlp_scan import _walk
from pipelines.ingest.protobuf import field
from pipelines.ingest.protocol import Door
from pipelines.ingest.remote_write_scan import _count, _fill
from pipelines.ingest.warm import warm
from pipelines.testing.remote_write import request
from tests.pipelines.ingest.doorways import NOW_MS, Doorway


def test_the_first_message_compiles_nothing() -> None:
    """Else its sender waits for seconds, and gives up."""
    warm()
    loops: Any = (_count, _fill, _walk, field)
    before = [len(loop.signatures) for loop in loops]
    assert all(before)
    door = Doorway()
    door.take(Door.REMOTE_WRITE, request([({"__name__": "up"}, [(1.0, NOW_MS)])]))
    door.take(Door.OTLP, b"")
    assert [len(loop.signatures) for loop in loops] == before
