"""The watch against Kubernetes' own API server and controllers, with the rights that we ship."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.changes.record import ChangeFilter
from pipelines.changes.kubernetes.settings import OBJECTS, KubernetesSettings
from pipelines.flows.kubernetes_changes import KubernetesWatch
from pipelines.stores.memory_changes import MemoryChanges
from tests.apiserver.running import Cluster, eventually, running_cluster
from tests.apiserver.story import Shop, day

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Its shop is in its first version."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as one:
        Shop(one.admin).build()
        # Times of Kubernetes are whole seconds: what was before must be told apart.
        threading.Event().wait(2)
        yield one


def watch_of(kubeconfig: Path, log: MemoryChanges, lookback_s: float) -> KubernetesWatch:
    """Of everything."""
    settings = KubernetesSettings(
        kubeconfig=str(kubeconfig), cluster="test", objects=OBJECTS, lookback_s=lookback_s
    )
    return KubernetesWatch(settings, log, redact=str)


def told(log: MemoryChanges) -> list[Change]:
    """All changes, oldest first."""
    found = log.list(ChangeFilter(tenant="default", limit=500)).changes
    return sorted(found, key=lambda one: (one.started_at, one.title))


def titled(log: MemoryChanges, title: str, phase: ChangePhase) -> bool:
    """Whether a change of this title is so far."""
    return any(one.title == title and one.phase is phase for one in told(log))


def test_a_day_of_a_shop_is_told_once(cluster: Cluster) -> None:
    """Rollout, rollback, a stuck one, a set, configuration, scaling, a release, a node, an end."""
    shop, log = Shop(cluster.admin), MemoryChanges()
    watch = watch_of(cluster.kubeconfig, log, lookback_s=0)
    watch.start()
    try:
        eventually(lambda: all(feed.meters.listed for feed in watch.feeds), "lists")
        assert told(log) == [], "what was there is no change"
        for title, phase in day(shop):
            eventually(lambda: titled(log, title, phase), f"{title}: {told(log)}")  # noqa: B023
        assert watch.ailing == ""
    finally:
        watch.close()
    kinds = {one.title: one.kind for one in told(log)}
    assert kinds["deployment cart: revision 3, back to v1"] is ChangeKind.ROLLBACK
    assert len(told(log)) == len({one.title for one in told(log)}) == 11, kinds
    assert "hunter2" not in repr(told(log))
    assert "H4sI" not in repr(told(log))
    _again(cluster, log)


def _again(cluster: Cluster, log: MemoryChanges) -> None:
    """After a restart what still stands is told anew, and known."""
    before = {one.id: (one.title, len(one.events)) for one in told(log)}
    watch = watch_of(cluster.kubeconfig, log, lookback_s=3600)
    watch.start()
    try:
        eventually(lambda: all(feed.meters.listed for feed in watch.feeds), "lists")
    finally:
        watch.close()
    after = {one.id: (one.title, len(one.events)) for one in told(log)}
    assert {id: after[id] for id in before} == before
    # The shop was built within that hour, too.
    built = {title for id, (title, _) in after.items() if id not in before}
    assert built <= {
        "stateful set ledger: revision 1, v1",
        "release shop of Helm: revision 1",
        "node node-1 joined",
    }
