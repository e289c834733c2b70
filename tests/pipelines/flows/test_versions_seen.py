"""Versions as discovery tells them apart, and the changes that follow of them."""

from __future__ import annotations

from detector.changes.record import ChangeFilter
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.flows.services import Services
from pipelines.flows.versions_seen import versions_seen
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.detector.discovery.clusters import add

T0 = 1_790_000_000.0
HOUR = 3600.0


def pods(
    held: MemorySource, since: float, until: float, names: tuple[str, ...], **labels: str
) -> None:
    """Pods of a service that answer requests for a time."""
    for pod in names:
        series = {"__name__": "http_requests_total", "service": "web", "code": "200", "pod": pod}
        add(held, [{**series, **labels}], since=since, until=until, per_s=2.0)


def services(held: MemorySource, now: list[float]) -> Services:
    """Discovery on a source, by a clock that the test moves."""
    return Services(source=held, catalog=held, packs=load_packs(), clock=lambda: now[0])


def shop() -> MemorySource:
    """Version 1 for two hours; version 2 on one pod beside it after the first, alone at last."""
    held = MemorySource(retention_s=1e9)
    pods(held, T0, T0 + 2 * HOUR, ("web-a", "web-b"), version="1", namespace="shop")
    pods(held, T0 + HOUR, T0 + 3 * HOUR, ("web-c",), version="2", namespace="shop")
    return held


def test_versions_are_told_with_their_pods_and_where() -> None:
    """By the label that splits them."""
    (seen,) = versions_seen(services(shop(), [T0 + HOUR + 600]))
    assert (seen.place.service, seen.place.namespace, seen.label) == ("web", "shop", "version")
    assert dict(seen.versions) == {"1": 2, "2": 1}
    assert seen.at == round(1000 * (T0 + HOUR + 600))


def test_a_track_is_no_version() -> None:
    """It stays while versions change."""
    held = MemorySource(retention_s=1e9)
    pods(held, T0, T0 + HOUR, ("web-a",), track="stable")
    pods(held, T0, T0 + HOUR, ("web-b",), track="canary")
    assert versions_seen(services(held, [T0 + 1800])) == ()


def test_a_rollout_that_nobody_told_of_becomes_a_change() -> None:
    """From samples to the change log."""
    now, log = [T0 + 1800], memory_stores().changes
    found = services(shop(), now)
    flow = InferredChanges(lambda: versions_seen(found), log, "default")
    while now[0] < T0 + 2.5 * HOUR:
        flow.look()
        now[0] += 120
    (change,) = log.list(ChangeFilter(tenant="default")).changes
    assert (change.place.service, change.version, change.phase.value) == ("web", "2", "succeeded")
    assert abs(change.started_at - 1000 * (T0 + HOUR)) <= 120_000
