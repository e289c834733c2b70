"""When resources run out, as metrics: of the most urgent ones, so that they stay few."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.capacity.assessed import Assessment
from detector.capacity.report import Report
from detector.errors import StoreError
from pipelines.capacity.keeping import KeptCapacity
from pipelines.capacity.refreshing import Refreshing

__all__ = ["SHOWN_MOST", "CapacityShown"]

# Resources with series of their own, five each.
SHOWN_MOST = 500
_LABELS = ("service", "namespace", "cluster", "team", "kind", "resource")
_QUANTILES = (("0.1", "p10"), ("0.5", "p50"), ("0.9", "p90"))
_LONGEST = 128


class CapacityShown(Collector):
    """The families, by the report that was kept last."""

    def __init__(self, kept: KeptCapacity, refreshing: Refreshing) -> None:
        self._kept, self._refreshing = kept, refreshing

    def collect(self) -> Iterator[Metric]:
        """As of now: what is left until a date gets less from scrape to scrape."""
        try:
            report = self._kept.last()
        except StoreError:
            report = None
        words = "Times that capacity could not be assessed."
        failures = self._refreshing.failures
        yield CounterMetricFamily("serinus_capacity_failures", words, value=failures)
        words = "How long the last assessment took."
        seconds = self._refreshing.seconds
        yield GaugeMetricFamily("serinus_capacity_assessment_seconds", words, value=seconds)
        if report is not None:
            yield from _counted(report)
            yield from _resources(report, self._refreshing.clock())


def _counted(report: Report) -> Iterator[Metric]:
    words = "When capacity was last assessed, in unix seconds."
    at = report.made_at / 1000
    yield GaugeMetricFamily("serinus_capacity_assessed_timestamp_seconds", words, value=at)
    words = "Resources that were assessed."
    count = len(report.assessments)
    yield GaugeMetricFamily("serinus_capacity_resources", words, value=count)
    words = "Resources, or kinds of them, that could not be assessed."
    left = len(report.left_out)
    yield GaugeMetricFamily("serinus_capacity_left_out", words, value=left)


def _resources(report: Report, now: float) -> Iterator[Metric]:
    """Of each resource that has a limit; +Inf is beyond the horizon."""
    exhaustion = GaugeMetricFamily(
        "serinus_capacity_exhaustion_seconds",
        "Time until the limit is reached: with the quantile's probability it is by then.",
        labels=(*_LABELS, "quantile"),
    )
    chance = GaugeMetricFamily(
        "serinus_capacity_exhaustion_ratio",
        "Probability that the limit is reached within the horizon.",
        labels=_LABELS,
    )
    headroom = GaugeMetricFamily(
        "serinus_capacity_headroom_ratio",
        "The share of the limit that was free at the worst of the last week.",
        labels=_LABELS,
    )
    seen: set[tuple[str, ...]] = set()
    for one in report.assessments[:SHOWN_MOST]:
        labels = _labels(one)
        if labels in seen:
            continue
        seen.add(labels)
        if one.headroom is not None:
            headroom.add_metric(labels, 1 - one.headroom.share)
        if one.exhaustion is not None:
            chance.add_metric(labels, one.exhaustion.chance)
            for quantile, name in _QUANTILES:
                exhaustion.add_metric((*labels, quantile), _left_s(one, name, now))
    yield from (exhaustion, chance, headroom)


def _labels(one: Assessment) -> tuple[str, ...]:
    about = one.identity
    told = (
        about.service, about.namespace, about.cluster, about.team, about.kind.value, about.name,
    )  # fmt: skip
    return tuple(word[:_LONGEST] for word in told)


def _left_s(one: Assessment, name: str, now: float) -> float:
    """Seconds until a quantile of the date, 0 where it is over."""
    if one.exhaustion is None or one.exhaustion.since is not None:
        return 0.0
    at = getattr(one.exhaustion, name)
    return math.inf if at is None else max(at / 1000 - now, 0.0)
