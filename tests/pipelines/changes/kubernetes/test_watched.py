"""What is known of a cluster, heard by several watches that do not wait for each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase
from detector.changes.record import ChangeFilter
from pipelines.changes.kubernetes.objects import ReplicaSet, Thing, Workload
from pipelines.changes.kubernetes.resources import Resource, resources_of
from pipelines.changes.kubernetes.settings import OBJECTS, KubernetesSettings
from pipelines.changes.kubernetes.watched import Watched
from pipelines.stores.memory_changes import MemoryChanges
from tests.pipelines.changes.kubernetes.shown import (
    START,
    TELLING,
    note,
    read,
    replica_set,
    rolled,
    thing,
)

RESOURCES = {
    (one.objects, one.name): one for one, _ in resources_of(KubernetesSettings(objects=OBJECTS))
}
DEPLOYMENTS, SETS = RESOURCES["workloads", "deployments"], RESOURCES["workloads", "replicasets"]
MAPS = RESOURCES["config-maps", "configmaps"]
BACK = [note(5, "f:spec/f:template")]
WORKLOADS = [
    rolled(1),
    rolled(2, reason="ReplicaSetUpdated", updated=1),
    rolled(2, updated=4),
    rolled(3, reason="FoundNewReplicaSet", updated=5, managedFields=BACK),
    rolled(3, updated=6, managedFields=BACK),
]
REVISIONS = [
    replica_set(1, -500, "v1"),
    replica_set(2, 1, "v2"),
    replica_set(3, -500, "v1", history="1"),
]


def same(event: ChangeEvent) -> ChangeEvent:
    """No name is another."""
    return event


def watched(log: MemoryChanges) -> Watched:
    """Of a cluster that nothing is known of."""
    return Watched(TELLING, log, "default", clock=START.timestamp, placed=same)


def story(log: MemoryChanges) -> list[tuple[str, ChangeKind, ChangePhase]]:
    """The changes, by version."""
    found = log.list(ChangeFilter(tenant="default", limit=100)).changes
    return sorted((one.version, one.kind, one.phase) for one in found)


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 3))
def test_two_watches_may_run_ahead_of_each_other(turns: list[bool], lists: int) -> None:
    """However they are interleaved, and listed again, a rollout and its rollback are told."""
    log = MemoryChanges()
    known = watched(log)
    workloads = [read(raw, Workload) for raw in WORKLOADS]
    revisions = [read(raw, ReplicaSet) for raw in REVISIONS]
    seen = 0
    for turn in turns:
        if turn and workloads[1:]:
            known.seen(DEPLOYMENTS, "", workloads.pop(0))
        elif not turn and seen < len(revisions) - 1:
            known.seen(SETS, "", revisions[seen])
            seen += 1
    for _ in range(lists + 1):
        known.listed(SETS, "", revisions[1:])
        known.listed(DEPLOYMENTS, "", workloads[-1:])
    told = dict(zip(("back", "on"), story(log), strict=True))
    assert told["back"] == ("v1", ChangeKind.ROLLBACK, ChangePhase.SUCCEEDED)
    assert told["on"][:2] == ("v2", ChangeKind.DEPLOYMENT)


def maps(count: int) -> list[Thing]:
    """ConfigMaps that were written lately."""
    notes = [note(2, "f:data")]
    return [read(thing(f"m{number}", managedFields=notes), Thing) for number in range(count)]


def hear(known: Watched, resource: Resource, found: list[Thing]) -> None:
    """As after a watch was lost."""
    known.listed(resource, "", found)


def test_what_is_listed_again_is_not_taken_to_the_log_again() -> None:
    """A thousand objects are a thousand writes at most once."""
    log = MemoryChanges()
    known = watched(log)
    for _ in range(3):
        hear(known, MAPS, maps(5))
    assert (known.kept, known.told_before, known.objects) == (5, 0, 5)


def test_what_is_gone_is_forgotten() -> None:
    """A cluster that lives for years does not fill the memory."""
    known = watched(MemoryChanges())
    hear(known, MAPS, maps(5))
    hear(known, SETS, [read(raw, ReplicaSet) for raw in REVISIONS])
    hear(known, DEPLOYMENTS, [read(rolled(1), Workload)])
    for resource in (MAPS, SETS, DEPLOYMENTS):
        hear(known, resource, [])
    assert known.objects == 0
    assert not known._revisions
    assert not known._rollouts
