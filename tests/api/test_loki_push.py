"""The door for pushes of Loki: answered so that its senders neither lose nor repeat."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping

import cramjam
import pytest
from httpx2 import Response

from api.settings import Settings
from tests.api.logging_door import LogDoorway
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS
from tests.pipelines.ingest.logs.lokis import PushRequest, pushed

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
SHOP = '{app="shop", namespace="prod", pod="shop-1"}'


def snapped(request: PushRequest) -> bytes:
    """As senders pack it."""
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def in_json(*lines: str, at: object = str(NOW_NS), **labels: str) -> bytes:
    """The same in JSON."""
    values = [[at, line] for line in lines]
    stream = {"app": "shop", "namespace": "prod", "pod": "shop-1", **labels}
    return json.dumps({"streams": [{"stream": stream, "values": values}]}).encode()


def push(door: LogDoorway, body: bytes, kind: str = PROTOBUF, **headers: str) -> Response:
    """Post a request."""
    return door.post("/loki/api/v1/push", body, kind, **headers)


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "snappy"}], ids=["silent", "named"])
def test_a_push_in_protobuf_is_204(headers: dict[str, str]) -> None:
    """Promtail names no encoding, others do: it is a block of snappy by either."""
    door = LogDoorway()
    told = push(door, snapped(pushed({SHOP: [(NOW_NS, "order placed")]})), **headers)
    assert (told.status_code, told.content) == (204, b"")
    (line,) = door.sink.lines()
    assert (line.at, line.message) == (NOW_MS, b"order placed")
    assert (line.origin.service, line.origin.pod) == ("shop", "shop-1")


PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("packing", PACKED)
def test_a_push_in_json_is_204(packing: str) -> None:
    """Fluent Bit's and people's own senders, packed or not."""
    door = LogDoorway()
    told = push(door, PACKED[packing](in_json("order placed")), JSON, Content_Encoding=packing)
    assert told.status_code == 204
    assert door.sink.messages() == ["order placed"]


def test_a_tenant_has_its_own_lines() -> None:
    """By the header that Loki's senders have for it."""
    door = LogDoorway()
    push(door, in_json("a"), JSON, X_Scope_OrgID="team-a")
    assert (door.sink.messages("team-a"), door.sink.messages()) == (["a"], [])


def test_a_stream_that_cannot_be_read_is_400_and_the_others_are_taken() -> None:
    """As Loki does; the words say which, and the batch does not come again."""
    door = LogDoorway()
    told = push(door, snapped(pushed({SHOP: [(NOW_NS, "good")], "{app=": [(NOW_NS, "bad")]})))
    assert told.status_code == 400
    assert "1 were refused (1 labels)" in told.json()["detail"]
    assert "The other 1 lines were taken" in told.json()["detail"]
    assert door.sink.messages() == ["good"]


@pytest.mark.parametrize(
    ("body", "kind", "packing"),
    [
        (b"plain", PROTOBUF, ""),
        (bytes(cramjam.snappy.compress_raw(b"\xff\xff")), PROTOBUF, "snappy"),
        (b"{", JSON, ""),
        (b'{"streams": 3}', JSON, ""),
        (in_json("a", at=NOW_NS), JSON, ""),
        (in_json("a", at="soon"), JSON, ""),
        (in_json("a", at="9" * 30), JSON, ""),
        (b'{"streams": ' + b"[" * 100_000, JSON, ""),
        (b"plain", JSON, "gzip"),
    ],
    ids=[
        "no snappy",
        "no protobuf",
        "json",
        "number",
        "numeric time",
        "word",
        "far",
        "deep",
        "gzip",
    ],
)
def test_what_cannot_be_read_is_400(body: bytes, kind: str, packing: str) -> None:
    """No sender comes again with it."""
    told = push(LogDoorway(), body, kind, Content_Encoding=packing)
    assert (told.status_code, told.headers["content-type"]) == (400, "application/problem+json")
    assert "retry-after" not in told.headers


def test_a_body_that_is_too_large_is_413() -> None:
    """As it comes, and unpacked."""
    door = LogDoorway(settings=Settings.model_validate({"ingest": {"unpacked_mb": 1}}))
    assert push(door, bytes(cramjam.snappy.compress_raw(bytes(2**20 + 1)))).status_code == 413
    assert push(LogDoorway(), bytes(17 * 2**20)).status_code == 413


def test_another_packing_of_json_is_415() -> None:
    """It says which are taken."""
    told = push(LogDoorway(), in_json("a"), JSON, Content_Encoding="br")
    assert told.status_code == 415
    assert "gzip, deflate or identity" in told.json()["detail"]


def test_a_full_queue_is_429_with_a_time_to_wait() -> None:
    """Senders come again after 429, and after no other 4xx."""
    door = LogDoorway()
    door.sink.is_full = True
    told = push(door, in_json("a"), JSON)
    assert told.status_code == 429
    assert int(told.headers["retry-after"]) >= 1


def test_a_store_that_is_down_is_503() -> None:
    """They come again."""
    door = LogDoorway()
    door.sink.is_down = True
    assert push(door, in_json("a"), JSON).status_code == 503
