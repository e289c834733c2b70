"""Whose series are the canary's: by its selector, its pods' names, or what the cluster says."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    Labels,
    braces,
    endpoints,
    found,
    shop,
    source,
    state_metrics,
    target,
)

PODS = (*STABLE, *CANARY)
STATE = [series for pod in PODS for series in state_metrics(pod)]
ARM = '{service="checkout",namespace="shop",pod=~"checkout-6d9f7c-.+"}'


def renamed(series: list[Labels], **names: str) -> list[Labels]:
    """The series with other label names."""
    return [{names.get(label, label): value for label, value in s.items()} for s in series]


@pytest.mark.parametrize(
    "canary",
    [
        pytest.param(BY_POD, id="by the names of pods"),
        pytest.param('pod=~"checkout-6d9f7c-.+"', id="without braces"),
        pytest.param('{rollouts_pod_template_hash="6d9f7c"}', id="by a hash that is no label"),
        pytest.param('{pod_template_hash=~"6d9f7c|aaaaa"}', id="by one of two hashes"),
        pytest.param('{app_version="v2"}', id="by a label of the pods"),
        pytest.param('{replicaset="checkout-6d9f7c"}', id="by the ReplicaSet"),
    ],
)
def test_a_canary_is_found_however_it_is_told(canary: str) -> None:
    """What a controller knows of its canary need not be a label of the requests."""
    plan = found(source(shop(), STATE), canary=canary)
    assert braces(plan.canary) == ARM


@pytest.mark.parametrize("label", ["kubernetes_pod_name", "k8s_pod_name", "pod_name"])
def test_pods_may_have_another_label(label: str) -> None:
    """A template that says `pod` works where the source calls it otherwise."""
    plan = found(source(renamed(shop(), pod=label)))
    assert plan.requests.pod_label == label
    assert f'{label}=~"checkout-6d9f7c-.+"' in braces(plan.canary)


def test_owners_of_replica_sets_tell_a_workload() -> None:
    """A Deployment is no label of its pods, but of the ReplicaSets that make them."""
    canary = tuple(pod.replace("checkout", "checkout-canary") for pod in CANARY)
    series = [s for pod in (*STABLE, *canary) for s in endpoints("prometheus_client", pod)]
    owners = [
        {
            "__name__": "kube_replicaset_owner",
            "replicaset": f"{workload}-{hash_}",
            "owner_name": workload,
            "owner_kind": "Deployment",
            "namespace": "shop",
        }
        for workload, hash_ in (("checkout", "5c4b8d"), ("checkout-canary", "6d9f7c"))
    ]
    plan = found(source(series, owners), canary='{deployment="checkout-canary"}')
    assert 'pod=~"checkout-canary-6d9f7c-.+"' in braces(plan.canary)
    assert 'pod=~"checkout-5c4b8d-.+"' in braces(plan.control[0])


def test_pods_of_a_mixed_replica_set_are_named() -> None:
    """A label on one pod of a ReplicaSet must not take its brothers with it."""
    marked = [s | ({"label_track": "canary"} if s.get("pod") == STABLE[0] else {}) for s in STATE]
    plan = found(source(shop(), marked), canary='{track="canary"}')
    assert f'pod="{STABLE[0]}"' in braces(plan.canary)


def test_how_a_canary_was_found_is_told() -> None:
    """A person who wonders why these pods reads it in the verdict's notes."""
    plan = found(source(shop(), STATE), canary='{app_version="v2"}')
    assert plan.notes == (
        "The canary was found by kube-state-metrics' labels and owners of its pods.",
    )


def test_flagger_s_primary_is_found_beside_its_canary() -> None:
    """Flagger relabels the primary: `app` names the canary's Deployment only."""
    primary = [pod.replace("checkout", "checkout-primary") for pod in STABLE]
    series = [
        s
        for app, pods in (("checkout", CANARY), ("checkout-primary", primary))
        for pod in pods
        for s in target(
            renamed(endpoints("prometheus_client", pod), pod="kubernetes_pod_name"), app=app
        )
    ]
    bare = [{k: v for k, v in s.items() if k not in {"service", "container"}} for s in series]
    known = [s | {"job": "kubernetes-pods"} for s in bare]
    plan = found(
        source(known),
        canary='{pod=~"checkout-[a-z0-9]+-[a-z0-9]{5}"}',
        control='{pod=~"checkout-primary-[a-z0-9]+-[a-z0-9]{5}"}',
    )
    assert 'app="checkout"' in braces(plan.canary)
    assert [braces(one) for one in plan.control] == [
        '{namespace="shop",kubernetes_pod_name=~"checkout-primary-[a-z0-9]+-[a-z0-9]{5}"}'
    ]
    assert {b.signal.name for b in plan.signals} >= {"error_rate", "latency", "restarts"}


def test_a_service_that_no_label_names_is_found_by_its_pods() -> None:
    """Where jobs are called `kubernetes-pods` the pods' names are all there is."""
    series = [
        {k: v for k, v in s.items() if k not in {"service", "container"}} | {"job": "pods"}
        for s in shop()
    ]
    plan = found(source(series), control='{pod=~"checkout-5c4b8d-.+"}')
    assert braces(plan.canary) == '{namespace="shop",pod=~"checkout-6d9f7c-.+"}'
    assert braces(plan.control[0]) == '{namespace="shop",pod=~"checkout-5c4b8d-.+"}'


def test_a_selector_that_names_no_service_finds_none_elsewhere() -> None:
    """`{version="v2"}` must not take the pods of another service for this one's canary."""
    others = [s | {"service": "cart", "job": "cart", "container": "cart"} for s in shop()]
    marked = [s | {"version": "v2"} for s in others]
    plan = found(source(marked), canary='{version="v2"}')
    assert plan.signals == ()


@pytest.mark.parametrize("service", ["check", "6d9f7c", "-", "out"])
def test_a_part_of_a_pod_s_name_is_no_service(service: str) -> None:
    """A service `check` must not be judged by the pods of `checkout`."""
    plan = found(source(shop()), service=service)
    assert plan.signals == ()


def test_a_canary_that_is_not_there_names_what_is() -> None:
    """The next try is right, because the names that exist are in the answer."""
    plan = found(source(shop()), canary='{pod=~"checkout-6d9f8c-.+",track="canary"}')
    (note,) = plan.notes
    assert note.startswith("Nearest: pod checkout-6d9f7c-k8w2d, checkout-6d9f7c-t4j6s, ")
    assert "checkout-6d9f7c-k8w2d" in note
    assert "no series carries the label track" in note


def test_signals_are_bound_before_the_canary_is_there() -> None:
    """Who asks what will be judged is told before the first canary pod starts."""
    plan = found(source([s for pod in STABLE for s in endpoints("prometheus_client", pod)]))
    assert {b.signal.name for b in plan.signals} >= {"error_rate", "latency", "tail95", "restarts"}
    assert not any(b.total.joined for b in plan.signals)


def test_series_that_serve_both_arms_stand_for_a_workload() -> None:
    """Cohorts of one process have no pods of their own: one bad pod cannot be told."""
    series = [s | {"feature_flag_variant": variant} for s in shop() for variant in ("off", "on")]
    plan = found(source(series), canary='{feature_flag_variant="on"}')
    assert plan.unit is Unit.WORKLOAD
    assert 'feature_flag_variant!="on"' in braces(plan.control[0])


def test_a_canary_selector_that_does_not_parse_is_refused() -> None:
    """The field is named, and nothing is asked of the source."""
    with pytest.raises(InputError) as caught:
        found(source(shop()), canary='{pod=~"("}')
    assert caught.value.field == "canary"
