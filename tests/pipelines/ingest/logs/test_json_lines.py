from __future__ import annotations

import pytest

from pipelines.ingest.decoded import Refusal
from pipelines.ingest.limits import Limits
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.protocol import LogDoor, LogFormat, Packing, log_form_of
from pipelines.testing.log_sink import MemoryLogSink

NOW = 1_714_557_600.0


def doors() -> tuple[LogDoors, MemoryLogSink]:
    sink = MemoryLogSink()
    return LogDoors(sink, Limits(behind_s=3600), lambda: NOW), sink


def test_message_of_a_topic_is_taken_whole() -> None:
    """What a shipper wrote to Kafka goes the way of every other line."""
    own, sink = doors()
    door, packing = log_form_of(LogFormat.JSON_LINES)
    own.take(door, "team-a", b'{"msg": "a", "level": 50}\n{"msg": "b"}\n{"msg": "\x1b[1m"', packing)
    assert sink.messages("team-a") == ["a", "b", '{"msg": ""']
    assert own.tally.dropped["team-a", "json_lines", "terminal"] == 1
    assert own.tally.dropped["team-a", "json_lines", "not_json"] == 1


def test_lines_that_are_too_old_are_refused_and_told() -> None:
    """A topic that is read from its beginning does not fill last week's bins."""
    own, sink = doors()
    body = b'{"msg": "old", "time": 1714467600, "service": "a"}\n{"msg": "new"}'
    taken = own.take(LogDoor.JSON_LINES, "default", body, Packing.PLAIN)
    assert sink.messages() == ["new"]
    assert taken.refused.counts == {Refusal.TOO_OLD: 1}
    assert "1714467600000" in taken.refused.words


@pytest.mark.parametrize("written", LogFormat)
def test_each_format_of_a_topic_has_a_door(written: LogFormat) -> None:
    """A format that can be set can be read."""
    own, sink = doors()
    door, packing = log_form_of(written)
    # A snappy block of nothing says that it has no bytes.
    empty = {
        LogFormat.OTLP_PROTO: b"",
        LogFormat.LOKI: b"\0",
        LogFormat.LOKI_JSON: b'{"streams":[]}',
    }
    own.take(door, "default", empty.get(written, b"{}"), packing)
    assert len(sink.messages()) <= 1
