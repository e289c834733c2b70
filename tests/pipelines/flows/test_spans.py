"""Spans on their way: counted once whatever happens to the process, and read like any metric."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detector.logs.lines import Origin
from detector.series import Query
from detector.spans.columns import NOBODY, SpanKind, Spans, SpanStatus
from detector.spans.names import NodeKind
from detector.spans.series import CALLS
from detector.stream.columns import SeriesInfo
from pipelines.flows.spans import SpanFlow
from pipelines.flows.spans_record import columns_of
from pipelines.ingest.interning import Interner
from pipelines.sources.own import OwnSource
from pipelines.stores.own import SqlOwn
from tests.pipelines.flows.logging import Life, lines, opened
from tests.pipelines.flows.test_logs import ASKED

SHOP = Origin(service="shop", pod="shop-1", version="v1")
CART = Origin(service="cart", pod="cart-1", version="v2")
MS = 1_000_000


def spans(first: int, count: int, *, failed: bool = False) -> Spans:
    """Calls of the shop to the cart, both sides of each; no two have one id."""
    ids = np.arange(first, first + count, dtype=np.uint64)
    trace = np.zeros((2 * count, 16), np.uint8)
    trace[:, :8] = np.repeat(ids, 2)[:, None].view(np.uint8).reshape(2 * count, 8)
    status = SpanStatus.ERROR if failed else SpanStatus.UNSET
    side = np.tile(np.array([0, 1], np.int32), count)
    span = np.stack([2 * ids + 1, 2 * ids + 2], axis=1).ravel().astype(np.uint64)
    parent = np.stack([np.zeros_like(ids), 2 * ids + 1], axis=1).ravel().astype(np.uint64)
    return Spans(
        trace=trace,
        span=span,
        parent=parent,
        start=np.full(2 * count, 1_790_000_000 * 1000 * MS, np.int64),
        duration=np.full(2 * count, 30 * MS, np.int64),
        kind=np.where(side == 0, SpanKind.CLIENT, SpanKind.SERVER).astype(np.uint8),
        status=np.full(2 * count, status, np.uint8),
        operation=side,
        peer=np.zeros(2 * count, np.int32),
        origin=side,
        operations=("call cart", "GET /cart"),
        peers=(NOBODY,),
        origins=(SHOP, CART),
        taken=0,
    )


def stands(life: Life, metric: str, **labels: str) -> float:
    """The sum of counters at their newest."""
    source = OwnSource(lambda: SqlOwn(life.database))
    (answer,) = source.read([Query(metric)], 0, life.clock.now)
    return sum(
        float(one.values[-1])
        for one in answer.series
        if all(one.labels.get(name) == value for name, value in labels.items())
    )


def test_spans_become_red_counters(tmp_path: Path) -> None:
    """Rate, errors and duration of each operation and version, for the gate."""
    life = opened(tmp_path)
    flow = SpanFlow(life.taking)
    assert flow.put("default", spans(0, 40))
    assert flow.put("default", spans(100, 2, failed=True))
    life.settle()
    of_cart = {"service_name": "cart", "service_version": "v2", "k8s_pod_name": "cart-1"}
    name = "traces_span_metrics_calls_total"
    assert stands(life, name, **of_cart) == 42
    assert stands(life, name, status_code="STATUS_CODE_ERROR", **of_cart) == 2
    bucket = "traces_span_metrics_duration_seconds_bucket"
    assert stands(life, bucket, le="0.02", **of_cart) == 0
    assert stands(life, bucket, le="+Inf", **of_cart) == 42
    life.close()


def test_a_process_that_died_counts_each_span_once(tmp_path: Path) -> None:
    """Also where counters were written and the checkpoint was not, and the other way round."""
    life = opened(tmp_path)
    for nth in range(12):
        assert SpanFlow(life.taking).put("default", spans(100 * nth, 10))
        assert life.flow.put("default", lines([ASKED]))
        life.clock.now += 7
        if nth % 3 == 1:
            assert life.stream.drain(60)
            life.stream.part.logs.settle(now=True)
        if nth == 5:
            life.close()
        if nth % 3 != 2 or nth == 5:
            life = opened(tmp_path, life.clock)
    life.settle()
    name = "traces_span_metrics_calls_total"
    assert stands(life, name, service_name="cart") == 120
    assert stands(life, name, service_name="shop") == 120
    assert sum(life.counts().values()) == 12
    life.close()


def test_who_calls_whom_is_known_after_a_restart(tmp_path: Path) -> None:
    """The topology is what an incident is looked at by."""
    life = opened(tmp_path)
    assert SpanFlow(life.taking).put("default", spans(0, 20))
    assert life.stream.drain(60)
    life.close()
    again = opened(tmp_path, life.clock)
    assert SpanFlow(again.taking).put("default", spans(500, 1))
    assert again.stream.drain(60)
    graph = again.stream.graph("default", "cart")
    assert graph is not None
    between = [e for e in graph.edges if (e.caller.name, e.callee.name) == ("shop", "cart")]
    assert [edge.total_calls for edge in between] == [21]
    assert between[0].callee.kind is NodeKind.SERVICE
    again.close()


def test_steps_end_after_a_restart_where_only_spans_came(tmp_path: Path) -> None:
    """What came last before it is read without waiting for more."""
    life = opened(tmp_path)
    assert SpanFlow(life.taking).put("default", spans(0, 20))
    assert life.stream.drain(60)
    life.close()
    again = opened(tmp_path, life.clock)
    again.settle()
    assert stands(again, "traces_span_metrics_calls_total", service_name="cart") == 20
    again.close()


def test_without_spans_there_is_no_graph(tmp_path: Path) -> None:
    """It is not told to be empty."""
    life = opened(tmp_path)
    assert life.stream.graph("default", "cart") is None
    life.close()


def test_rates_of_calls_that_were_served_are_judged(tmp_path: Path) -> None:
    """What a client felt is told by its own spans; a call is one call to the stream."""
    life = opened(tmp_path)
    assert SpanFlow(life.taking).put("default", spans(0, 5))
    life.settle()
    (info,) = [info for info in _series(life) if info.name == CALLS]
    assert dict(info.labels)["service"] == "cart"
    life.close()


def _series(life: Life) -> list[SeriesInfo]:
    names = life.stream.known("default")
    assert isinstance(names, Interner)
    return [names[id] for id in range(len(names))]


def test_a_refused_batch_is_counted_when_it_comes_again(tmp_path: Path) -> None:
    """The door answers 429, the sender keeps it."""
    life = opened(tmp_path, room=1)
    flow = SpanFlow(life.taking)
    with life.stream._still():
        assert flow.put("default", spans(0, 5))
        assert not flow.put("default", spans(100, 5))
    assert life.stream.drain(60)
    assert flow.put("default", spans(100, 5))
    assert life.stream.drain(60)
    life.settle()
    assert stands(life, "traces_span_metrics_calls_total", service_name="cart") == 10
    assert (flow.meters.spans, flow.meters.refused) == (20, 10)
    life.close()


def test_spans_come_out_of_the_spool_as_they_went_in() -> None:
    """To the bit."""
    given = spans(3, 7)
    found = columns_of(given).spans()
    for name in ("trace", "span", "parent", "start", "duration", "kind", "status", "operation"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    assert (found.origins, found.operations) == (given.origins, given.operations)
