"""Calls that were served as series: of each service, and of its commonest operations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from detector.spans.columns import NOBODY, SpanKind, Spans, SpanStatus
from detector.spans.series import CALLS, FAILED, LATENCY
from detector.stream.columns import SeriesKind
from pipelines.flows.spans import SpanFlow
from pipelines.ingest.interning import Interner
from tests.pipelines.flows.logging import Life, opened
from tests.pipelines.flows.test_spans import CART, MS, spans

SERVER = SpanKind.SERVER


def served(*operations: str, of_each: int, first: int = 0, kind: SpanKind = SERVER) -> Spans:
    """Calls that the cart answered, so many of each operation."""
    size = of_each * len(operations)
    ids = np.arange(first + 1, first + 1 + size, dtype=np.uint64)
    trace = np.zeros((size, 16), np.uint8)
    trace[:, :8] = ids[:, None].view(np.uint8)
    zeros = np.zeros(size, np.int32)
    return Spans(
        trace=trace,
        span=ids,
        parent=np.zeros(size, np.uint64),
        start=np.full(size, 1_790_000_000_000 * MS, np.int64),
        duration=np.full(size, 30 * MS, np.int64),
        kind=np.full(size, kind, np.uint8),
        status=np.full(size, SpanStatus.UNSET, np.uint8),
        operation=np.tile(np.arange(len(operations), dtype=np.int32), of_each),
        peer=zeros,
        origin=zeros,
        operations=operations,
        peers=(NOBODY,),
        origins=(CART,),
        taken=0,
    )


def series(life: Life) -> dict[tuple[str, str], SeriesKind]:
    """The stream's series of spans: metric and operation, and of which kind each is."""
    names = life.stream.known("default")
    assert isinstance(names, Interner)
    infos = [names[id] for id in range(len(names))]
    return {(info.name, dict(info.labels).get("operation", "")): info.kind for info in infos}


def test_a_service_has_rate_errors_and_latency_at_once(tmp_path: Path) -> None:
    """Its first calls are judged with those of the whole hour."""
    life = opened(tmp_path)
    assert SpanFlow(life.taking).put("default", spans(0, 5))
    assert life.stream.drain(60)
    assert series(life) == {
        (CALLS, ""): SeriesKind.DELTA,
        (FAILED, ""): SeriesKind.GAUGE,
        (LATENCY, ""): SeriesKind.GAUGE,
    }
    life.close()


def test_an_operation_has_them_once_it_is_common(tmp_path: Path) -> None:
    """A path that a scanner asked for once is none that anybody watches."""
    life = opened(tmp_path)
    flow = SpanFlow(life.taking)
    assert flow.put("default", served("GET /cart", of_each=25))
    assert flow.put("default", served("GET /wp-admin", of_each=3, first=100))
    assert life.stream.drain(60)
    assert {operation for _, operation in series(life)} == {"", "GET /cart"}
    life.close()


def test_a_service_has_no_more_operations_than_it_may(tmp_path: Path) -> None:
    """An id in each name would take the place of all other series."""
    life = opened(tmp_path)
    flow = SpanFlow(life.taking, operations=4)
    for nth in range(30):
        assert flow.put("default", served(f"GET /x{nth}", of_each=25, first=100 * nth))
    assert life.stream.drain(60)
    assert len({operation for _, operation in series(life)} - {""}) == 4
    life.close()


def test_what_a_client_felt_is_no_call_of_its_own(tmp_path: Path) -> None:
    """Both sides of a call would count it twice."""
    life = opened(tmp_path)
    assert SpanFlow(life.taking).put("default", served("call", of_each=30, kind=SpanKind.CLIENT))
    assert life.stream.drain(60)
    assert series(life) == {}
    life.close()


def test_versions_and_pods_are_one_series(tmp_path: Path) -> None:
    """A deploy would begin every baseline anew."""
    life = opened(tmp_path)
    flow = SpanFlow(life.taking)
    for nth in range(5):
        batch = served("GET /cart", of_each=25, first=100 * nth)
        origin = replace(CART, pod=f"cart-{nth}", version=f"v{nth}")
        assert flow.put("default", replace(batch, origins=(origin,)))
    assert life.stream.drain(60)
    assert len(series(life)) == 6
    life.close()


def test_beyond_the_room_for_series_spans_are_counted_all_the_same(tmp_path: Path) -> None:
    """The gate reads the counters, whatever the stream has room for."""
    life = opened(tmp_path, rates=2)
    flow = SpanFlow(life.taking)
    assert flow.put("default", served("GET /cart", of_each=25))
    assert life.stream.drain(60)
    assert len(series(life)) == 2
    assert flow.meters.spans == 25
    assert life.taking.of("default").refused_rates > 0
    life.close()
