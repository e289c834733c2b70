"""Lines and spans that `serinus serve` takes: where they go, where they are read, how it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.logs_followed import open_following, open_syslog, show_following, show_syslog
from api.streaming import Streaming
from api.tracing import take_spans
from detector.logs.lines import LogLines

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.settings import Settings
    from detector.logs.counted import Template
    from detector.logs.ports import LogSink, TemplateTexts
    from detector.spans.columns import Spans
    from pipelines.flows.logs_open import OpenLogs
    from pipelines.sources.open import Source

__all__ = ["LinesShown", "LinesSink", "SpansSink", "take_beside", "texts_of", "with_own"]


class LinesSink:
    """`ReadLogSink` onto the stream, once it is open; until then a push is a `StoreError`."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming

    def put(self, tenant: str, lines: LogLines) -> bool:
        """See `LogSink`."""
        return self._streaming.logs.lines.put(tenant, lines)

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        """See `ReadLogSink`."""
        return self._streaming.logs.lines.put_read(tenant, lines, source=source, read_to=read_to)

    def read_to(self, tenant: str, source: str) -> int | None:
        """See `ReadLogSink`."""
        return self._streaming.logs.lines.read_to(tenant, source)


class SpansSink:
    """`SpanSink` onto the stream, as `LinesSink`."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming

    def put(self, tenant: str, spans: Spans) -> bool:
        """See `SpanSink`."""
        return self._streaming.logs.spans.put(tenant, spans)


def take_beside(app: FastAPI, settings: Settings, streaming: Streaming, sink: LogSink) -> None:
    """Take spans, and begin to follow files and to listen for syslog where that is set.

    They end before the stream does.
    """
    registry = app.state.context.telemetry.registry
    take_spans(app, SpansSink(streaming))
    following = open_following(settings, sink)
    if following is not None:
        show_following(registry, following)
        streaming.beside.append(following.close)
        following.start()
    syslog = open_syslog(settings, sink)
    if syslog is not None:
        show_syslog(registry, syslog)
        streaming.beside.append(syslog.close)
        syslog.start()


def with_own(source: Source, streaming: Streaming, tenant: str, *, look_s: float = 1.0) -> Source:
    """A source beside which our own counters of logs and traces are read.

    New ones are looked for every `look_s`.
    """
    from pipelines.sources.own import OwnSource
    from pipelines.sources.own_joined import joined

    own = OwnSource(
        lambda: streaming.logs.own,
        tenant=tenant,
        ailing=lambda: streaming.ailing,
        look_s=look_s,
    )
    return joined(source, own)


def texts_of(streaming: Streaming) -> TemplateTexts:
    """What templates of log lines say; a `StoreError` until the stream is open."""

    def texts(tenant: str, ids: Sequence[str]) -> Mapping[str, Template]:
        return streaming.logs.templates.texts(tenant, ids)

    return texts


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
        ("spans", "Spans counted.", logs.spans.meters.spans),
        ("put_off_spans", "Spans put off because the queue was full.", logs.spans.meters.refused),
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
