"""What the doors for metrics took and refused, in `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from pipelines.ingest.doors import Doors

__all__ = ["Ingested", "counter"]


class Ingested(Collector):
    """The running totals of the doors."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors

    def collect(self) -> Iterable[Metric]:
        """The families."""
        tally = self.doors.tally
        by_door, by_reason = ("tenant", "door"), ("tenant", "door", "reason")
        yield counter("samples", "Samples taken.", by_door, tally.taken)
        words = "Samples refused for good, by reason."
        yield counter("refused_samples", words, by_reason, tally.refused)
        words = "What came with samples and is not kept."
        yield counter("dropped", words, ("tenant", "door", "what"), tally.dropped)
        words = "Messages put off because the queue was full."
        yield counter("full", words, by_door, tally.fulls)
        series = GaugeMetricFamily("serinus_ingest_series", "Series known.", labels=("tenant",))
        for tenant, count in self.doors.series().items():
            series.add_metric((tenant,), count)
        yield series
        words = "New series refused, each time they came, since the tenant had all it may have."
        refused = {(tenant,): count for tenant, count in self.doors.refused_series().items()}
        yield counter("refused_series", words, ("tenant",), refused)
        words = "Series that a tenant may have."
        yield GaugeMetricFamily("serinus_ingest_series_limit", words, self.doors.limits.series)


def counter(
    name: str, words: str, labels: tuple[str, ...], counts: Mapping[Any, int]
) -> CounterMetricFamily:
    """A counter of the doors with its values by labels."""
    family = CounterMetricFamily(f"serinus_ingest_{name}", words, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric(values, count)
    return family
