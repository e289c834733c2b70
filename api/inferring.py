"""Deployments that nobody told of, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.settings import Settings
from detector.errors import SourceError, StoreError
from detector.ports import Stores
from detector.spans.topology import Graph
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.flows.looping import Loop
from pipelines.flows.services import Services
from pipelines.flows.versions_seen import VersionsSeen

__all__ = ["Inferring", "Spans", "infer_changes"]

_LOOK_S = 60.0
# Whose the metric source is.
_TENANT = "default"


class Spans(Protocol):
    """What spans tell, by tenant; `StoreError` until it can be looked up."""

    @property
    def tenants(self) -> Iterable[str]:
        """Who sends any."""
        ...

    def graph(self, tenant: str) -> Graph | None:
        """Who calls whom."""
        ...


class Inferring:
    """What looks at versions of every tenant again and again, or nothing."""

    def __init__(
        self,
        services: Services | None,
        stores: Stores,
        spans: Spans | None = None,
        *,
        every_s: float = _LOOK_S,
    ) -> None:
        self._services, self._stores, self._spans = services, stores, spans
        self.flows: dict[str, InferredChanges] = {}
        self._loop = Loop("versions as changes", self._look, every_s=every_s)

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        if self._services is not None:
            registry.register(_Shown(self))
            self._loop.start()

    def close(self) -> None:
        """End."""
        self._loop.close()

    def _look(self) -> bool:
        """A source that does not answer shows nothing; others tell people of that."""
        for tenant in sorted({_TENANT, *self._tenants()}):
            if tenant not in self.flows:
                self.flows[tenant] = self._flow(tenant)
            try:
                self.flows[tenant].look()
            except SourceError:
                continue
        return False

    def _tenants(self) -> Iterable[str]:
        try:
            return () if self._spans is None else tuple(self._spans.tenants)
        except StoreError:
            return ()

    def _flow(self, tenant: str) -> InferredChanges:
        seen = VersionsSeen(
            self._services if tenant == _TENANT else None, partial(self._graph, tenant)
        )
        return InferredChanges(seen, self._stores.changes, self._stores.versions, tenant)

    def _graph(self, tenant: str) -> Graph | None:
        return None if self._spans is None else self._spans.graph(tenant)


def infer_changes(
    services: Services,
    stores: Stores,
    settings: Settings,
    spans: Spans | None = None,
    *,
    every_s: float = _LOOK_S,
) -> Inferring:
    """Unless `changes.inferred` says no."""
    wanted = services if settings.changes.inferred else None
    return Inferring(wanted, stores, spans, every_s=every_s)


class _Shown(Collector):
    """The families."""

    def __init__(self, inferring: Inferring) -> None:
        self._inferring = inferring

    def collect(self) -> Iterator[Metric]:
        """As they are."""
        flows = list(self._inferring.flows.values())
        words = "Events of deployments that nobody told of and the data showed."
        told = sum(flow.told for flow in flows)
        yield CounterMetricFamily("serinus_inferred_changes", words, value=told)
        words = "Services whose label of versions has too many values to be one."
        refused = sum(len(flow.refused) for flow in flows)
        yield GaugeMetricFamily("serinus_inferred_refused", words, value=refused)
