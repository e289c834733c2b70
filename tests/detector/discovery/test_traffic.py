"""Which metric counts the requests of a service: what is asked, what counts, what goes first."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.asked import asked_of
from detector.discovery.traffic import Candidate, candidates, probes
from detector.gate.request import VerdictRequest
from detector.selector import matches
from detector.signals.packs import Pack
from detector.signals.packs.parse import parse_pack
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import BY_POD, CANARY, STABLE, Labels

PODS = (*STABLE, *CANARY)


def pack(name: str = "one", metric: str = "requests_total", unit: str = "pod") -> Pack:
    """A pack of one request metric and one histogram, with probes by path."""
    return parse_pack(
        f"""
name: {name}
title: {name}
published: here
unit: {unit}
requests:
  - metric: {metric}
    where: {{kind: "http|"}}
    errors: {{labels: [code, status], like: "[1-5]..", match: "5.."}}
durations:
  - metric: {metric}_seconds_bucket
  - metric: other_seconds_bucket
health: {{path: "/healthz"}}
""",
        origin=name,
    )


ONE = pack()


def counted(
    pods: Iterable[str] = PODS, *, name: str = "requests_total", **more: str
) -> list[Labels]:
    """A request series of each pod."""
    base = {"__name__": name, "service": "checkout", "code": "200"} | more
    return [base | {"pod": pod} for pod in pods]


def ranked(
    series: Sequence[Labels],
    *,
    packs: Sequence[Pack] = (ONE,),
    canary: str = BY_POD,
    service: str = "checkout",
    **scope: str,
) -> list[Candidate]:
    """Candidates of a source that holds these series."""
    found: dict[str, list[Labels]] = {}
    for labels in series:
        found.setdefault(labels["__name__"], []).append(labels)
    request = VerdictRequest(service=service, canary=canary, **scope)  # type: ignore[arg-type]
    return candidates(packs, found, asked_of(request))


def only(series: Sequence[Labels], **options: str) -> Candidate:
    (candidate,) = ranked(series, **options)  # type: ignore[arg-type]
    return candidate


# -- what is the service's


def test_a_service_is_its_named_series() -> None:
    """Requests of the shop next door are not counted."""
    one = only([*counted(), *counted(["cart-0"], service="cart")])
    assert [m.label for m in one.service] == ["service"]
    assert {s["pod"] for s in one.series} == set(PODS)


def test_a_service_that_is_not_there_has_neither_name_nor_canary() -> None:
    """The checkout's requests are not taken for those of a service that nobody runs."""
    (one,) = ranked(counted(), service="payments", canary='{pod=~"nobody-.+"}')
    assert (one.service, one.canary) == ((), None)
    assert ranked([]) == []


def test_other_kinds_of_requests_are_left_out() -> None:
    """A pack says which series of a metric are its own; an absent label is an empty one."""
    grpc = counted(["checkout-5c4b8d-zzzzz"], kind="grpc")
    assert {s["pod"] for s in only([*counted(), *grpc]).series} == set(PODS)


def test_probes_are_no_traffic() -> None:
    """A pod that only answers its health check serves nobody."""
    probed = counted(["checkout-5c4b8d-zzzzz"], path="/healthz")
    one = only([*counted(path="/cart"), *probed])
    assert all(s["path"] == "/cart" for s in one.series)
    assert ranked(probed) == []


def test_a_series_without_the_label_of_probes_is_traffic() -> None:
    """Not every middleware tells the path."""
    (rule,) = probes(ONE)
    assert matches(rule, {"path": "/healthz"})
    assert len(only(counted()).series) == len(PODS)


@pytest.mark.parametrize(
    ("scope", "pods"),
    [
        pytest.param({"namespace": "shop"}, 6, id="the namespace"),
        pytest.param({"namespace": "staging"}, 1, id="another"),
        pytest.param({"namespace": "nowhere"}, 0, id="none"),
        pytest.param({}, 7, id="all"),
    ],
)
def test_a_scope_is_kept(scope: dict[str, str], pods: int) -> None:
    """Staging has the same names and other users."""
    series = [*counted(namespace="shop"), *counted(["checkout-0"], namespace="staging")]
    found = ranked(series, **scope)  # type: ignore[arg-type]
    assert sum(len(c.series) for c in found) == pods


def test_a_source_that_tells_no_namespace_is_not_asked_for_one() -> None:
    """A Prometheus of one namespace need not carry it as a label."""
    assert len(only(counted(), namespace="shop").series) == len(PODS)


def test_a_job_with_its_namespace_in_front_is_written_out() -> None:
    """`shop/checkout` is the job of `checkout` where the operator names it so."""
    series = [
        {k: v for k, v in s.items() if k != "service"} | {"job": "shop/checkout"} for s in counted()
    ]
    (matcher,) = only(series).service
    assert (matcher.label, matcher.op.value, matcher.value) == ("job", "=", "shop/checkout")


def test_two_jobs_of_one_name_stay_a_pattern() -> None:
    """None of the two is left out by chance."""
    bare = [{k: v for k, v in s.items() if k != "service"} for s in counted()]
    series = [s | {"job": f"{space}/checkout"} for space in ("a", "b") for s in bare]
    (matcher,) = only(series).service
    assert matcher.op.value == "=~"


# -- what it knows


def test_the_label_of_codes_is_the_one_with_codes() -> None:
    """`status="ok"` tells no error; `code="200"` does."""
    assert only(counted(status="ok")).code == "code"
    assert only(counted(code="", status="503")).code == "status"
    assert only(counted(code="fine")).code is None


def test_latency_is_of_the_histogram_that_most_pods_have() -> None:
    """A metric that one pod of an old version still exposes is passed over."""
    series = counted()
    some = counted(PODS[:2], name="requests_total_seconds_bucket", le="+Inf")
    most = counted(PODS, name="other_seconds_bucket", le="+Inf")
    durations = only([*series, *some, *most]).durations
    assert durations is not None
    assert durations.metric == "other_seconds_bucket"
    assert only(series).durations is None


def test_where_equal_the_first_histogram_of_a_pack_is_taken() -> None:
    """The pack's order is its authors' advice."""
    both = [
        *counted(PODS, name="requests_total_seconds_bucket", le="+Inf"),
        *counted(PODS, name="other_seconds_bucket", le="+Inf"),
    ]
    durations = only([*counted(), *both]).durations
    assert durations is not None
    assert durations.metric == "requests_total_seconds_bucket"


def test_histograms_of_other_pods_are_not_the_services() -> None:
    """The cart's latency says nothing of the checkout."""
    others = counted(["cart-0", "cart-1"], name="other_seconds_bucket", le="+Inf")
    assert only([*counted(), *others]).durations is None


# -- what goes first


def test_a_label_that_knows_the_canary_goes_first() -> None:
    """Where two labels name the service the one whose series have the canary is the right one."""
    stable = [s | {"app": "other"} for s in counted(STABLE)]
    canary = [s | {"service": "checkout-canary", "app": "checkout"} for s in counted(CANARY)]
    one = only([*stable, *canary])
    assert [m.label for m in one.service] == ["app"]
    assert one.canary is not None
    assert {s["pod"] for s in one.canary.series} == set(CANARY)


def test_series_that_only_the_selector_finds_stand_alone() -> None:
    """The canary runs under a service of its own: its selector names it, nothing else does."""
    series = [s | {"service": "checkout-canary"} for s in counted(CANARY)]
    one = only(series)
    assert one.service == ()
    assert one.canary is not None


def test_a_metric_without_the_canary_is_still_a_metric() -> None:
    """So that an attempt can begin before its canary does."""
    one = only(counted(STABLE))
    assert one.canary is None
    assert {s["pod"] for s in one.series} == set(STABLE)


def test_packs_that_know_more_go_first() -> None:
    """The arms before errors, errors before latency; then pods before proxies."""
    silent = pack("silent", "silent_total")
    coded = pack("coded", "coded_total")
    timed = pack("timed", "timed_total")
    mesh = pack("mesh", "mesh_total", unit="workload")
    series = [
        *counted(STABLE, name="silent_total"),
        *counted(PODS, name="coded_total"),
        *counted(PODS, name="timed_total"),
        *counted(PODS, name="timed_total_seconds_bucket", le="+Inf"),
        *counted(PODS, name="mesh_total"),
        *counted(PODS, name="mesh_total_seconds_bucket", le="+Inf"),
    ]
    found = ranked(series, packs=[silent, mesh, coded, timed])
    assert [c.pack.name for c in found] == ["timed", "mesh", "coded", "silent"]
    assert found[0].pack.unit is Unit.POD


def test_of_equal_packs_the_first_is_taken() -> None:
    """The answer does not depend on how a dictionary happens to be sorted."""
    twins = [pack("b", "b_total"), pack("a", "a_total")]
    series = [*counted(name="a_total"), *counted(name="b_total")]
    assert [c.pack.name for c in ranked(series, packs=twins)] == ["b", "a"]


@given(st.randoms(use_true_random=False))
def test_the_order_of_series_chooses_nothing(draws: random.Random) -> None:
    """A source lists its series in any order; the plan is the same."""
    series = [
        *counted(name="a_total"),
        *counted(PODS, name="a_total_seconds_bucket", le="+Inf"),
        *counted(STABLE, name="b_total", status="500"),
    ]
    packs = [pack("b", "b_total"), pack("a", "a_total")]
    shuffled = list(series)
    draws.shuffle(shuffled)
    one, other = (
        [(c.pack.name, c.service, c.pod_label, c.code, c.durations) for c in ranked(s, packs=packs)]
        for s in (series, shuffled)
    )
    assert other == one
