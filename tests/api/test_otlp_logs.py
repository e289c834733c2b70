"""The doors for logs over OTLP: answers in the caller's own kind, and what makes it come again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping

import pytest
import zstandard
from google.rpc.status_pb2 import Status
from httpx2 import Response
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from api.settings import Settings
from tests.api.doors import Door
from tests.api.logging_door import LogDoorway
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, LogExport

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
INVALID, UNAVAILABLE = 3, 14
OLD_NS = NOW_NS - 30 * 86_400 * 10**9


def export(*texts: str, at: int = NOW_NS) -> bytes:
    """A request with a record of each text."""
    made = LogExport(service_name="checkout")
    for text in texts:
        made.record(text, at=at)
    return made.body


def export_json(*texts: str, at: int = NOW_NS) -> bytes:
    """The same in JSON."""
    records = [
        {"timeUnixNano": str(at), "severityNumber": 9, "body": {"stringValue": text}}
        for text in texts
    ]
    service = {"key": "service.name", "value": {"stringValue": "checkout"}}
    resource = {"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": records}]}
    return json.dumps({"resourceLogs": [resource]}).encode()


def push(door: LogDoorway, body: bytes, kind: str = PROTOBUF, **headers: str) -> Response:
    """Post a request."""
    return door.post("/v1/logs", body, kind, **headers)


PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("path", ["/v1/logs", "/otlp/v1/logs"])
@pytest.mark.parametrize("packing", PACKED)
def test_a_push_reaches_the_sink(path: str, packing: str) -> None:
    """An empty success, by OpenTelemetry's own address and by Loki's."""
    door, body = LogDoorway(), PACKED[packing](export("order placed"))
    told = door.post(path, body, PROTOBUF, Content_Encoding=packing)
    assert (told.status_code, told.content, told.headers["content-type"]) == (200, b"", PROTOBUF)
    (line,) = door.sink.lines()
    assert (line.at, line.message, line.origin.service) == (NOW_MS, b"order placed", "checkout")


def test_json_is_answered_in_json() -> None:
    """And is the same line."""
    door = LogDoorway()
    told = push(door, export_json("order placed"), JSON + "; charset=utf-8")
    assert (told.status_code, told.json()) == (200, {})
    assert door.sink.messages() == ["order placed"]


def test_a_tenant_has_its_own_lines() -> None:
    """As the senders of metrics have; a name that is none is refused."""
    door = LogDoorway()
    push(door, export("a"), X_Scope_OrgID="team-a")
    assert (door.sink.messages("team-a"), door.sink.messages()) == (["a"], [])
    assert push(door, export("a"), X_Scope_OrgID="../x").status_code == 400


def test_a_part_that_is_refused_is_told_in_a_success() -> None:
    """The sender must not come again with lines that would be refused again."""
    door = LogDoorway()
    told = push(door, export("old", at=OLD_NS))
    partial = ExportLogsServiceResponse.FromString(told.content).partial_success
    assert (told.status_code, partial.rejected_log_records) == (200, 1)
    assert "too_old" in partial.error_message
    shown = push(door, export_json("old", at=OLD_NS), JSON).json()["partialSuccess"]
    assert shown["rejectedLogRecords"] == "1"


def test_a_full_queue_is_429_with_a_time_to_wait() -> None:
    """Exporters keep the batch for as long as it says; and it is counted."""
    door = LogDoorway()
    door.sink.is_full = True
    told = push(door, export("a"))
    status = Status.FromString(told.content)
    assert (told.status_code, status.code) == (429, UNAVAILABLE)
    assert int(told.headers["retry-after"]) >= 1
    assert 'serinus_ingest_logs_full_total{door="otlp",tenant="default"} 1.0' in door.metrics()


def test_a_store_that_is_down_is_503() -> None:
    """Never 500, which exporters do not repeat."""
    door = LogDoorway()
    door.sink.is_down = True
    told = push(door, export_json("a"), JSON)
    assert (told.status_code, told.json()["code"]) == (503, UNAVAILABLE)
    assert told.headers["retry-after"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xff", PROTOBUF),
        (b"{", JSON),
        (b'{"resourceLogs": 3}', JSON),
        (b'{"resourceLogs": [{"scopeLogs": [{"logRecords": ["x"]}]}]}', JSON),
        (b"[" * 30_000, JSON),
        (b'{"resourceLogs": [{"x": ' + b"[" * 200_000, JSON),
    ],
    ids=["bytes", "json", "number", "word", "deep", "deeper"],
)
def test_what_cannot_be_read_is_400_in_the_callers_kind(body: bytes, kind: str) -> None:
    """With words that say what is wrong, and no call to come again."""
    told = push(LogDoorway(), body, kind)
    assert (told.status_code, told.headers["content-type"]) == (400, kind)
    assert "retry-after" not in told.headers


def test_a_body_that_is_too_large_is_413() -> None:
    """As it comes, and unpacked."""
    door = LogDoorway(settings=Settings.model_validate({"ingest": {"unpacked_mb": 1}}))
    bomb = gzip.compress(bytes(2**20 + 1))
    assert push(door, bomb, Content_Encoding="gzip").status_code == 413
    assert push(LogDoorway(), bytes(17 * 2**20)).status_code == 413


@pytest.mark.parametrize(("kind", "packing"), [("text/plain", "identity"), (PROTOBUF, "br")])
def test_another_kind_or_packing_is_415(kind: str, packing: str) -> None:
    """It says which are taken."""
    assert push(LogDoorway(), export("a"), kind, Content_Encoding=packing).status_code == 415


def test_what_was_taken_refused_and_mended_is_told_in_metrics() -> None:
    """An operator sees by name what is wrong with whose logs."""
    door = LogDoorway()
    push(door, export("fine", "\x1b[31mred"))
    push(door, export("old", at=OLD_NS))
    told = door.metrics()
    at = 'door="otlp",'
    assert f'serinus_ingest_log_lines_total{{{at}tenant="default"}} 2.0' in told
    refused = f'refused_log_lines_total{{{at}reason="too_old",tenant="default"}} 1.0'
    assert f"serinus_ingest_{refused}" in told
    assert f'log_flaws_total{{{at}tenant="default",what="terminal"}} 1.0' in told


@pytest.mark.parametrize("path", ["/v1/logs", "/otlp/v1/logs", "/loki/api/v1/push"])
def test_without_a_stream_there_is_no_door(path: str) -> None:
    """404 says that this is not the address."""
    told = Door().client.post(path, content=b"", headers={"Content-Type": PROTOBUF})
    assert told.status_code == 404
