"""What serinus says of itself in `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.gate.verdict import Verdict
from detector.gate.version import ENGINE
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.metered import MeteredSource

__all__ = ["Telemetry", "account_of", "rendered"]

disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


# No name that is asked about has it in it.
_APART = "\0"


def account_of(service: str, rollout: str | None) -> str:
    """The name under which the cost of a rollout is kept."""
    return f"{service}{_APART}{rollout or ''}"


class Costly(Protocol):
    """A source that counts what it costs."""

    cost: Cost
    skew: Skew


class Telemetry:
    """Counters of one app, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.verdicts = Counter(
            "serinus_verdicts",
            "Verdicts given, by outcome, answer and reason code.",
            ("outcome", "answer", "reason"),
            registry=self.registry,
        )
        self.judging = Histogram(
            "serinus_verdict_seconds",
            "Time from the question to the verdict.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.requests = Histogram(
            "serinus_http_request_seconds",
            "Time to answer, by route, method and status.",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.unexpected = Counter(
            "serinus_unexpected_errors", "Errors that are ours.", registry=self.registry
        )
        Gauge(
            "serinus_build_info",
            "Always 1; the labels say what runs.",
            ("version", "engine"),
            registry=self.registry,
        ).labels(version, ENGINE).set(1)

    def judged(self, verdict: Verdict, seconds: float) -> None:
        """Count one verdict."""
        self.verdicts.labels(verdict.outcome, verdict.answer, str(verdict.reason.code)).inc()
        self.judging.observe(seconds)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; methods that do not exist share a label."""
        named = method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} else "other"
        self.requests.labels(route, named, str(status)).observe(seconds)

    def watch_source(self, source: object) -> None:
        """Show what a source costs, in all and per rollout, where it counts that."""
        if isinstance(source, MeteredSource):
            self.registry.register(_RolloutCost(source))
            source = source.source
        if isinstance(getattr(source, "cost", None), Cost):
            self.registry.register(_SourceCost(source))  # type: ignore[arg-type]

    def watch(self, name: str, words: str, value: Callable[[], float]) -> None:
        """Show a number that is read when asked."""
        Gauge(name, words, registry=self.registry).set_function(value)


class _RolloutCost(Collector):
    """What each rollout asked of the source."""

    def __init__(self, source: MeteredSource) -> None:
        self.source = source

    def collect(self) -> Iterable[Metric]:
        """The families; the source bounds how many rollouts have series of their own."""
        labels = ("service", "rollout")
        words = "Queries that a rollout's verdicts needed."
        queries = CounterMetricFamily("serinus_rollout_queries", words, labels=labels)
        words = "Samples that a rollout's verdicts needed."
        samples = CounterMetricFamily("serinus_rollout_samples", words, labels=labels)
        for account, charge in self.source.charges.items():
            service, _, rollout = account.partition(_APART)
            queries.add_metric((service, rollout), charge.queries)
            samples.add_metric((service, rollout), charge.samples)
        return (queries, samples)


class _SourceCost(Collector):
    """The running totals of one source."""

    def __init__(self, source: Costly) -> None:
        self.source = source

    def collect(self) -> Iterable[Metric]:
        """The families."""
        cost = self.source.cost
        totals = {
            "queries": ("Queries sent to the metric source.", cost.queries),
            "query_retries": ("Queries that were sent again.", cost.retries),
            "query_failures": ("Queries that failed.", cost.failures),
            "query_seconds": ("Time waited for the metric source.", cost.seconds),
            "query_bytes": ("Bytes received from the metric source.", cost.bytes),
            "query_samples": ("Samples received from the metric source.", cost.samples),
        }
        for name, (words, value) in totals.items():
            yield CounterMetricFamily(f"serinus_source_{name}", words, value=value)
        skew = getattr(self.source, "skew", None)
        if isinstance(skew, Skew) and skew.seconds is not None:
            words = "How far the source's clock is ahead of ours."
            yield GaugeMetricFamily("serinus_source_clock_ahead_seconds", words, skew.seconds)


def rendered(telemetry: Telemetry) -> bytes:
    """The text format 0.0.4."""
    return generate_latest(telemetry.registry)
