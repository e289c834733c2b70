"""The door for traces over HTTP: what a sender hears, and what reaches the sink."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field

import pytest
import zstandard
from fastapi import FastAPI
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from httpx2 import Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.testclient import TestClient

from api.app import create_app
from api.ingest_settings import IngestSettings
from api.settings import Settings
from api.tracing import take_spans
from pipelines.testing.span_sink import MemorySpanSink
from tests.api.doors import quiet_logs
from tests.pipelines.flows.scripted import World

NOW = 1_764_000_000.0
NOW_NS = 1_764_000_000 * 10**9
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@dataclass(slots=True)
class TraceDoor:
    """An app that takes traces; its clock stands still at `NOW`."""

    settings: Settings = field(default_factory=Settings)
    sink: MemorySpanSink = field(default_factory=MemorySpanSink)
    made: FastAPI | None = None

    @property
    def client(self) -> TestClient:
        """A client that sees what a sender sees."""
        if self.made is None:
            quiet_logs()
            self.made = create_app(World().gate, self.settings)
            take_spans(self.made, self.sink, lambda: NOW)
        return TestClient(
            self.made, base_url="http://127.0.0.1:8080", raise_server_exceptions=False
        )

    def push(self, body: bytes, kind: str = PROTOBUF, **headers: str) -> Response:
        """Post a request."""
        told = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.post("/v1/traces", content=body, headers=told)


def export(*starts: int, id_bytes: int = 8) -> ExportTraceServiceRequest:
    """A request with a span that begins at each time."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "checkout"
    spans = resource.scope_spans.add().spans
    for number, start in enumerate(starts, 1):
        spans.add(
            trace_id=bytes(15) + b"\x01",
            span_id=number.to_bytes(id_bytes, "big"),
            name="pay",
            kind=2,
            start_time_unix_nano=start,
            end_time_unix_nano=start + 5_000_000,
        )
    return request


def packed(*starts: int, id_bytes: int = 8) -> bytes:
    """The same as bytes."""
    body: bytes = export(*starts, id_bytes=id_bytes).SerializeToString()
    return body


def in_json(request: ExportTraceServiceRequest) -> bytes:
    """As the specification has it: ids in hexadecimal, which the library writes in base64."""
    tree = MessageToDict(request, use_integers_for_enums=True)
    for resource in tree["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId"):
                    span[name] = base64.b64decode(span[name]).hex()
    return json.dumps(tree).encode()


@pytest.mark.parametrize("packing", ["identity", "gzip", "zstd"])
def test_a_push_reaches_the_sink(packing: str) -> None:
    """An exporter that packs its bodies is heard like one that does not."""
    door, body = TraceDoor(), packed(NOW_NS)
    squeezed = {
        "identity": body,
        "gzip": gzip.compress(body),
        "zstd": zstandard.ZstdCompressor().compress(body),
    }[packing]
    told = door.push(squeezed, Content_Encoding=packing)
    assert (told.status_code, told.content, door.sink.count()) == (200, b"", 1)
    spans = door.sink.batches["default"][0]
    assert (spans.operations, spans.origins[0].service) == (("pay",), "checkout")
    assert (int(spans.start[0]), int(spans.duration[0])) == (NOW_NS, 5_000_000)
    assert spans.taken == round(1000 * NOW)


def test_json_is_the_same_spans_and_answered_in_json() -> None:
    """A browser's exporter writes JSON, whose ids are hexadecimal."""
    door, other = TraceDoor(), TraceDoor()
    told = door.push(in_json(export(NOW_NS, NOW_NS + 1)), JSON + "; charset=utf-8")
    other.push(packed(NOW_NS, NOW_NS + 1))
    assert (told.status_code, told.json()) == (200, {})
    mine, theirs = door.sink.batches["default"][0], other.sink.batches["default"][0]
    assert mine.trace.tobytes() == theirs.trace.tobytes()
    assert mine.span.tolist() == theirs.span.tolist() == [1, 2]


def test_what_is_refused_is_told_beside_what_is_taken() -> None:
    """A sender with a wrong clock reads in its log how many spans went nowhere, and why."""
    door = TraceDoor()
    told = door.push(packed(NOW_NS, NOW_NS + 3_600 * 10**9, 1_000))
    answer = ExportTraceServiceResponse.FromString(told.content)
    assert (told.status_code, answer.partial_success.rejected_spans) == (200, 2)
    assert "1 too_old" in answer.partial_success.error_message
    assert door.sink.count() == 1


def test_spans_without_ids_are_refused_by_name() -> None:
    """Such a span belongs to no trace, and could be counted twice."""
    door = TraceDoor()
    told = door.push(in_json(export(NOW_NS, id_bytes=4)), JSON)
    assert told.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert 'reason="ids"' in door.client.get("/metrics").text


def test_who_is_full_asks_to_be_sent_the_same_again() -> None:
    """An exporter repeats after 429, and drops after 400."""
    door = TraceDoor()
    door.sink.is_full = True
    told = door.push(packed(NOW_NS))
    assert told.status_code == 429
    assert told.headers["Retry-After"]
    assert Status.FromString(told.content).code == 14


def test_a_broken_store_is_our_fault() -> None:
    """What cannot be kept is not confirmed."""
    door = TraceDoor()
    door.sink.is_down = True
    assert door.push(packed(NOW_NS)).status_code == 503


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xff\xff", PROTOBUF),
        (b"[1]", JSON),
        (b"[" * 100_000, JSON),
        (b'{"resourceSpans": 3}', JSON),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}', JSON),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "x"}]}]}]}', JSON),
    ],
    ids=["bytes", "list", "nesting", "number", "id", "time"],
)
def test_what_cannot_be_read_is_refused_whole(body: bytes, kind: str) -> None:
    """A sender of nonsense hears 400, and nothing breaks."""
    door = TraceDoor()
    assert door.push(body, kind).status_code == 400
    assert door.sink.count() == 0


def test_another_kind_of_body_is_refused() -> None:
    """With the kinds that are taken."""
    told = TraceDoor().push(b"x", "text/plain")
    assert told.status_code == 415
    assert PROTOBUF in Status.FromString(told.content).message


def test_a_body_too_large_is_refused_before_it_is_read() -> None:
    """A bomb of one megabyte that would be gigabytes goes nowhere."""
    door = TraceDoor(settings=Settings(ingest=IngestSettings(body_mb=1, unpacked_mb=1)))
    bomb = gzip.compress(bytes(8 * 2**20))
    assert door.push(bomb, Content_Encoding="gzip").status_code == 413


def test_without_a_stream_there_is_no_door() -> None:
    """404 says that this serinus takes no traces, and not that the path is wrong."""
    quiet_logs()
    client = TestClient(create_app(World().gate), base_url="http://127.0.0.1:8080")
    told = client.post("/v1/traces", content=b"", headers={"Content-Type": PROTOBUF})
    assert told.status_code == 404
    assert "takes no traces" in told.text
