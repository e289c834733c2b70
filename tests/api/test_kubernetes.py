"""The watch of a cluster as the configuration asks for it, and its figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError

from api.changes_settings import ChangesSection, KubernetesSection
from api.kubernetes import watch_kubernetes
from api.settings import Settings
from detector.changes.record import ChangeFilter
from detector.errors import ConfigError
from pipelines.changes.kubernetes.settings import OBJECTS
from pipelines.stores.memory_changes import MemoryChanges
from tests.pipelines.changes.kubernetes.serving import serving
from tests.pipelines.changes.kubernetes.shown import thing
from tests.pipelines.flows.test_kubernetes_changes import eventually


def section(**words: object) -> KubernetesSection:
    """As it is written in a file."""
    return KubernetesSection.model_validate({"enabled": True, **words})


def test_without_being_asked_for_nothing_is_watched() -> None:
    """Neither the extra nor a cluster is needed then."""
    registry = CollectorRegistry()
    watching = watch_kubernetes(MemoryChanges(), Settings())
    watching.start(registry)
    assert watching.ailing == ""
    assert generate_latest(registry) == b""
    watching.close()


def test_secrets_are_watched_only_where_somebody_says_so() -> None:
    """Who may list them may read them."""
    native = section().native()
    assert native is not None
    assert set(OBJECTS) - set(native.objects) == {"secrets", "helm"}
    assert section(objects=list(OBJECTS)).native() is not None


def test_hours_are_seconds_below() -> None:
    """And a path is a text."""
    native = section(kubeconfig="/etc/k", lookback_hours=2, namespaces=["shop"]).native()
    assert native is not None
    assert (native.kubeconfig, native.lookback_s, native.namespaces) == ("/etc/k", 7200, ("shop",))


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"objects": ["pods"]}, "objects"),
        ({"objects": []}, "objects"),
        ({"namespaces": ["../secrets"]}, "namespaces"),
        ({"namespaces": [f"n{number}" for number in range(21)]}, "namespaces"),
        ({"lookback_hours": -1}, "lookback_hours"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"tenant": "a/b"}, "tenant"),
        ({"token": "secret"}, "token"),
    ],
    ids=["unknown", "nothing", "path", "many", "future", "no patience", "tenant", "key"],
)
def test_what_cannot_be_is_refused_by_its_name(words: dict[str, object], field: str) -> None:
    """At the start, and not by a watch that sees nothing."""
    with pytest.raises(ValidationError, match=field):
        section(**words)


def test_a_cluster_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    """With the key of the configuration."""
    changes = ChangesSection(kubernetes=section(kubeconfig=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match=r"changes\.kubernetes"):
        watch_kubernetes(MemoryChanges(), Settings(changes=changes))


def test_a_watch_tells_the_log_by_the_names_of_metrics_and_shows_its_figures(
    tmp_path: Path,
) -> None:
    """`changes.services` holds here as for senders."""
    with serving() as api:
        api.show("/apis/apps/v1/deployments", thing("cart-deploy", spec={"replicas": 1}))
        kubernetes = section(kubeconfig=api.kubeconfig(tmp_path), objects=["workloads"])
        changes = ChangesSection(kubernetes=kubernetes, services={"cart-deploy": "cart"})
        log, registry = MemoryChanges(), CollectorRegistry()
        watching = watch_kubernetes(log, Settings(changes=changes))
        watching.start(registry)
        try:
            eventually(lambda: api.watching("/apis/apps/v1/deployments"))
            api.hide("/apis/apps/v1/deployments", "uid-cart-deploy")
            eventually(lambda: log.list(ChangeFilter(tenant="default")).changes)
        finally:
            watching.close()
    (told,) = log.list(ChangeFilter(tenant="default")).changes
    assert told.place.service == "cart"
    shown = generate_latest(registry).decode()
    assert 'serinus_kubernetes_changes_total{result="kept"} 1.0' in shown
    assert 'serinus_kubernetes_unread_total{namespace="",objects="workloads"' in shown
    assert "serinus_kubernetes_objects 0.0" in shown
