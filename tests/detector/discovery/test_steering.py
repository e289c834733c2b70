"""Whose weight a controller's gauge shows: the canary's own, or it is not read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detector.discovery import discover
from detector.gate.request import VerdictRequest
from detector.selector import format_query
from detector.series import Query
from detector.signals.packs import shipped_packs
from detector.signals.plan import Plan
from tests.detector.discovery.clusters import T0, Labels, endpoints, found, shop, source, target
from tests.detector.discovery.test_discover import counting

GAUGE = "flagger_canary_weight"
CANARY = tuple(f"podinfo-6d9f7c-{end}" for end in ("k8w2d", "t4j6s"))
PRIMARY = tuple(f"podinfo-primary-5c4b8d-{end}" for end in ("x2x7k", "b9fqz"))
BY_POD = '{pod=~"podinfo-6d9f7c-.+"}'


def weights(workload: str = "podinfo", namespace: str = "test", **more: str) -> list[Labels]:
    """What Flagger exposes for one canary."""
    return [
        {"__name__": GAUGE, "workload": name, "namespace": namespace, **more}
        for name in (workload, f"{workload}-primary")
    ]


def pods(names: Sequence[str] = (*CANARY, *PRIMARY), **more: str) -> list[Labels]:
    """Pods of a Deployment that Flagger steers."""
    told = {"namespace": "test", **more}
    return [
        series for pod in names for series in endpoints("prometheus_client", pod, "podinfo", **told)
    ]


def planned(*groups: Sequence[Labels], canary: str = BY_POD, **asked: object) -> Plan:
    """The plan of podinfo."""
    return found(source(*groups), canary, "podinfo", **asked)  # type: ignore[arg-type]


def gauge(*groups: Sequence[Labels], **asked: object) -> str | None:
    """The selected gauge as text."""
    told = planned(*groups, **asked).weight  # type: ignore[arg-type]
    return None if told is None else format_query(told)


PLAIN = f'{GAUGE}{{workload="podinfo",namespace="test",exported_namespace=""}}'
RENAMED = f'{GAUGE}{{workload="podinfo",exported_namespace="test"}}'


def test_the_gauge_of_the_canarys_own_workload_is_found() -> None:
    """By the names of its pods and the namespace on its series, with nothing to configure."""
    assert gauge(pods(), weights()) == PLAIN


def test_a_namespace_that_prometheus_renamed_is_read_under_its_new_name() -> None:
    """The operator gives a target its own namespace: that of Flagger is not the canary's."""
    scraped = target(weights(), namespace="flagger-system", pod="flagger-7d9f7c-x2x7k")
    assert gauge(pods(), scraped) == RENAMED


def test_a_gauge_scraped_twice_is_read_once() -> None:
    """Under either name it shows the same."""
    assert gauge(pods(), weights(), target(weights(), namespace="flagger-system")) == RENAMED


@pytest.mark.parametrize(
    "others",
    [
        weights("podinfo", "prod"),
        weights("checkout"),
        weights("podinfo-primary"),
        weights("podinfo-api"),
        weights()[:1],
        weights()[1:],
        target(weights("podinfo", "prod"), namespace="test"),
        weights(cluster="eu-2"),
        [],
    ],
    ids=[
        "another namespace", "another workload", "the primary", "a longer name",
        "no primary beside it", "the primary alone", "Flagger in the canary's namespace",
        "a cluster nobody named", "none",
    ],
)  # fmt: skip
def test_what_may_be_anothers_weight_is_not_read(others: list[Labels]) -> None:
    """A step of another rollout would restart the exposure of this one, or hide a step of it."""
    assert gauge(pods(), others) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "asked", "is_read"),
    [
        ("eu-1", "eu-1", None, True),
        ("eu-1", "eu-1", "eu-1", True),
        ("eu-1", "eu-2", "eu-1", False),
        ("eu-1", None, "eu-1", False),
        (None, None, "eu-1", True),
        (None, "eu-1", "eu-1", True),
        (None, "eu-2", "eu-1", False),
    ],
)
def test_a_gauge_counts_in_its_own_cluster(
    ours: str | None, theirs: str | None, asked: str | None, is_read: bool
) -> None:
    """One Prometheus may hold the same workload of many clusters."""
    at = {"cluster": ours} if ours else {}
    there = {"cluster": theirs} if theirs else {}
    told = gauge(pods(**at), weights(**there), cluster=asked)
    assert (told is not None) is is_read


def test_the_gauge_of_one_cluster_leaves_out_the_other() -> None:
    """Both have the same workload in the same namespace."""
    both = [*weights(cluster="eu-1"), *weights(cluster="eu-2")]
    assert gauge(pods(cluster="eu-1"), both) == PLAIN.replace("}", ',cluster="eu-1"}')


def test_a_canary_of_two_workloads_has_no_weight() -> None:
    """Only one of them is steered: its weight is not that of the other's pods."""
    other = "podinfo-worker-6d9f7c-k8w2d"
    canary = '{pod=~"podinfo-(worker-)?6d9f7c-.+"}'
    assert gauge(pods((*CANARY, *PRIMARY, other)), weights(), canary=canary) is None


def test_a_namespace_that_nobody_tells_is_no_match() -> None:
    """Series without one, and a request without one: any podinfo would do."""
    bare = [{k: v for k, v in s.items() if k != "namespace"} for s in pods()]
    assert gauge(bare, weights()) is None
    assert gauge(bare, weights(), namespace="test") == PLAIN


def test_pods_whose_names_tell_no_workload_have_no_weight() -> None:
    """A StatefulSet is nothing that Flagger steers."""
    assert gauge(pods(("podinfo-0", *PRIMARY)), weights(), canary='{pod="podinfo-0"}') is None


def mesh(workload: str) -> list[Labels]:
    """What a gateway of another workload reports of one destination."""
    return [
        {
            "__name__": name,
            "reporter": "source",
            "namespace": "test",
            "pod": "gateway-7d9f7c-x2x7k",
            "destination_workload": workload,
            "destination_canonical_service": "podinfo",
            "destination_workload_namespace": "test",
            "response_code": "200",
            **more,
        }
        for name, more in (
            ("istio_requests_total", {}),
            ("istio_request_duration_milliseconds_bucket", {"le": "+Inf"}),
        )
    ]


def test_a_mesh_tells_the_workload_by_its_label() -> None:
    """The pod of its series is the gateway's, be that steered or not."""
    series = [*mesh("podinfo"), *mesh("podinfo-primary")]
    asked = {"canary": '{destination_workload="podinfo"}', "namespace": "test"}
    assert gauge(series, weights(), weights("gateway"), **asked) == PLAIN
    assert gauge(series, weights("gateway"), **asked) is None


@pytest.mark.parametrize(
    ("held", "asked"),
    [(pods(), {}), ([*pods(), *weights()], {"weight": 20.0})],
    ids=["no such metric", "the weight is sent"],
)
def test_no_query_for_a_weight_that_is_not_needed(
    held: list[Labels], asked: dict[str, object]
) -> None:
    """Whoever does not use Flagger, or sends the weight, pays nothing for it."""
    catalogue = counting(held)
    request = VerdictRequest(service="podinfo", canary=BY_POD, **asked)  # type: ignore[arg-type]
    plan = discover(catalogue, shipped_packs(), request, start=T0, end=T0 + 300, timeout_s=5.0)
    assert plan.weight is None
    assert GAUGE not in {query.metric for query in catalogue.queries}


def test_a_gauge_costs_no_further_call() -> None:
    """It is looked up together with the containers' metrics, and asked about one canary only."""
    plain, steered = counting(pods()), counting(pods(), weights(), weights("checkout"))
    for held in (plain, steered):
        discover(
            held,
            shipped_packs(),
            VerdictRequest(service="podinfo", canary=BY_POD),
            start=T0,
            end=T0 + 300,
            timeout_s=5.0,
        )
    told = [query for query in steered.queries if query.metric == GAUGE]
    assert steered.calls == plain.calls
    assert [format_query(q) for q in told] == [f'{GAUGE}{{workload=~"podinfo|podinfo-primary"}}']


def test_a_plan_without_a_gauge_is_the_one_from_before() -> None:
    """The metric of other services changes nothing else."""
    held = shop()
    assert found(source(held)) == found(source(held, weights()))


def test_the_query_alone_selects_the_canarys_series() -> None:
    """Whatever else the source holds under the same name."""
    noise = [*weights("podinfo", "prod"), *weights("checkout"), *weights()]
    held = source(pods(), noise)
    told = found(held, BY_POD, "podinfo").weight
    assert isinstance(told, Query)
    answer = held.read([told], 0.0, T0 + 600)[0]
    assert [dict(s.labels) for s in answer.series] == [weights()[0]]
