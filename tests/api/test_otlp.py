"""The door for OTLP over HTTP: answers in the caller's own kind, and what makes it come again."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from httpx2 import Response
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from api.settings import Settings
from tests.api.doors import Door
from tests.api.pushing import NOW_MS, PushDoor

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
INVALID, UNAVAILABLE = 3, 14


def export(*times: int) -> bytes:
    """A request with a gauge of a point at each time."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load")
    for at in times:
        metric.gauge.data_points.add(time_unix_nano=at * 10**6, as_double=1.0)
    body: bytes = request.SerializeToString()
    return body


def export_json(*times: int) -> bytes:
    """The same in JSON."""
    points = [{"timeUnixNano": str(at * 10**6), "asDouble": 1.0} for at in times]
    metric = {"name": "load", "gauge": {"dataPoints": points}}
    tree = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    return json.dumps(tree).encode()


def push(door: PushDoor, body: bytes, kind: str = PROTOBUF, **headers: str) -> Response:
    """Post a request."""
    told = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return door.client.post("/v1/metrics", content=body, headers=told)


def status_of(answer: Response) -> tuple[int, int, str]:
    """HTTP status, code and words of a `google.rpc.Status`."""
    kind = answer.headers["content-type"]
    if kind == JSON:
        told: dict[str, Any] = answer.json()
        return answer.status_code, told["code"], told["message"]
    assert kind == PROTOBUF
    status = Status.FromString(answer.content)
    return answer.status_code, status.code, status.message


@pytest.mark.parametrize("packing", ["identity", "gzip"])
def test_a_push_reaches_the_sink(packing: str) -> None:
    """An empty success, in protobuf."""
    door, body = PushDoor(), export(NOW_MS)
    told = push(door, gzip.compress(body) if packing == "gzip" else body, Content_Encoding=packing)
    assert (told.status_code, told.content, told.headers["content-type"]) == (200, b"", PROTOBUF)
    assert door.sink.of("load") == [(NOW_MS, 1.0)]


def test_json_is_answered_in_json() -> None:
    """And is the same metric."""
    door = PushDoor()
    told = push(door, export_json(NOW_MS), JSON + "; charset=utf-8")
    assert (told.status_code, told.json()) == (200, {})
    assert door.sink.of("load") == [(NOW_MS, 1.0)]


@pytest.mark.parametrize(("body", "kind"), [(b"", PROTOBUF), (b"{}", JSON)], ids=["bytes", "json"])
def test_an_empty_request_is_a_success(body: bytes, kind: str) -> None:
    """Exporters send one to see whether we are there."""
    assert push(PushDoor(), body, kind).status_code == 200


def test_a_part_that_is_refused_is_told_in_a_success() -> None:
    """The sender must not come again with points that would be refused again."""
    door = PushDoor()
    told = push(door, export(NOW_MS, 0, 1))
    partial = ExportMetricsServiceResponse.FromString(told.content).partial_success
    assert (told.status_code, partial.rejected_data_points) == (200, 2)
    assert "too_old" in partial.error_message
    shown = push(door, export_json(NOW_MS, 0), JSON).json()["partialSuccess"]
    assert shown["rejectedDataPoints"] == "1"
    assert len(door.sink.of("load")) == 2


@pytest.mark.parametrize(
    ("body", "kind"), [(export(NOW_MS), PROTOBUF), (export_json(NOW_MS), JSON)]
)
def test_a_full_queue_is_429_with_a_time_to_wait(body: bytes, kind: str) -> None:
    """Exporters keep the batch for as long as it says."""
    door = PushDoor()
    door.sink.is_full = True
    told = push(door, body, kind)
    assert status_of(told)[:2] == (429, UNAVAILABLE)
    assert int(told.headers["retry-after"]) >= 1


def test_a_store_that_is_down_is_503() -> None:
    """Never 500, which exporters do not repeat."""
    door = PushDoor()
    door.sink.is_down = True
    told = push(door, export(NOW_MS))
    assert status_of(told)[:2] == (503, UNAVAILABLE)
    assert told.headers["retry-after"]


@pytest.mark.parametrize(
    ("body", "kind", "packing"),
    [
        (b"\xff\xff", PROTOBUF, "identity"),
        (b"{", JSON, "identity"),
        (b'{"resourceMetrics": 3}', JSON, "identity"),
        (b'{"resourceMetrics": ["x"]}', JSON, "identity"),
        (b"[" * 30_000, JSON, "identity"),
        (b"plain", PROTOBUF, "gzip"),
        (gzip.compress(export(NOW_MS))[:-9], PROTOBUF, "gzip"),
    ],
    ids=["bytes", "json", "number", "word", "deep", "no-gzip", "cut"],
)
def test_what_cannot_be_read_is_400_in_the_callers_kind(
    body: bytes, kind: str, packing: str
) -> None:
    """With words that say what is wrong, and no call to come again."""
    told = push(PushDoor(), body, kind, Content_Encoding=packing)
    assert status_of(told)[:2] == (400, INVALID)
    assert "retry-after" not in told.headers


def test_a_bomb_is_413() -> None:
    """A megabyte of zeros in a kilobyte, where a megabyte is the bound."""
    door = PushDoor(settings=Settings(ingest={"unpacked_mb": 1}))  # type: ignore[arg-type]
    told = push(door, gzip.compress(bytes(2**20 + 1)), Content_Encoding="gzip")
    assert status_of(told)[:2] == (413, INVALID)


@pytest.mark.parametrize(
    ("kind", "packing"),
    [("text/plain", "identity"), ("", "identity"), (PROTOBUF, "br")],
    ids=["text", "none", "brotli"],
)
def test_another_kind_or_packing_is_415(kind: str, packing: str) -> None:
    """It says which are taken."""
    told = push(PushDoor(), export(NOW_MS), kind, Content_Encoding=packing)
    assert status_of(told)[:2] == (415, INVALID)


def test_columns_are_taken_by_their_own_door() -> None:
    """One message of two samples; another content type is refused."""
    import msgspec
    import numpy as np

    message = {
        "schema": 1,
        "table": [(0, "", {"__name__": "load", "pod": pod}) for pod in "ab"],
        "at": np.array([NOW_MS, NOW_MS], dtype="<i8").tobytes(),
        "value": np.array([1.0, 2.0]).tobytes(),
    }
    door, body = PushDoor(), msgspec.msgpack.encode(message)
    headers = {"Content-Type": "application/msgpack"}
    assert door.client.post("/v1/columns", content=body, headers=headers).status_code == 204
    assert door.sink.of("load") == [(NOW_MS, 1.0), (NOW_MS, 2.0)]
    assert door.client.post("/v1/columns", content=body).status_code == 415
    assert door.client.post("/v1/columns", content=b"\xc1", headers=headers).status_code == 400


def test_without_a_stream_there_is_no_door() -> None:
    """404 says that this is not the address."""
    headers = {"Content-Type": PROTOBUF}
    told = Door().client.post("/v1/metrics", content=b"", headers=headers)
    assert told.status_code == 404
