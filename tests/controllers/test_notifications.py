"""What deploy/notifications makes Argo Rollouts and Argo CD post, sent by their own engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from api.changes_settings import ChangesSection
from api.changing import take_changes
from api.settings import Settings
from detector.changes.change import Change
from detector.changes.record import ChangeFilter
from pipelines.changes.mapping import shipped_change_mappings
from pipelines.stores.memory_changes import MemoryChanges
from tests.api.cli.served import serving
from tests.api.doors import Door
from tests.controllers.controllers import TOKEN, notified

pytestmark = pytest.mark.real
ROLLOUT: dict[str, Any] = {
    "metadata": {
        "name": "checkout",
        "namespace": "shop",
        "uid": "u-1",
        "annotations": {"rollout.argoproj.io/revision": "7"},
    },
    "spec": {"template": {"spec": {"containers": [{"image": "r.example:5000/shop/checkout:v2"}]}}},
    "status": {"currentPodHash": "5c4b8d9f7", "message": 'more "progress" deadlines\n'},
}
APP: dict[str, Any] = {
    "metadata": {"name": "checkout", "namespace": "argocd"},
    "spec": {
        "source": {"repoURL": "https://github.com/shop/deploy"},
        "destination": {"namespace": "shop", "server": "https://kubernetes.default.svc"},
    },
    "status": {
        "sync": {"revision": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"},
        "health": {"status": "Healthy"},
        "summary": {"images": ["r.example/checkout:v2", "r.example/proxy:1"]},
        "operationState": {
            "phase": "Succeeded",
            "startedAt": "2026-01-02T10:00:00Z",
            "finishedAt": "2026-01-02T10:01:00Z",
            "message": "successfully synced",
            "syncResult": {"revision": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"},
            "operation": {"initiatedBy": {"username": "ada"}},
        },
    },
}


@dataclass(slots=True)
class Told:
    """A serinus that has to be told, and what it was told."""

    url: str
    log: MemoryChanges

    def changes(self) -> tuple[Change, ...]:
        """The newest first."""
        return self.log.list(ChangeFilter(tenant="default")).changes


@pytest.fixture
def told() -> Iterator[Told]:
    """With the senders that the comments of the manifests name."""
    senders: dict[str, object] = {"argo-rollouts": {}, "argo-cd": {}}
    changes = ChangesSection.model_validate({"senders": senders})
    settings, log = Settings(changes=changes, token=SecretStr(TOKEN)), MemoryChanges()
    door = Door(settings=settings)
    take_changes(door.app, log, settings)
    with serving(door.app) as url:
        yield Told(url, log)


def test_a_rollout_is_one_change_from_its_update_to_its_abort(told: Told) -> None:
    """With what it rolled out, and that it was taken back."""
    for trigger in ("on-rollout-updated", "on-rollout-aborted"):
        assert notified("argo-rollouts", trigger, ROLLOUT, url=told.url)
    (change,) = told.changes()
    assert (change.place.service, change.place.namespace, change.version) == (
        "checkout",
        "shop",
        "v2",
    )
    assert (change.kind, change.phase) == ("rollback", "failed")
    assert dict(change.attributes) == {"revision": "7", "pod-template-hash": "5c4b8d9f7"}
    assert change.title == 'more "progress" deadlines'


def test_a_rollout_whose_pods_are_of_a_deployment_is_told_too(told: Told) -> None:
    """With `workloadRef` it has no containers, and at its first moment no status."""
    bare = {"metadata": {**ROLLOUT["metadata"]}, "spec": {"workloadRef": {}}, "status": {}}
    assert notified("argo-rollouts", "on-rollout-updated", bare, url=told.url)
    (change,) = told.changes()
    assert (change.place.service, change.phase) == ("checkout", "started")


def test_a_sync_of_argo_cd_is_a_change(told: Told) -> None:
    """Its revision, who began it and when, by Argo CD's clock."""
    running = {**APP, "status": {**APP["status"], "operationState": {
        "phase": "Running", "startedAt": "2026-01-02T10:00:00Z", "message": "",
        "syncResult": {"revision": APP["status"]["sync"]["revision"]},
    }}}  # fmt: skip
    assert notified("argo-cd", "on-sync-running-serinus", running, url=told.url)
    assert notified("argo-cd", "on-sync-ended-serinus", APP, url=told.url)
    (change,) = told.changes()
    assert (change.version, change.actor, change.phase) == ("f95f852bd8fc", "ada", "succeeded")
    assert change.ended_at is not None
    assert change.ended_at - change.started_at == 60_000


def test_a_wrong_token_is_seen_by_who_sends(told: Told) -> None:
    """Argo logs it and counts it as failed; nothing is kept."""
    with pytest.raises(AssertionError, match="401"):
        notified("argo-rollouts", "on-rollout-updated", ROLLOUT, url=told.url, token="guess")
    assert told.changes() == ()


def test_every_sender_that_needs_a_manifest_has_a_mapping_of_its_name() -> None:
    """The comments of the manifests name senders without a mapping of their own."""
    assert {"argo-rollouts", "argo-cd", "flux"} <= set(shipped_change_mappings())
