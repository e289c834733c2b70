"""Spans of the demo's pods: what they say, and how they get to the gate."""

from __future__ import annotations

import asyncio
import random

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from api.demo.calls import CALLS, DATABASE, PAGES
from api.demo.faults import Behaviour, Fault, behaviour
from api.demo.pod import Orders, PodConfig
from api.demo.traces import MOST_WAITING, Passage, Traces
from api.demo.web import Exchange, Reply
from detector.spans.comparison import time_shifts
from detector.spans.operator import step
from detector.spans.shift import Arms
from detector.spans.state import SpanState, opened
from detector.spans.words import told
from pipelines.flows.logs_pace import LIFE
from pipelines.ingest.decoded import Window
from pipelines.ingest.spans.otlp import Otlp
from tests.api.demo.stand import until, web

DRAW = random.Random(1)  # noqa: S311 - nothing is to be kept secret
POD = "checkout-b7cd9fgh-x2b4z"


def sent(
    *, requests: int, status: int = 200, replies: tuple[Reply, ...] = (Reply(),)
) -> list[Exchange]:
    """What a pod posts that served some requests; it is stopped once the first was answered."""

    async def run() -> list[Exchange]:
        async with web(*replies) as (port, asked):
            traces = Traces(port, pod=POD, version="v2", namespace="shop", draw=DRAW)
            for nth in range(requests):
                way = [Passage(DATABASE, 1_000 + nth, 2_000 + nth, status == 500)]
                traces.add("GET", "/cart", (1_000 + nth, 3_000 + nth), status, way)
            sending = asyncio.create_task(traces.send())
            await until(lambda: bool(asked))
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            return asked

    return asyncio.run(run())


def spans_of(asked: list[Exchange]) -> tuple[dict[str, str], list[Span]]:
    """The resource and the spans of the one message that was posted."""
    [one] = asked
    assert (one.method, one.path) == ("POST", "/v1/traces")
    [of] = TracesData.FromString(one.body).resource_spans
    names = {one.key: one.value.string_value for one in of.resource.attributes}
    return names, list(of.scope_spans[0].spans)


def test_a_request_is_a_span_with_those_that_it_asked() -> None:
    """A tree by ids, named by OpenTelemetry's conventions, from a pod of a version."""
    names, (whole, part) = spans_of(sent(requests=1))
    assert names["service.name"] == "checkout"
    assert (names["service.version"], names["k8s.pod.name"]) == ("v2", POD)
    assert (whole.name, whole.kind) == ("GET /cart", Span.SPAN_KIND_SERVER)
    assert (part.name, part.kind) == ("SELECT orders", Span.SPAN_KIND_CLIENT)
    assert (part.trace_id, part.parent_span_id) == (whole.trace_id, whole.span_id)
    assert (len(whole.trace_id), len(whole.span_id)) == (16, 8)
    assert whole.status.code == Status.STATUS_CODE_UNSET


def test_what_failed_says_so() -> None:
    """Errors of traces are those of the metrics."""
    _, spans = spans_of(sent(requests=1, status=500))
    assert [one.status.code for one in spans] == [Status.STATUS_CODE_ERROR] * 2


def test_spans_that_find_no_room_are_lost() -> None:
    """A gate that is away costs the pods no memory."""
    traces = Traces(0, pod=POD, version="v2", namespace="shop", draw=DRAW)
    for nth in range(MOST_WAITING + 9):
        traces.add("GET", "/cart", (nth, nth + 1), 200, ())
    assert len(traces.waiting) == MOST_WAITING


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_time_left_for_itself(path: str) -> None:
    """Nobody waits for others only."""
    assert 0.1 < 1 - sum(call.share for call in CALLS[path]) < 0.9
    assert DATABASE in CALLS[path]


def served(version: str, fault: Fault, times: int, seed: int) -> Traces:
    """What a pod of a version gathers that answers so often."""
    name = f"checkout-{version}-x2b4z"
    orders = Orders(PodConfig(name=name, version=version, parent=0, log="", traces=1), seed=seed)
    query = behaviour(fault, name, index=0).query
    orders.behaviour = Behaviour(latency=0.2, query=query, errors=0.0)
    # Its caches are full by now.
    orders._born -= 60.0

    async def run() -> None:
        visit = Exchange("GET", "/cart")
        await asyncio.gather(*(orders.respond(visit) for _ in range(times)))

    asyncio.run(run())
    return orders.traces


def taken(*gathered: Traces) -> SpanState:
    """What the operator over spans learns of them, at the pace of the demo."""
    state, door = opened(LIFE.faster(15).spans, seed=1), Otlp()
    for nth, traces in enumerate(gathered):
        now = max(one.end_time_unix_nano for one in traces.waiting) // 10**6 + 60_000 * nth
        body = traces.packed(traces.waiting)
        decoded = door.decode(body, Window(oldest=0, newest=2 * now), now)
        state, _ = step(state, decoded.spans)
    return state


def test_the_query_of_a_slow_version_is_named() -> None:
    """`--fault latency` shows in traces where it is: in the one query that takes longer."""
    bad, good = served("v3", Fault.LATENCY, 200, 1), served("v1", Fault.NONE, 200, 2)
    # What comes a minute later shows that the traces before are whole.
    state = taken(bad, good, served("v1", Fault.NONE, 1, 3))
    canary, control = frozenset({"v3"}), frozenset({"v1"})
    arms = Arms(service="checkout", canary=canary, control=control, since=0, until=2**60)
    sentences = told(time_shifts(state, arms), "v3")
    assert any("more in `SELECT orders` per `GET /cart`" in one for one in sentences), sentences
