"""Deployments that nobody told of, where the configuration asks for them, and their figures."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.settings import Settings
from detector.changes.ports import ChangeLog
from detector.errors import SourceError
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.flows.looping import Loop
from pipelines.flows.services import Services
from pipelines.flows.versions_seen import versions_seen

__all__ = ["Inferring", "infer_changes"]

_LOOK_S = 60.0
_TENANT = "default"


class Inferring:
    """What looks at versions again and again, or nothing."""

    def __init__(self, flow: InferredChanges | None, *, every_s: float = _LOOK_S) -> None:
        self._flow = flow
        self._loop = Loop("versions as changes", self._look, every_s=every_s)

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        if self._flow is not None:
            registry.register(_Shown(self._flow))
            self._loop.start()

    def close(self) -> None:
        """End."""
        self._loop.close()

    def _look(self) -> bool:
        """A source that does not answer shows nothing; others tell people of that."""
        try:
            return self._flow is not None and self._flow.look()
        except SourceError:
            return False


def infer_changes(
    services: Services, log: ChangeLog, settings: Settings, *, every_s: float = _LOOK_S
) -> Inferring:
    """What `changes.inferred` asks for."""
    if not settings.changes.inferred:
        return Inferring(None)
    flow = InferredChanges(lambda: versions_seen(services), log, _TENANT)
    return Inferring(flow, every_s=every_s)


class _Shown(Collector):
    """The families."""

    def __init__(self, flow: InferredChanges) -> None:
        self._flow = flow

    def collect(self) -> Iterator[Metric]:
        """As they are."""
        words = "Events of deployments that nobody told of and the data showed."
        yield CounterMetricFamily("serinus_inferred_changes", words, value=self._flow.told)
        words = "Services whose label of versions has too many values to be one."
        refused = len(self._flow.refused)
        yield GaugeMetricFamily("serinus_inferred_refused", words, value=refused)
