"""Rollouts by what a deployment or set and its revisions say, whenever they say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, change_of
from pipelines.changes.kubernetes.objects import ControllerRevision, ReplicaSet, Workload
from pipelines.changes.kubernetes.rollouts import (
    removed,
    revision_of_replica_set,
    revision_of_set,
    rollout_events,
    workload_of,
)
from tests.pipelines.changes.kubernetes.shown import (
    TELLING,
    Raw,
    ms,
    note,
    read,
    replica_set,
    rolled,
    template,
    thing,
)

TEMPLATE = "f:spec/f:template"


def events(workload: Raw, *sets: Raw) -> tuple[ChangeEvent, ...]:
    """What a deployment and its ReplicaSets tell."""
    rollout = workload_of("deployment", read(workload, Workload))
    found = [revision_of_replica_set(read(one, ReplicaSet)) for one in sets]
    return rollout_events(TELLING, rollout, [one for one in found if one is not None])


def test_a_new_template_is_a_deployment_that_ends() -> None:
    """The people on call see when it began, when it was done, what it was, and who did it."""
    wrote = [note(1, TEMPLATE, manager="argocd-controller")]
    begun, ended = events(
        rolled(2, updated=4, managedFields=wrote), replica_set(1, -500), replica_set(2, 1)
    )
    assert (begun.kind, begun.phase, begun.at) == (
        ChangeKind.DEPLOYMENT,
        ChangePhase.STARTED,
        ms(1),
    )
    assert (ended.phase, ended.at, ended.subject) == (ChangePhase.SUCCEEDED, ms(4), begun.subject)
    assert (begun.version, begun.actor, begun.place.service) == ("v2", "argocd-controller", "cart")
    assert (begun.artifact, begun.place.cluster) == ("registry:5000/shop/cart:v2", "eu-1")
    assert begun.source == "/kubernetes/eu-1"


def test_what_was_there_before_is_no_change() -> None:
    """The first list of a cluster invents no deployments."""
    assert events(rolled(2, updated=-480), replica_set(1, -900), replica_set(2, -500)) == ()


def test_scaling_a_settled_deployment_is_no_rollout() -> None:
    """Its generation grows, and its template stays."""
    scaled = rolled(2, generation=9, updated=-480, replicas=7)
    assert events(scaled, replica_set(2, -500)) == ()


def test_status_of_an_older_generation_is_not_trusted() -> None:
    """Right after a template changed the status still praises the one before."""
    told = events(rolled(2, updated=3, is_seen=False), replica_set(2, 3))
    assert [one.phase for one in told] == [ChangePhase.STARTED]


def test_a_deployment_that_is_stuck_has_failed() -> None:
    """After progressDeadlineSeconds; Kubernetes rolls nothing back."""
    told = events(rolled(2, reason="ProgressDeadlineExceeded", updated=12), replica_set(2, 1))
    assert [(one.phase, one.at) for one in told][1:] == [(ChangePhase.FAILED, ms(12))]


def test_an_old_template_under_a_new_number_is_a_rollback() -> None:
    """Its ReplicaSet is old; that it is used again its history says, and the deployment when."""
    wrote = [note(5, TEMPLATE, manager="kubectl-rollout")]
    back = rolled(3, updated=6, managedFields=wrote)
    begun, ended = events(back, replica_set(2, -200), replica_set(3, -500, "v1", history="1"))
    assert (begun.kind, begun.at, begun.version) == (ChangeKind.ROLLBACK, ms(5), "v1")
    assert ended.at == ms(6)
    assert begun.title == "deployment cart: revision 3, back to v1"


def test_a_rollback_of_long_ago_stays_so_when_it_is_applied_again() -> None:
    """Who applies everything anew each hour writes the template's note anew, too."""
    wrote = [note(5, TEMPLATE)]
    settled = rolled(3, updated=-2_000, managedFields=wrote)
    assert events(settled, replica_set(3, -5_000, "v1", history="1")) == ()


def test_rollouts_that_were_overtaken_while_nobody_looked_began() -> None:
    """The bad one may be among them."""
    told = events(rolled(3, updated=6), replica_set(3, 5), replica_set(1, -500), replica_set(2, 1))
    assert [(one.version, one.phase.value) for one in told] == [
        ("v2", "started"),
        ("v3", "started"),
        ("v3", "succeeded"),
    ]


def test_a_rollout_waits_for_its_revision() -> None:
    """The ReplicaSet is made after the deployment is written, and comes by another watch."""
    assert events(rolled(2, updated=1), replica_set(1, -500)) == ()


@pytest.mark.parametrize(
    "spoiled",
    [
        {"annotations": {}},
        {"annotations": {"deployment.kubernetes.io/revision": "two"}},
        {"annotations": {"deployment.kubernetes.io/revision": "²"}},
        {"annotations": {"deployment.kubernetes.io/revision": "9" * 5000}},
        {"ownerReferences": []},
        {"ownerReferences": [{"kind": "Rollout", "uid": "uid-cart", "controller": True}]},
    ],
    ids=["unnumbered", "word", "odd digit", "huge", "nobody's", "of Argo Rollouts"],
)
def test_a_replica_set_that_is_no_revision_is_none(spoiled: Raw) -> None:
    """Whoever made it, it is not told as a deployment, and breaks nothing."""
    raw = replica_set(2, 1)
    raw["metadata"].update(spoiled)
    assert revision_of_replica_set(read(raw, ReplicaSet)) is None


def set_revision(number: int, created: float, bumped: float, kind: str) -> Raw:
    """A revision of a stateful or daemon set."""
    return thing(
        f"cart-r{created:.0f}",
        created=created,
        managedFields=[note(bumped, "f:revision", manager="kube-controller-manager")],
        ownerReferences=[{"kind": kind, "name": "cart", "uid": "uid-cart", "controller": True}],
        revision=number,
        data={"spec": {"template": template(f"v{created:.0f}")}},
    )


def set_events(kind: str, workload: Raw, *revisions: Raw) -> tuple[ChangeEvent, ...]:
    """What a set and its revisions tell."""
    rollout = workload_of(kind, read(workload, Workload))
    found = [revision_of_set(read(one, ControllerRevision)) for one in revisions]
    return rollout_events(TELLING, rollout, [one for one in found if one is not None])


def stateful(current_one: str, wanted: str, updated: int = 2) -> Raw:
    """A stateful set of two pods on its way."""
    status = {
        "observedGeneration": 1,
        "currentRevision": current_one,
        "updateRevision": wanted,
        "updatedReplicas": updated,
        "readyReplicas": 2,
    }
    wrote = note(7, "f:status", manager="kube-controller-manager", subresource="status")
    return thing("cart", managedFields=[wrote], spec={"replicas": 2}, status=status)


def test_a_stateful_set_is_done_once_all_its_pods_are_new() -> None:
    """Before that its rollout has only begun."""
    old = set_revision(1, -900, -900, "StatefulSet")
    new = set_revision(2, 3, 3, "StatefulSet")
    half = set_events("stateful set", stateful("cart-r-900", "cart-r3", updated=1), old, new)
    whole = set_events("stateful set", stateful("cart-r3", "cart-r3"), old, new)
    assert [one.phase for one in half] == [ChangePhase.STARTED]
    assert [(one.phase, one.at) for one in whole] == [
        (ChangePhase.STARTED, ms(3)),
        (ChangePhase.SUCCEEDED, ms(7)),
    ]


def test_a_stateful_set_goes_back_to_a_revision_that_gets_another_number() -> None:
    """The revision is as old as it was; its number alone was written anew."""
    old = set_revision(3, -900, 4, "StatefulSet")
    new = set_revision(2, -200, -200, "StatefulSet")
    begun, *_ = set_events("stateful set", stateful("cart-r-200", "cart-r-900"), old, new)
    assert (begun.kind, begun.at, begun.version) == (ChangeKind.ROLLBACK, ms(4), "v-900")


def daemon(updated: int, wrote: float) -> Raw:
    """A daemon set on three nodes."""
    status = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "updatedNumberScheduled": updated,
        "numberAvailable": 3,
    }
    noted = note(wrote, "f:status", manager="kube-controller-manager", subresource="status")
    return thing("cart", managedFields=[noted], spec={}, status=status)


@pytest.mark.parametrize(
    ("workload", "phases"),
    [
        (daemon(3, 9), [ChangePhase.STARTED, ChangePhase.SUCCEEDED]),
        (daemon(2, 9), [ChangePhase.STARTED]),
        (daemon(3, -50), [ChangePhase.STARTED]),
    ],
    ids=["done", "on its way", "of before"],
)
def test_a_daemon_set_is_at_its_newest_revision(workload: Raw, phases: list[ChangePhase]) -> None:
    """Its status does not name the revision: one written before it praises the one before."""
    old, new = set_revision(1, -900, -900, "DaemonSet"), set_revision(2, 3, 3, "DaemonSet")
    assert [one.phase for one in set_events("daemon set", workload, new, old)] == phases


def test_a_workload_that_is_gone_is_a_removal() -> None:
    """Its callers break."""
    (told,) = removed(TELLING, workload_of("deployment", read(rolled(), Workload)), ms(3))
    assert (told.kind, told.at, told.place.service) == (ChangeKind.REMOVAL, ms(3), "cart")


def stories() -> list[tuple[Raw, Raw]]:
    """A rollout as its deployment and its ReplicaSet show it, from first to last."""
    begun = rolled(2, reason="ReplicaSetUpdated", updated=1.1)
    return [(begun, replica_set(2, 1)), (rolled(2, updated=4), replica_set(2, 1))]


@given(st.lists(st.sampled_from(stories()), min_size=1, max_size=8))
def test_seeing_more_or_less_of_a_rollout_tells_the_same_change(
    seen: list[tuple[Raw, Raw]],
) -> None:
    """However often a watch breaks and begins anew, there is one change, with one start."""
    told = [one for workload, found in seen for one in events(workload, found)]
    change, by_id = change_of(told), {one.id: one for one in told}
    assert change.started_at == ms(1)
    assert all(by_id[one.id] == one for one in told)
    assert len(by_id) <= 2
