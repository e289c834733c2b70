"""Signals of a service as queries over the whole of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.capacity.packs.sense import flaw_of
from detector.errors import InputError
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Missing, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.capacity.signals import whole_query

SERVICE = Matcher("service", MatchOp.EQUAL, "shop")
PROBE = Matcher("path", MatchOp.MATCHES, "/healthz")
REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER, health=(PROBE,))
BUCKETS = Family(metric="seconds_bucket", shape=Shape.BUCKETS, health=(PROBE,))
STARTS = Family(metric="starts_total", shape=Shape.COUNTER)
BUSY = Family(metric="busy", shape=Shape.GAUGE)


def bound(name: str, kind: Kind, total: Family, **more: object) -> BoundSignal:
    """A signal of this family."""
    return BoundSignal(
        signal=Signal(name=name, kind=kind),
        pack="test",
        unit=Unit.POD,
        total=total,
        **more,  # type: ignore[arg-type]
    )


def plan(*signals: BoundSignal) -> Plan:
    """A service with a canary."""
    canary = Matcher("track", MatchOp.EQUAL, "canary")
    stable = Matcher("track", MatchOp.NOT_EQUAL, "canary")
    return Plan(
        service="shop",
        canary=(SERVICE, canary),
        control=((SERVICE, stable),),
        requests=REQUESTS,
        signals=signals,
        missing=(Missing(name="throughput", why="it has no counter"),),
    )


@pytest.mark.parametrize(
    ("signal", "query"),
    [
        (
            bound("tail95", Kind.LATENCY, BUCKETS),
            (
                "histogram_quantile(0.95, sum by (le)"
                ' (rate(seconds_bucket{path!~"/healthz",service="shop"}[5m])))'
            ),
        ),
        (
            bound("throughput", Kind.RATE, REQUESTS),
            'sum(rate(requests_total{path!~"/healthz",service="shop"}[5m]))',
        ),
        (bound("pool", Kind.GAUGE, BUSY), 'avg(busy{service="shop"})'),
        (
            bound("restarts", Kind.EVENTS, STARTS),
            'sum(increase(starts_total{service="shop"}[1h]))',
        ),
        (
            bound("busy", Kind.GAUGE, BUSY, load=REQUESTS),
            (
                'avg(busy{service="shop"}) /'
                ' sum(rate(requests_total{path!~"/healthz",service="shop"}[5m]))'
            ),
        ),
    ],
    ids=lambda one: one.signal.name if isinstance(one, BoundSignal) else "",
)
def test_any_signal_is_one_series_of_both_arms(signal: BoundSignal, query: str) -> None:
    """Without probes, and such as a forecast may ask for."""
    found = whole_query(plan(signal), signal.signal.name)
    assert found == query
    assert flaw_of(found) is None


def test_what_is_read_by_names_of_pods_is_refused() -> None:
    """Those of the past had others, and there is a resource of it."""
    memory = bound("memory_growth", Kind.GAUGE, replace(BUSY, joined=True))
    with pytest.raises(InputError, match=r"read by the names of pods.*/v1/capacity") as error:
        whole_query(plan(memory), "memory_growth")
    assert error.value.field == "signal"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("throughput", "throughput is not bound: it has no counter; there are requests, pool, or"),
        ("beauty", "beauty is none of shop; there are requests, pool, or give a query"),
    ],
)
def test_what_is_not_bound_is_refused_with_what_is(name: str, words: str) -> None:
    """So that nobody has to guess."""
    with pytest.raises(InputError, match=words):
        whole_query(plan(bound("pool", Kind.GAUGE, BUSY)), name)
