"""Counters of spans by what tells them apart, in the order of time, and within their bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.logs.lines import Level, Origin
from detector.series import Query
from detector.spans.columns import SpanKind, Spans
from pipelines.flows.spans import SpanFlow
from pipelines.sources.own import LINES, OwnSource
from pipelines.stores.own import SqlOwn
from tests.pipelines.flows.logging import Life, lines, opened
from tests.pipelines.flows.test_spans import CART, SHOP, spans, stands

NAME = "traces_span_metrics_calls_total"


def of_version(version: str, first: int, count: int, *, failed: bool = False) -> Spans:
    """Calls to the cart of a version."""
    made = spans(first, count, failed=failed)
    return replace(made, origins=(SHOP, replace(CART, version=version, pod=f"cart-{version}")))


def put(life: Life, *batches: Spans, tenant: str = "default") -> None:
    """Take all of them."""
    for one in batches:
        assert SpanFlow(life.taking).put(tenant, one)


def test_versions_are_counted_apart(tmp_path: Path) -> None:
    """A canary's errors are its own: without that there is nothing to compare."""
    life = opened(tmp_path)
    put(
        life,
        of_version("v1", 0, 30),
        of_version("v2", 100, 10),
        of_version("v2", 200, 5, failed=True),
    )
    life.settle()
    assert stands(life, NAME, service_version="v1", service_name="cart") == 30
    assert stands(life, NAME, service_version="v2", service_name="cart") == 15
    failed = {"status_code": "STATUS_CODE_ERROR", "service_name": "cart"}
    assert stands(life, NAME, service_version="v2", **failed) == 5
    assert stands(life, NAME, service_version="v1", **failed) == 0
    life.close()


def test_sides_of_a_call_are_counted_by_their_kind(tmp_path: Path) -> None:
    """Who calls and who is called are two: doubled, every rate would be twice as high."""
    life = opened(tmp_path)
    put(life, spans(0, 8))
    life.settle()
    assert stands(life, NAME, span_kind="SPAN_KIND_SERVER") == 8
    assert stands(life, NAME, span_kind="SPAN_KIND_CLIENT") == 8
    assert stands(life, NAME, span_kind="SPAN_KIND_INTERNAL") == 0
    life.close()


def test_tenants_are_counted_apart(tmp_path: Path) -> None:
    """One's calls are nobody else's business."""
    life = opened(tmp_path)
    put(life, spans(0, 3))
    put(life, spans(0, 5), tenant="other")
    life.settle()
    own = SqlOwn(life.database)
    found = {}
    for tenant in ("default", "other", "nobody"):
        source = OwnSource(lambda: own, tenant=tenant)
        (answer,) = source.read([Query(NAME)], 0, life.clock.now)
        of_cart = [one for one in answer.series if one.labels["service_name"] == "cart"]
        found[tenant] = sum(one.values[-1] for one in of_cart)
    assert found == {"default": 3, "other": 5, "nobody": 0}
    assert life.stream.graph("nobody", "cart") is None
    life.close()


def test_counters_never_fall_over_ends_of_the_process(tmp_path: Path) -> None:
    """A fall is read as a restart of the service, and its rate doubles."""
    life = opened(tmp_path)
    for nth in range(6):
        put(life, spans(100 * nth, nth + 1))
        life.settle()
        if nth in {1, 3}:
            life.close()
            life = opened(tmp_path, life.clock)
    source = OwnSource(lambda: SqlOwn(life.database))
    (answer,) = source.read([Query(NAME)], 0, life.clock.now)
    assert answer.series
    for one in answer.series:
        assert np.all(np.diff(one.values) >= 0), one.labels
        assert np.all(np.diff(one.times) > 0)
        assert one.values[0] == 0
        assert one.values[-1] == 21
    life.close()


def test_lines_and_spans_of_one_pod_do_not_mix(tmp_path: Path) -> None:
    """Both are numbered on their own, and both stand in one database."""
    life = opened(tmp_path)
    put(life, spans(0, 4))
    assert life.flow.put("default", lines([(Level.ERROR, "no stock")] * 7))
    life.settle()
    assert stands(life, NAME, service_name="cart") == 4
    assert life.stands(level="error", template="") == 7
    names = OwnSource(lambda: SqlOwn(life.database)).metrics()
    assert {NAME, LINES} <= names
    assert len(names) == 5
    life.close()


@pytest.mark.parametrize("count", [0, 1])
def test_a_batch_of_no_spans_or_one_is_a_batch(tmp_path: Path, count: int) -> None:
    """Exporters send what they have."""
    life = opened(tmp_path)
    made = spans(0, 1)
    columns = ("trace", "span", "parent", "start", "duration", "kind", "status", "operation",
               "peer", "origin")  # fmt: skip
    put(life, replace(made, **{name: getattr(made, name)[1:][:count] for name in columns}))
    life.settle()
    assert stands(life, NAME) == count
    life.close()


def test_names_beyond_the_bound_are_counted_and_harm_no_others(tmp_path: Path) -> None:
    """A client that puts ids into operations does not push out the counters of all services."""
    life = opened(tmp_path)
    put(life, spans(0, 5))
    life.settle()
    made = spans(1_000, 600)
    hostile = replace(
        made, operation=np.arange(1_200, dtype=np.int32),
        operations=tuple(f"GET /orders/a{n}x" for n in range(1_200)),
        kind=np.full(1_200, SpanKind.SERVER, np.uint8),
        origins=(Origin(service="noisy"), Origin(service="noisy")),
    )  # fmt: skip
    put(life, hostile)
    put(life, spans(5_000, 5))
    life.settle()
    assert stands(life, NAME, service_name="cart") == 10
    kept = [dict(one.labels) for one in SqlOwn(life.database).series("local/spans", "default")]
    noisy = {one["span_name"] for one in kept if one["service_name"] == "noisy"}
    assert 0 < len(noisy) < 600
    assert stands(life, NAME, service_name="noisy") == 1_200
    life.close()
