"""Whom the canary is compared with, and when there is nobody."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.gate.policy import Policy
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    T0,
    Labels,
    add,
    braces,
    endpoints,
    found,
    shop,
    source,
)

OLDER = tuple(f"checkout-7f6bcd-{end}" for end in ("g5h2j", "k9m4n", "p6q8r", "s2t5v", "w7x9z"))
SAME = '{service="checkout",namespace="shop",pod=~"checkout-5c4b8d-.+"}'


def exposing(*pods: str, **more: str) -> list[Labels]:
    """Some pods of the service."""
    return [s for pod in pods for s in endpoints("prometheus_client", pod, **more)]


def selectors(control: tuple[object, ...]) -> list[str]:
    return [braces(one) for one in control]  # type: ignore[arg-type]


def test_the_stable_workload_is_the_control() -> None:
    """Nobody has to say which pods are stable, and those to come are in."""
    plan = found(source(shop()))
    assert selectors(plan.control) == [SAME]
    assert plan.notes == ()


def test_of_several_workloads_that_with_traffic_is_taken() -> None:
    """Five pods that stand by are no control; four that serve are."""
    held = source(exposing(*CANARY))
    add(held, exposing(*STABLE), per_s=20)
    add(held, exposing(*OLDER), per_s=0.001)
    plan = found(held, weigh=held)
    assert selectors(plan.control) == [SAME]
    (note,) = plan.notes
    assert note.startswith("Of several workloads the control is checkout-5c4b8d (4 pods);")
    assert note.endswith("there are checkout-7f6bcd (5 pods), checkout-5c4b8d (4 pods).")


@pytest.mark.parametrize("weighed", [True, False], ids=["by requests", "by pods"])
def test_a_workload_that_is_gone_is_no_control(weighed: bool) -> None:
    """The revision before the last had more pods, but ended before the rollout began."""
    held = source(exposing(*CANARY), exposing(*STABLE))
    add(held, exposing(*OLDER), until=T0 - 1800, per_s=50)
    plan = found(held, weigh=held if weighed else None)
    assert selectors(plan.control) == [SAME]


def test_other_namespaces_are_no_control() -> None:
    """The same service in a test namespace has other load and other users."""
    twin = exposing("checkout-8c9b2d-aaaaa".replace("aaaaa", "b4d6f"), namespace="staging")
    plan = found(source(shop(), twin))
    assert selectors(plan.control) == [SAME]


def test_other_containers_are_no_control() -> None:
    """A sidecar that counts requests under the service's name does other work."""
    cache = [s | {"container": "cache"} for s in shop()]
    both = [*shop(), *cache]
    plan = found(source(both), canary='{pod=~"checkout-6d9f7c-.+",container="checkout"}')
    assert 'container="checkout"' in braces(plan.control[0])


def test_pods_without_a_hash_are_told_by_version() -> None:
    """On plain machines the version is what tells new from old."""
    series = [
        {k: v for k, v in s.items() if k not in {"pod", "container"}}
        | {"instance": f"{name}:8080", "version": version}
        for version, names in (("v1", ("web1", "web2")), ("v2", ("web3",)))
        for name in names
        for s in endpoints("prometheus_client", "checkout-5c4b8d-x2x7k")
    ]
    plan = found(source(series), canary='{version="v2"}')
    assert selectors(plan.control) == ['{service="checkout",namespace="shop",version="v1"}']
    assert (plan.unit, plan.requests.pod_label) == (Unit.POD, "instance")


def test_pods_that_nothing_groups_are_the_rest() -> None:
    """Of a StatefulSet the canary is a pod, and the control are the others."""
    series = exposing("checkout-0", "checkout-1", "checkout-2")
    plan = found(source(series), canary='{pod="checkout-2"}')
    assert selectors(plan.control) == ['{service="checkout",namespace="shop",pod!="checkout-2"}']


def test_the_rest_of_a_selector_of_two_is_all_that_misses_either() -> None:
    """The control has neither all of the canary's labels nor any series twice."""
    series = [
        s | {"track": track, "zone": zone}
        for number, (track, zone) in enumerate(
            (("stable", "a"), ("stable", "b"), ("canary", "b"), ("canary", "a"))
        )
        for s in exposing(f"checkout-{number}")
    ]
    plan = found(source(series), canary='{track="canary",zone="a"}')
    assert selectors(plan.control) == [
        '{service="checkout",namespace="shop",track!="canary"}',
        '{service="checkout",namespace="shop",track="canary",zone!="a"}',
    ]


def test_a_pod_that_was_replaced_under_its_name_is_a_pod() -> None:
    """A StatefulSet's pod serves first the old and then the new version, never both."""
    held = source(
        [s | {"version": "v1"} for s in exposing("checkout-0", "checkout-1")],
    )
    add(held, [s | {"version": "v1"} for s in exposing("checkout-2")], until=T0 - 300)
    add(held, [s | {"version": "v2"} for s in exposing("checkout-2")], since=T0)
    plan = found(held, canary='{version="v2"}')
    assert plan.unit is Unit.POD


def test_a_first_deployment_has_no_control() -> None:
    """All there is is the canary: it is said, and nothing else is taken for stable."""
    plan = found(source(exposing(*CANARY)))
    assert "Is this its first deployment?" in plan.notes[0]
    assert selectors(plan.control) == [
        '{service="checkout",namespace="shop",pod!~"checkout-6d9f7c-.+"}'
    ]


@pytest.mark.parametrize("canary", ["{}", "", '{service="checkout"}', '{namespace="shop"}'])
def test_a_canary_that_is_everything_leaves_no_control(canary: str) -> None:
    """It is said; a half of the service is not made up."""
    plan = found(source(shop()), canary=canary)
    assert plan.control == ()
    assert "matches all of the service" in plan.notes[0]


@pytest.mark.parametrize("control", [BY_POD, 'pod=~"checkout-6d9f7c-.+"', f" {BY_POD} "])
def test_canary_as_control_is_told_and_no_error(control: str) -> None:
    """Argo gives one hash twice on a first release: errors would abort it, a pass is worse."""
    plan = found(source(shop()), control=control)
    assert plan.notes == (
        "Canary and control select the same series: nothing is left to compare with.",
    )


def test_two_selectors_of_the_same_series_are_told() -> None:
    """They read differently and select the same: still nothing is compared."""
    plan = found(source(shop()), control='{pod=~"checkout-6d9f7c-(k8w2d|t4j6s)"}')
    assert plan.notes == (
        "Canary and control select the same series: nothing is left to compare with.",
    )


def test_a_control_around_the_canary_is_what_it_leaves() -> None:
    """`{service="checkout"}` means the rest of it, and needs no note."""
    plan = found(source(shop()), control='{service="checkout"}')
    assert plan.notes == ()
    assert selectors(plan.control) == ['{service="checkout",namespace="shop"}']


@pytest.mark.parametrize("control", ["", "  ", None])
def test_an_empty_control_is_none(control: str | None) -> None:
    """Templates send an empty argument where none was given."""
    assert selectors(found(source(shop()), control=control).control) == [SAME]


def test_a_control_that_is_not_there_names_what_is() -> None:
    """The canary alone is bound; the note says which pods there are."""
    plan = found(source(shop()), control='{pod=~"checkout-5c4b9d-.+"}')
    assert 'control {pod=~"checkout-5c4b9d-.+"}' in plan.notes[0]
    assert "checkout-5c4b8d-x2x7k" in plan.notes[0]
    assert len(plan.control) == 1


def in_clusters(**clusters: str) -> list[Labels]:
    """The stable pods' and the canary's series, each in its cluster."""
    stable, canary = clusters["stable"], clusters["canary"]
    return [*exposing(*STABLE, cluster=stable), *exposing(*CANARY, cluster=canary)]


def test_the_control_stays_in_the_canary_s_cluster() -> None:
    """Two clusters differ in more than the version."""
    twin = [s | {"cluster": "us-1"} for s in shop()]
    plan = found(source(in_clusters(stable="eu-1", canary="eu-1"), twin), cluster="eu-1")
    assert selectors(plan.control) == [SAME.replace('checkout",', 'checkout",cluster="eu-1",', 1)]


def test_a_control_in_another_cluster_is_refused() -> None:
    """What is compared must differ in nothing but the version."""
    held = source(in_clusters(stable="us-1", canary="eu-1"))
    with pytest.raises(InputError, match=r"spans the clusters eu-1, us-1.*allow_cross_cluster"):
        found(held, control='{pod=~"checkout-5c4b8d-.+"}')


def test_a_policy_may_allow_a_control_in_another_cluster() -> None:
    """Whoever rolls out cluster by cluster compares across them, knowingly."""
    held = source(in_clusters(stable="us-1", canary="eu-1"))
    policy = Policy(allow_cross_cluster=True)
    plan = found(held, control='{pod=~"checkout-5c4b8d-.+"}', policy=policy)
    assert 'cluster="us-1"' in braces(plan.control[0])
    assert 'cluster="eu-1"' in braces(plan.canary)


def test_a_canary_in_two_clusters_is_one_question_each() -> None:
    """It is refused by name of the field that would choose one."""
    twin = [s | {"cluster": "us-1"} for s in shop()]
    with pytest.raises(InputError, match="the canary spans the clusters eu-1, us-1") as caught:
        found(source(in_clusters(stable="eu-1", canary="eu-1"), twin))
    assert caught.value.field == "cluster"
