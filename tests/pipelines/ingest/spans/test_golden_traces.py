"""Bytes that the OpenTelemetry SDK and a real collector sent: they are read as on that day."""

from __future__ import annotations

import pytest

from detector.spans.columns import SpanStatus
from detector.spans.graph import graph
from detector.spans.operator import step
from detector.spans.state import opened
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Packing
from pipelines.ingest.spans.decoded import SpanDoor
from pipelines.ingest.spans.doors import SpanDoors
from pipelines.testing.span_sink import MemorySpanSink
from tests.pipelines.ingest.doorways import GOLDEN

SENT = {
    "otlp.gz": (SpanDoor.OTLP, Packing.GZIP),
    "otlp.zst": (SpanDoor.OTLP, Packing.ZSTD),
    "json.gz": (SpanDoor.OTLP_JSON, Packing.GZIP),
}
ANY_TIME = Limits(behind_s=1e9, ahead_s=1e9)


def test_what_processes_sent_by_themselves_is_one_trace() -> None:
    """The last process of a trace is heard first, and all find each other."""
    sink, state = MemorySpanSink(), opened()
    doors = SpanDoors(sink, ANY_TIME)
    for name in ("mail", "checkout", "web"):
        body = (GOLDEN / f"opentelemetry-python.traces.{name}.gz").read_bytes()
        told = doors.take(SpanDoor.OTLP, "default", body, Packing.GZIP)
        assert not told.refused.total
    for spans in sink.batches["default"]:
        state, _ = step(state, spans)
    assert {(edge.caller.name, edge.callee.name) for edge in graph(state).edges} == {
        ("", "web"),
        ("web", "checkout"),
        ("checkout", "postgresql:shop"),
        ("checkout", "kafka:orders"),
        ("kafka:orders", "mail"),
    }


@pytest.mark.parametrize("ending", SENT)
def test_what_a_collector_sent_is_read(ending: str) -> None:
    """The same spans by each of its encodings: ids, names, the failed query and its origin."""
    sink = MemorySpanSink()
    door, packing = SENT[ending]
    body = (GOLDEN / f"opentelemetry-collector.traces.{ending}").read_bytes()
    told = SpanDoors(sink, ANY_TIME).take(door, "default", body, packing)
    spans = told.spans
    names = [spans.operations[place] for place in spans.operation]
    assert names == ["SELECT orders", "send orders", "POST /checkout/{id}"]
    assert spans.status.tolist() == [SpanStatus.ERROR, SpanStatus.UNSET, SpanStatus.UNSET]
    assert spans.parent[0] == spans.parent[1] == spans.span[2]
    assert (spans.origins[0].service, spans.origins[0].pod) == ("checkout", "checkout-1")
    assert (spans.duration >= 0).all()
