"""Which counters an objective of a signal counts, and which signals it cannot count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.discovery.promised import counters_of
from detector.errors import InputError
from detector.selector import format_query
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Missing, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit

SERVICE = Matcher("service", MatchOp.EQUAL, "shop")
PROBE = Matcher("path", MatchOp.MATCHES, "/healthz")
REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER, health=(PROBE,))
ERRORS = BoundSignal(
    signal=Signal(name="error_rate", kind=Kind.RATIO),
    pack="test",
    unit=Unit.POD,
    total=REQUESTS,
    bad=(Matcher("code", MatchOp.MATCHES, "5.."),),
)


def plan(*signals: BoundSignal, shared: bool = True) -> Plan:
    canary = Matcher("track", MatchOp.EQUAL, "canary")
    stable = Matcher("track", MatchOp.NOT_EQUAL, "canary")
    return Plan(
        service="shop",
        canary=(SERVICE, canary),
        control=((SERVICE, stable) if shared else (stable,),),
        requests=REQUESTS,
        signals=signals,
        missing=(Missing(name="latency", why="it has no buckets"),),
    )


def test_both_arms_without_probes() -> None:
    """What tells the arms apart is left out; what the pods were asked by probes, too."""
    found = counters_of(plan(ERRORS), "error_rate")
    assert format_query(found.total) == 'requests_total{service="shop",path!~"/healthz"}'
    assert format_query(found.part) == (
        'requests_total{service="shop",code=~"5..",path!~"/healthz"}'
    )
    assert not found.part_is_good


def test_failures_in_a_family_of_their_own() -> None:
    """They are read there."""
    apart = replace(ERRORS, bad_in=Family(metric="failed_total", shape=Shape.COUNTER), bad=())
    found = counters_of(plan(apart), "error_rate")
    assert format_query(found.part) == 'failed_total{service="shop"}'


def test_why_a_signal_is_missing_is_told() -> None:
    """In the words of discovery."""
    with pytest.raises(InputError, match="it has no buckets"):
        counters_of(plan(ERRORS), "latency")


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ERRORS, also=(REQUESTS,)),
        replace(ERRORS, total=replace(REQUESTS, joined=True)),
        replace(ERRORS, signal=Signal(name="error_rate", kind=Kind.EVENTS)),
    ],
)
def test_what_one_selector_cannot_count_is_refused(wrong: BoundSignal) -> None:
    """A part of the requests is not counted for all of them."""
    with pytest.raises(InputError, match="error_rate"):
        counters_of(plan(wrong), "error_rate")


def test_arms_with_nothing_in_common_are_no_service() -> None:
    """Its counters would be those of the whole source."""
    with pytest.raises(InputError, match="whole service"):
        counters_of(plan(ERRORS, shared=False), "error_rate")
