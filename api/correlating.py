"""Incidents of a process: made beside its stream, on each database that has events, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.streaming import Streaming
from detector.alerts.history import Case
from detector.alerts.settings import AlertRules
from detector.changes.change import ChangeKind
from detector.errors import NotFoundError, StoreError
from detector.gate.telling import Route
from detector.incidents.calls import CallMap, call_map
from detector.incidents.incident import EntryKind
from detector.incidents.ports import IncidentStore
from detector.incidents.symptom import Symptom
from detector.ports import Stores
from detector.spans.names import NodeKind
from detector.spans.topology import Graph
from pipelines.flows.incident_notices import IncidentNotices
from pipelines.flows.incidents import Incidents
from pipelines.flows.learning import Learning
from pipelines.flows.looping import Loop
from pipelines.flows.rollout_changes import RolloutChanges
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.joined import JoinedIncidents

__all__ = ["Correlating", "calls_of", "correlating_of", "take_incidents"]

_LOOK_S, _ROLLOUTS_S = 1.0, 5.0
_NOTHING: Mapping[ChangeKind, float] = {}
# A database that many share would make neighbours of all of them.
_CALLING = frozenset({NodeKind.SERVICE, NodeKind.UNSEEN, NodeKind.MESSAGING})


class Events(Protocol):
    """Where anomalies are told of: an embedded stream, and workers beside it."""

    @property
    def databases(self) -> tuple[Connections, ...]:
        """Those that have events; none until they are open."""
        ...

    @property
    def ailing(self) -> str:
        """Why they are not open."""
        ...

    def graph(self, tenant: str) -> Graph | None:
        """Who calls whom; None where nobody sends spans."""
        ...


class Correlating:
    """What makes incidents, once the stream is open, and where they are kept."""

    def __init__(
        self,
        events: Events,
        stores: Stores,
        clock: Callable[[], float] = time.time,
        routes: Sequence[Route] = (),
        rules: AlertRules | None = None,
        bad: Mapping[ChangeKind, float] = _NOTHING,
    ) -> None:
        self._events, self._stores, self._clock = events, stores, clock
        self._routes, self._rules = tuple(routes), rules
        self.learning = Learning(lambda: self.kept, stores, bad=bad)
        self._flows: tuple[Incidents | IncidentNotices, ...] = ()
        rollouts = RolloutChanges(stores, clock)
        self._loops = (
            Loop("incidents", self.look, every_s=_LOOK_S),
            Loop("rollouts as changes", rollouts.look, every_s=_ROLLOUTS_S),
        )

    def start(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()

    def close(self) -> None:
        """End."""
        for loop in self._loops:
            loop.close()

    def show(self, registry: CollectorRegistry) -> None:
        """Put what becomes of anomalies into `/metrics`."""
        registry.register(_Shown(self))

    @property
    def made(self) -> list[Incidents]:
        """What makes incidents, of each database; none until the stream is open."""
        return [flow for flow in self._flows if isinstance(flow, Incidents)]

    @property
    def store(self) -> IncidentStore:
        """The incidents; `StoreError` until the stream is open."""
        own, *of_workers = self.kept
        return JoinedIncidents(own, *of_workers) if of_workers else own

    def case(self, tenant: str, id: str) -> Case | None:
        """Who was told of an incident by rules, and who was not; None where none decided."""
        for store in self.kept:
            history = store.histories().get(tenant)
            if history is not None and id in history.cases:
                return history.cases[id]
        return None

    @property
    def kept(self) -> list[SqlIncidents]:
        """The incidents of each database; `StoreError` until the stream is open."""
        return [SqlIncidents(one) for one in self._databases()]

    def receive(self, tenant: str, symptoms: Sequence[Symptom]) -> None:
        """Keep what another alerting tells; `StoreError` until the stream is open."""
        if symptoms:
            SqlIncidents(self._databases()[0]).receive(tenant, symptoms)

    def look(self) -> bool:
        """Make what follows of new events; whether there may be more at once. `StoreError`."""
        if not self._flows:
            databases = self._events.databases
            self._flows = tuple(flow for one in databases for flow in self._flows_of(one))
        looked = [flow.look() for flow in self._flows]
        return any(looked)

    def _databases(self) -> tuple[Connections, ...]:
        found = self._events.databases
        if not found:
            raise StoreError(f"incidents cannot be looked up yet: {self._events.ailing}")
        return found

    def _flows_of(self, database: Connections) -> tuple[Incidents, IncidentNotices]:
        made = Incidents(
            database,
            changes=self._stores.changes,
            calls=self._calls,
            clock=self._clock,
            suspicion=self.learning.suspicion,
        )
        told = IncidentNotices(
            database,
            self._stores.outbox,
            self._routes,
            rules=self._rules,
            clock=self._clock,
            learned=self.learning.rules,
        )
        return made, told

    def _calls(self, tenant: str) -> CallMap:
        return calls_of(self._events.graph(tenant))


def calls_of(graph: Graph | None) -> CallMap:
    """Who calls whom, also through topics; nobody where nobody sends spans."""
    edges = () if graph is None else graph.edges
    return call_map(
        (edge.caller.name, edge.callee.name)
        for edge in edges
        if edge.caller.kind in _CALLING and edge.callee.kind in _CALLING
    )


class _Shown(Collector):
    """The families."""

    def __init__(self, correlating: Correlating) -> None:
        self._correlating = correlating

    def collect(self) -> Iterator[Metric]:
        """As they are."""
        flows = self._correlating.made
        words = "Incidents that last."
        yield GaugeMetricFamily(
            "serinus_incidents_open", words, value=sum(f.meters.open for f in flows)
        )
        words = "Events of anomalies that were correlated."
        heard = sum(flow.meters.heard for flow in flows)
        yield CounterMetricFamily("serinus_incidents_heard", words, value=heard)
        words = "When anomalies were last looked at; far in the past: the store is away."
        looked = min((flow.meters.looked_at for flow in flows), default=0.0)
        yield GaugeMetricFamily("serinus_incidents_looked_seconds", words, value=looked)
        words = "What was told of incidents, by what happened."
        told = CounterMetricFamily("serinus_incidents_told", words, labels=("event",))
        for kind in EntryKind:
            told.add_metric((kind.value,), sum(flow.meters.told.get(kind, 0) for flow in flows))
        yield told


def correlating_of(correlating: Correlating | None) -> Correlating:
    """Without a stream there are no incidents."""
    if correlating is None:
        raise NotFoundError("This serinus has no incidents: it runs without a stream.")
    return correlating


def take_incidents(
    app: FastAPI,
    streaming: Streaming,
    stores: Stores,
    routes: Sequence[Route],
    rules: AlertRules | None = None,
) -> None:
    """Begin to make incidents, and to tell who wants it; the stream ends it with itself."""
    bad = app.state.context.settings.incidents.bad
    correlating = Correlating(streaming, stores, routes=routes, rules=rules, bad=bad)
    app.state.context = replace(app.state.context, correlating=correlating)
    streaming.beside.append(correlating.close)
    correlating.show(app.state.context.telemetry.registry)
    correlating.start()
