"""Which counters an objective of a signal counts, and which signals it cannot count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.promised import buckets_of, counters_of, fast_of
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


TIMES = BoundSignal(
    signal=Signal(name="latency", kind=Kind.LATENCY),
    pack="test",
    unit=Unit.POD,
    total=Family(metric="took_bucket", shape=Shape.BUCKETS, scale=0.001),
)


def edges(*ends: str, pod: str = "a") -> list[dict[str, str]]:
    """Of one pod's histogram, in milliseconds."""
    return [{"__name__": "took_bucket", "pod": pod, "le": end} for end in ends]


def test_what_is_fast_is_in_the_bucket_that_ends_there() -> None:
    """In the words of the source, whoever spells a number how."""
    found = fast_of(
        plan(TIMES),
        "latency",
        0.25,
        [*edges("100", "250", "+Inf"), *edges("100.0", "250.0", "+Inf", pod="b")],
    )
    assert format_query(found.total) == 'took_bucket{service="shop",le="+Inf"}'
    assert format_query(found.part) == 'took_bucket{service="shop",le=~"250|250\\\\.0"}'
    assert found.part_is_good


@pytest.mark.parametrize(
    ("other", "nearest"),
    [(("100", "500", "+Inf"), "0.1"), (("300", "+Inf"), "none"), (("250", "+Inf"), "0.25")],
)
def test_a_bucket_that_some_pods_lack_is_no_edge(other: tuple[str, ...], nearest: str) -> None:
    """Their requests would all be slow."""
    held = [*edges("100", "250", "+Inf"), *edges(*other, pod="b")]
    with pytest.raises(InputError, match=f"nearest are {nearest}"):
        fast_of(plan(TIMES), "latency", 0.2 if nearest == "0.25" else 0.25, held)


def test_a_histogram_without_series_has_no_edges() -> None:
    """Nothing was served, or it is gone."""
    with pytest.raises(InputError, match="nearest are none"):
        fast_of(plan(TIMES), "latency", 0.25, [])


def test_a_ratio_has_no_buckets() -> None:
    """It is counted as such."""
    with pytest.raises(InputError, match="no latency"):
        buckets_of(plan(ERRORS), "error_rate")


@given(st.lists(st.integers(1, 60_000), min_size=1, unique=True))
def test_every_edge_of_a_histogram_can_be_promised(ends: list[int]) -> None:
    """Whatever its unit."""
    held = edges(*(str(end) for end in ends), "+Inf")
    for end in ends:
        found = fast_of(plan(TIMES), "latency", end / 1000, held)
        assert format_query(found.part).endswith(f'le=~"{end}"}}')


def test_arms_with_nothing_in_common_are_no_service() -> None:
    """Its counters would be those of the whole source."""
    with pytest.raises(InputError, match="whole service"):
        counters_of(plan(ERRORS, shared=False), "error_rate")
