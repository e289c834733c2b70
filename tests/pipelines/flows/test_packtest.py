"""A pack of one's own on a source: what it binds, what not, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detector.signals.packs import Pack, parse_pack, shipped_packs
from pipelines.flows.packtest import PackTest, try_pack
from pipelines.flows.services import Services
from pipelines.sources.memory import MemorySource
from tests.detector.discovery.clusters import CANARY, STABLE, T0, Labels, source, target

OURS = """\
name: ours
title: Our own framework
published: https://example.com/metrics
requests:
  - metric: shop_calls_total
    errors: {labels: [result], match: failed}
durations:
  - metric: shop_call_seconds_bucket
health: {call: ping}
"""
EDGES = ("0.01", "0.05", "0.1", "0.5", "1", "+Inf")


def pods(*own: Labels) -> list[Labels]:
    """The series under the targets of six pods."""
    return [
        series
        for pod in (*STABLE, *CANARY)
        for series in target(
            own,
            job="checkout",
            service="checkout",
            namespace="shop",
            pod=pod,
            container="checkout",
            instance=f"{pod}:8080",
        )
    ]


CALLS = (
    {"__name__": "shop_calls_total", "call": "buy", "result": "done"},
    {"__name__": "shop_calls_total", "call": "buy", "result": "failed"},
    {"__name__": "shop_calls_total", "call": "ping", "result": "done"},
)
SECONDS = tuple({"__name__": "shop_call_seconds_bucket", "call": "buy", "le": le} for le in EDGES)


def tried(
    held: MemorySource, text: str = OURS, service: str | None = None, packs: Sequence[Pack] = ()
) -> PackTest:
    known = Services(source=held, catalog=held, packs=packs, clock=lambda: T0 + 600)
    return try_pack(parse_pack(text, origin="ours.yaml"), known, service=service)


def test_all_that_a_pack_knows_is_bound_with_a_query_and_a_sample() -> None:
    """A team sees that its pack reads what it means, before a rollout depends on it."""
    found = tried(source(pods(*CALLS, *SECONDS)))
    (one,) = found.tried
    assert (found.services, one.service, one.missing) == (("checkout",), "checkout", ())
    assert {b.name for b in one.bindings} == {"error_rate", "latency", "tail95", "tail99"}
    assert 'result=~"failed"' in one.bindings[0].expression
    assert one.samples["error_rate"].labels["call"] == "buy"
    assert one.samples["error_rate"].time > T0
    assert found.is_there
    assert found.is_bound


def test_a_metric_that_is_not_there_is_told_with_its_key_and_the_nearest() -> None:
    """A slip in a metric's name is the commonest, and a pack with one is valid."""
    found = tried(source(pods(*CALLS)), OURS.replace("shop_calls_total", "shop_call_total"))
    lost = next(m for m in found.metrics if not m.there)
    assert (lost.metric, lost.key) == ("shop_call_total", "requests[0].metric")
    assert lost.nearest[0] == "shop_calls_total"
    assert not found.is_there
    assert found.tried == ()


def test_what_is_not_bound_says_why() -> None:
    """A label of errors that no series has, and a histogram that the service lacks."""
    found = tried(source(pods(*CALLS)), OURS.replace("[result]", "[outcome]"))
    why = {one.name: one.why for one in found.tried[0].missing}
    assert why == {
        "error_rate": "shop_calls_total has no label that tells errors: outcome",
        "latency": "the service has none of shop_call_seconds_bucket",
    }
    assert found.is_there
    assert not found.is_bound


def test_the_asked_service_is_tried() -> None:
    """Of many the one that a person knows."""
    others = [{**s, "service": "cart", "job": "cart"} for s in pods(*CALLS, *SECONDS)]
    found = tried(source(pods(*CALLS, *SECONDS), others), service="cart")
    assert found.services == ("cart", "checkout")
    assert [one.service for one in found.tried] == ["cart"]


def test_a_service_that_is_not_there_is_told_the_nearest() -> None:
    """A name that is spelled otherwise in the metrics."""
    found = tried(source(pods(*CALLS)), service="check-out")
    assert not found.is_bound
    assert any("nearest: checkout" in note for note in found.tried[0].notes)


GAUGES = """\
name: pools
title: Our pools
published: https://example.com/pools
signals:
  - {name: pool_waiting, kind: gauge, metric: shop_pool_waiting, unit: callers}
"""
HTTP = ({"__name__": "http_requests_total", "code": "200"},)


def test_a_pack_without_requests_is_tried_beside_the_others() -> None:
    """Its series have no traffic of their own: the shipped packs find the service and its pods."""
    held = source(pods(*HTTP, {"__name__": "shop_pool_waiting"}))
    found = tried(held, GAUGES, packs=shipped_packs())
    (one,) = found.tried
    assert [b.name for b in one.bindings] == ["pool_waiting"]
    assert one.samples["pool_waiting"].labels["__name__"] == "shop_pool_waiting"
    assert found.is_bound


@pytest.mark.parametrize("service", [None, "checkout"])
def test_a_gauge_that_no_pod_has_is_no_success(service: str | None) -> None:
    """It exists, of something else: nothing was bound, and that is said."""
    stray = [{"__name__": "shop_pool_waiting", "job": "elsewhere"}]
    found = tried(source(pods(*HTTP), stray), GAUGES, service, shipped_packs())
    assert found.is_there
    assert not found.is_bound
