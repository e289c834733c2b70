"""What the source shows of versions is told beside a process, where that is asked for."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry

from api.inferring import infer_changes
from api.settings import Settings
from detector.changes.record import ChangeFilter
from detector.errors import StoreError
from detector.spans.topology import Graph
from pipelines.flows.services import Services
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.test_versions_seen import HOUR, T0, called, shop


class Clock:
    """Goes on by two minutes each time; says when it has come far enough."""

    def __init__(self) -> None:
        self.at, self.is_far = T0 + 1800, threading.Event()

    def __call__(self) -> float:
        """The time."""
        self.at += 60
        if self.at > T0 + 2.5 * HOUR:
            self.at -= 60
            self.is_far.set()
        return self.at


def services(held: MemorySource, clock: Clock) -> Services:
    """Discovery on a source."""
    return Services(source=held, catalog=held, packs=load_packs(), clock=clock)


def settings(*, inferred: bool) -> Settings:
    """As a file asks for it."""
    return Settings.model_validate({"changes": {"inferred": inferred}})


def test_a_version_that_nobody_told_of_is_in_the_log_and_in_the_metrics() -> None:
    """Its start and its end."""
    clock, stores, registry = Clock(), memory_stores(), CollectorRegistry()
    found = services(shop(), clock)
    inferring = infer_changes(found, stores, settings(inferred=True), every_s=0.0)
    inferring.start(registry)
    assert clock.is_far.wait(10)
    inferring.close()
    (change,) = stores.changes.list(ChangeFilter(tenant="default")).changes
    assert (change.version, change.phase.value, change.is_inferred) == ("2", "succeeded", True)
    assert registry.get_sample_value("serinus_inferred_changes_total") == 2
    assert registry.get_sample_value("serinus_inferred_refused") == 0


class Spans:
    """Of two tenants, one of which deploys; closed at first, as a stream is that opens."""

    def __init__(self) -> None:
        self.looks, self.is_far = 0, threading.Event()

    @property
    def tenants(self) -> tuple[str, ...]:
        """Who sends them."""
        self.looks += 1
        if self.looks == 1:
            raise StoreError("the stream is not open")
        if self.looks > 20:
            self.is_far.set()
        return ("acme", "default")

    def graph(self, tenant: str) -> Graph | None:
        """A look a minute later each time; version 2 takes over after the fifth."""
        if tenant != "acme":
            return None
        return called("1" if self.looks < 6 else "2", at=1000 * int(T0) + 60_000 * self.looks)


def test_each_tenant_has_the_changes_that_its_spans_show() -> None:
    """And nobody those of another."""
    clock, stores, spans = Clock(), memory_stores(), Spans()
    inferring = infer_changes(
        services(MemorySource(), clock), stores, settings(inferred=True), spans, every_s=0.0
    )
    inferring.start(CollectorRegistry())
    assert spans.is_far.wait(10)
    inferring.close()
    (change,) = stores.changes.list(ChangeFilter(tenant="acme")).changes
    assert (change.place.service, change.version) == ("web", "2")
    assert stores.changes.list(ChangeFilter(tenant="default")).changes == ()


def test_it_is_on_unless_somebody_says_no() -> None:
    """What nobody tells of is what breaks unseen."""
    assert Settings().changes.inferred


def test_who_does_not_ask_for_it_asks_the_source_for_nothing() -> None:
    """Nor is there a thread or a figure."""
    clock, registry = Clock(), CollectorRegistry()
    inferring = infer_changes(services(shop(), clock), memory_stores(), settings(inferred=False))
    inferring.start(registry)
    inferring.close()
    assert clock.at == T0 + 1800
    assert list(registry.collect()) == []
