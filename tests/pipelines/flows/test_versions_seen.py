"""Versions as discovery tells them apart, and the changes that follow of them."""

from __future__ import annotations

from functools import partial
from typing import cast

import pytest

from detector.changes.record import ChangeFilter
from detector.errors import SourceError, StoreError
from detector.ports import MetricCatalog
from detector.spans.names import Node, NodeKind
from detector.spans.topology import Graph
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.flows.services import Services
from pipelines.flows.versions_seen import VersionsSeen, versions_called, versions_seen
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
    flow = InferredChanges(lambda: versions_seen(found), log, memory_stores().versions, "default")
    while now[0] < T0 + 2.5 * HOUR:
        flow.look()
        now[0] += 120
    (change,) = log.list(ChangeFilter(tenant="default")).changes
    assert (change.place.service, change.version, change.phase.value) == ("web", "2", "succeeded")
    assert abs(change.started_at - 1000 * (T0 + HOUR)) <= 120_000


def called(*versions: str, at: int = 1000, service: str = "web") -> Graph:
    """Versions of a service that send spans; a database has none."""
    nodes = [Node(kind=NodeKind.SERVICE, name=service, version=one) for one in versions]
    other = Node(kind=NodeKind.DATABASE, name="postgresql", version="16")
    return Graph(nodes=(*nodes, other), edges=(), since=0, until=at)


def test_spans_show_the_versions_of_who_sends_them() -> None:
    """Without pods; who names no version has none."""
    (seen,) = versions_called(called("1", "2", at=7000))
    assert (seen.place.service, seen.label, seen.at) == ("web", "service.version", 7000)
    assert dict(seen.versions) == {"1": 0, "2": 0}
    assert versions_called(called("")) == ()


def test_a_service_is_seen_by_its_metrics_where_both_tell() -> None:
    """Their pods are known, and two labels would be two deployments."""
    now = [T0 + HOUR + 600]
    for name, labels in (("web", ["version"]), ("cart", ["version", "service.version"])):
        seen = VersionsSeen(services(shop(), now), partial(called, "9", service=name))
        assert [one.label for one in seen()] == labels


class Away:
    """A catalog that answers so many times."""

    def __init__(self, held: MemorySource, times: int) -> None:
        self._held, self.times = held, times

    def __getattr__(self, name: str) -> object:
        """Of the source, while it answers."""
        if self.times <= 0:
            raise SourceError("away", code="source_unavailable")
        return getattr(self._held, name)


def test_spans_alone_do_where_no_source_ever_answered() -> None:
    """Who pushes spans need not have a Prometheus."""
    away = services(shop(), [T0 + 600])
    away.catalog = cast("MetricCatalog", Away(shop(), 0))
    assert [one.label for one in VersionsSeen(away, lambda: called("1"))()] == ["service.version"]


def test_a_source_that_stops_answering_is_waited_for() -> None:
    """What its label tells and what spans tell are not the same versions."""
    now = [T0 + HOUR + 600]
    found = services(shop(), now)
    seen = VersionsSeen(found, lambda: called("1"))
    assert [one.label for one in seen()] == ["version"]
    found.catalog = cast("MetricCatalog", Away(shop(), 0))
    now[0] += HOUR
    with pytest.raises(SourceError):
        seen()


def test_a_stream_that_is_not_open_shows_no_spans() -> None:
    """It opens in a moment."""

    def closed() -> Graph | None:
        raise StoreError("not open")

    assert VersionsSeen(None, closed)() == ()
    assert VersionsSeen(None, lambda: None)() == ()
