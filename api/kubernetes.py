"""The watch of a cluster beside a process, where the configuration asks for it, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.settings import Settings
from detector.changes.ports import ChangeLog

if TYPE_CHECKING:
    from pipelines.flows.kubernetes_changes import KubernetesWatch

__all__ = ["KubernetesWatching", "watch_kubernetes"]


class KubernetesWatching:
    """A watch, or none."""

    def __init__(self, watch: KubernetesWatch | None) -> None:
        self._watch = watch

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        if self._watch is not None:
            registry.register(_Shown(self._watch))
            self._watch.start()

    def close(self) -> None:
        """End."""
        if self._watch is not None:
            self._watch.close()

    @property
    def ailing(self) -> str:
        """Why it does not see, or nothing."""
        return "" if self._watch is None else self._watch.ailing


def watch_kubernetes(log: ChangeLog, settings: Settings) -> KubernetesWatching:
    """What `changes.kubernetes` asks for; `ConfigError` where that cannot be."""
    native = settings.changes.kubernetes.native()
    if native is None:
        return KubernetesWatching(None)
    from detector.logs.redaction import redacted
    from pipelines.flows.kubernetes_changes import KubernetesWatch

    services = settings.changes.services
    return KubernetesWatching(KubernetesWatch(native, log, redact=redacted, services=services))


class _Shown(Collector):
    """The families."""

    def __init__(self, watch: KubernetesWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """As they are."""
        watched = self._watch.watched
        words = "Objects of the cluster that are watched."
        yield GaugeMetricFamily("serinus_kubernetes_objects", words, value=watched.objects)
        words = "Events of changes that a cluster showed: kept, told before, or too frequent."
        told = CounterMetricFamily("serinus_kubernetes_changes", words, labels=("result",))
        told.add_metric(("kept",), watched.kept)
        told.add_metric(("told_before",), watched.told_before)
        told.add_metric(("restless",), watched.restless)
        yield told
        yield from self._of_feeds()

    def _of_feeds(self) -> Iterator[Metric]:
        labels = ("resource", "objects", "namespace")
        words = "When a resource was last heard of; far in the past: its watch is broken."
        heard = GaugeMetricFamily("serinus_kubernetes_heard_seconds", words, labels=labels)
        words = "Times that a resource was listed: at the start, and when its watch was lost."
        lists = CounterMetricFamily("serinus_kubernetes_lists", words, labels=labels)
        words = "Objects that could not be read."
        unread = CounterMetricFamily("serinus_kubernetes_unread", words, labels=labels)
        for feed in self._watch.feeds:
            place = (feed.resource.name, feed.resource.objects, feed.namespace)
            heard.add_metric(place, feed.meters.heard_at)
            lists.add_metric(place, feed.meters.listed)
            unread.add_metric(place, feed.meters.unread)
        yield from (heard, lists, unread)
