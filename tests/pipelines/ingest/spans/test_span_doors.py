"""The doors for traces of all tenants: taken once or not at all, counted by name, kept apart."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.errors import InputError, StoreError
from detector.spans.columns import SpanKind
from pipelines.ingest.decoded import FullError
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Packing
from pipelines.ingest.spans.decoded import Oddity, SpanDoor, SpanRefusal
from pipelines.ingest.spans.doors import SpanDoors
from pipelines.ingest.spans.keys import Slot
from pipelines.ingest.spans.shapes import OTHER, Named, told_of
from pipelines.testing.span_sink import MemorySpanSink
from tests.pipelines.ingest.spans.requests import NOW_MS, in_json, request_of, span_of

NS = 10**6


@dataclass(slots=True)
class Doorway:
    """Doors before a sink in memory; a clock that is moved by hand."""

    limits: Limits = field(default_factory=Limits)
    sink: MemorySpanSink = field(default_factory=MemorySpanSink)
    now: float = NOW_MS / 1000
    doors: SpanDoors = field(init=False)

    def __post_init__(self) -> None:
        self.doors = SpanDoors(self.sink, self.limits, lambda: self.now)

    def push(self, request: ExportTraceServiceRequest, tenant: str = "default") -> int:
        """How many spans of a request are taken."""
        body = request.SerializeToString()
        return self.doors.take(SpanDoor.OTLP, tenant, body, Packing.PLAIN).taken


def one(at_ms: int = NOW_MS, **fields: Any) -> ExportTraceServiceRequest:  # noqa: ANN401
    """A request of one span that began at a time."""
    times: dict[str, Any] = {
        "start_time_unix_nano": at_ms * NS,
        "end_time_unix_nano": at_ms * NS + 5,
    }
    return request_of(span_of(**(times | fields)), service_name="checkout")


def test_a_request_by_either_door_reaches_the_sink() -> None:
    """With the time at which it was taken, by our clock."""
    way = Doorway()
    assert way.push(one()) == 1
    told = way.doors.take(
        SpanDoor.OTLP_JSON, "default", gzip.compress(in_json(one())), Packing.GZIP
    )
    assert told.taken == 1
    first, second = way.sink.batches["default"]
    assert (first.taken, second.taken) == (NOW_MS, NOW_MS)
    assert first.span.tolist() == second.span.tolist()


def test_where_there_is_no_room_nothing_is_taken() -> None:
    """The sender is told to come again, and counts nothing twice then."""
    way = Doorway()
    way.sink.is_full = True
    with pytest.raises(FullError, match="send the same again"):
        way.push(one())
    assert way.sink.count() == 0
    way.sink.is_full = False
    assert way.push(one()) == 1
    assert way.sink.count() == 1


def test_a_store_that_fails_is_no_fault_of_the_sender() -> None:
    """It hears so, and the doors are open again as soon as the disk is."""
    way = Doorway()
    way.sink.is_down = True
    with pytest.raises(StoreError):
        way.push(one())
    way.sink.is_down = False
    assert way.push(one()) == 1


def test_a_message_of_nothing_troubles_no_sink() -> None:
    """An exporter that says that it lives."""
    way = Doorway()
    way.sink.is_down = True
    assert way.push(ExportTraceServiceRequest()) == 0
    assert way.push(one(span_id=b"")) == 0


@pytest.mark.parametrize(
    ("late_s", "refusal"),
    [
        (0, None),
        (-59, None),
        (-61, SpanRefusal.TOO_OLD),
        (9, None),
        (11, SpanRefusal.IN_THE_FUTURE),
    ],
)
def test_times_are_held_against_our_clock(late_s: int, refusal: SpanRefusal | None) -> None:
    """A sender whose clock is wrong is told so, by a name that can be looked for."""
    way = Doorway(limits=Limits(behind_s=60, ahead_s=10))
    body = one(NOW_MS + 1000 * late_s).SerializeToString()
    told = way.doors.take(SpanDoor.OTLP, "default", body, Packing.PLAIN)
    assert dict(told.refused.counts) == ({refusal: 1} if refusal else {})
    assert told.taken == (refusal is None)


def test_a_body_that_grows_beyond_a_bound_is_refused() -> None:
    """A kilobyte that unpacks to a gigabyte."""
    way = Doorway(limits=Limits(unpacked_bytes=10_000))
    bomb = gzip.compress(bytes(10_000_000))
    with pytest.raises(InputError):
        way.doors.take(SpanDoor.OTLP, "default", bomb, Packing.GZIP)
    assert way.push(one()) == 1


def test_tenants_are_bounded_and_do_not_meet() -> None:
    """Who makes up names of tenants shuts nobody else out."""
    way = Doorway(limits=Limits(tenants=2))
    assert way.push(one(), "a") == 1
    assert way.push(one(), "b") == 1
    with pytest.raises(InputError, match="2 tenants already"):
        way.push(one(), "c")
    assert way.push(one(), "a") == 1
    assert (way.sink.count("a"), way.sink.count("b"), way.sink.count("c")) == (2, 1, 0)


def test_many_senders_at_once_lose_nothing() -> None:
    """A pool of collectors behind a balancer."""
    way = Doorway()

    def send(first: int) -> None:
        for nth in range(first, first + 25):
            way.push(one(span_id=nth.to_bytes(8, "big"), name=f"work {chr(97 + nth % 26)}"))

    threads = [threading.Thread(target=send, args=(100 * n + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [int(id) for batch in way.sink.batches["default"] for id in batch.span]
    assert sorted(ids) == sorted(100 * n + 1 + nth for n in range(4) for nth in range(25))


def test_what_was_odd_is_counted_by_tenant_and_name() -> None:
    """An operator sees that a service sends no name before its owner wonders."""
    way = Doorway()
    body = request_of(span_of()).SerializeToString()
    told = way.doors.take(SpanDoor.OTLP, "a", body, Packing.PLAIN)
    assert told.dropped == {Oddity.UNNAMED_SERVICE: 1}
    assert told.taken == 1


def shape(kind: int, *slots: tuple[Slot, bytes]) -> bytes:
    """The bytes of a shape."""
    return bytes([kind]) + b"".join(bytes([slot, len(body)]) + body for slot, body in slots)


def test_a_shape_tells_what_it_was_made_of() -> None:
    """A value that was cut within a letter is one all the same."""
    told = told_of(shape(2, (Slot.METHOD, b"GET"), (Slot.ROUTE, "/ä".encode()[:-1])))
    assert (told.kind, told.method, told.route) == (SpanKind.SERVER, "GET", "/\ufffd")
    assert told_of(shape(0)).name == ""


def test_names_of_nothing_are_none() -> None:
    """And what had no room among shapes is `other`, beside those that had."""
    names = Named(seed=1)
    assert names.of(np.zeros(0, np.int32)).operations == ()
    found = names.of(np.array([-1, -1], np.int32))
    assert [found.operations[n] for n in found.operation] == [OTHER, OTHER]
