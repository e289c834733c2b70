"""Lines and spans that `serinus serve` takes: where they go, where they are read, how it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.streaming import Streaming
from detector.logs.lines import LogLines

if TYPE_CHECKING:
    from pipelines.flows.logs_open import OpenLogs
    from pipelines.sources.open import Source

__all__ = ["LinesShown", "LinesSink", "with_own"]


class LinesSink:
    """`LogSink` onto the stream, once it is open; until then a push is a `StoreError`."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming

    def put(self, tenant: str, lines: LogLines) -> bool:
        """See `LogSink`."""
        return self._streaming.logs.lines.put(tenant, lines)


def with_own(source: Source, streaming: Streaming, tenant: str) -> Source:
    """A source beside which our own counters of logs and traces are read."""
    from pipelines.sources.own import OwnSource
    from pipelines.sources.own_joined import joined

    own = OwnSource(lambda: streaming.logs.own, tenant=tenant, ailing=lambda: streaming.ailing)
    return joined(source, own)


class LinesShown(Collector):
    """What the flow of lines says of itself, in `/metrics`."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming

    def collect(self) -> Iterable[Metric]:
        """The families; none until the stream is open."""
        if self._streaming.takes_lines:
            yield from _families(self._streaming.logs)


def _families(logs: OpenLogs) -> Iterable[Metric]:
    meters = logs.lines.meters
    for name, words, value in (
        ("lines", "Lines counted.", meters.lines),
        ("late_lines", "Lines too old for counters, counted by template alone.", meters.late),
        ("put_off_lines", "Lines put off because the queue was full.", meters.refused),
    ):
        family = CounterMetricFamily(f"serinus_logs_{name}", words)
        family.add_metric((), value)
        yield family
    yield from _by_tenant(logs)


def _by_tenant(logs: OpenLogs) -> Iterable[Metric]:
    known = GaugeMetricFamily("serinus_logs_templates", "Templates known.", labels=("tenant",))
    limit = GaugeMetricFamily("serinus_logs_templates_limit", "Templates that a tenant may have.")
    limit.add_metric((), logs.bounds.templates)
    fresh = _counter("fresh_templates", "Templates never seen before.")
    merged = _counter("merged_templates", "Templates that went into others.")
    evicted = _counter("evicted_templates", "Templates that the miner had no more room for.")
    refused = _counter(
        "templates_beyond_limit",
        "Times that a template was not kept, since the tenant has all it may have.",
    )
    for tenant, mined in logs.lines.miners.items():
        known.add_metric((tenant,), len(mined.known))
        fresh.add_metric((tenant,), mined.fresh)
        merged.add_metric((tenant,), mined.merged)
        evicted.add_metric((tenant,), mined.forgotten)
        refused.add_metric((tenant,), mined.refused)
    counters = GaugeMetricFamily("serinus_logs_counters", "Own counters.", labels=("tenant",))
    beyond = _counter("counters_beyond_limit", "Counters not kept for want of room, each time.")
    for tenant, taken in logs.taking.tenants.items():
        counters.add_metric((tenant,), len(taken.own))
        beyond.add_metric((tenant,), taken.own.refused + taken.refused_rates)
    yield from (known, limit, fresh, merged, evicted, refused, counters, beyond)


def _counter(name: str, words: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"serinus_logs_{name}", words, labels=("tenant",))
