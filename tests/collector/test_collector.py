"""A real collector at the real doors: what it exports is understood, and nothing of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from detector.stream.columns import SeriesKind
from pipelines.testing.sink import MemorySink
from tests.api.test_push_real import receiving, until
from tests.collector.collecting import RunningCollector, running_collector

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]

# Comes again soon, so that a test need not wait for it.
SOON = {"initial_interval": "100ms", "max_interval": "300ms", "max_elapsed_time": "60s"}


def otlp(url: str, **more: object) -> dict[str, dict[str, Any]]:
    """OTLP over HTTP, packed as it comes."""
    return {
        "otlp_http": {"metrics_endpoint": f"{url}/v1/metrics", "retry_on_failure": SOON, **more}
    }


def remote_write(url: str) -> dict[str, dict[str, Any]]:
    """Remote write, with the attributes of the resource as labels."""
    exporter = {
        "endpoint": f"{url}/api/v1/write",
        "resource_to_telemetry_conversion": {"enabled": True},
        "retry_on_failure": SOON,
    }
    return {"prometheusremotewrite": exporter}


EXPORTERS: Mapping[str, Callable[[str], dict[str, dict[str, Any]]]] = {
    "otlp": otlp,
    "otlp-json": lambda url: otlp(url, encoding="json"),
    "otlp-zstd": lambda url: otlp(url, compression="zstd"),
    "remote-write": remote_write,
}


def sent(collector: RunningCollector) -> None:
    """A service tells of itself, by the SDK: one of each kind of metric."""
    exporter = OTLPMetricExporter(endpoint=f"{collector.url}/v1/metrics")
    sdk = MeterProvider(
        [PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
        resource=Resource({"service.name": "checkout", "service.instance.id": "a"}),
        views=[
            View(
                instrument_name="latency",
                aggregation=ExponentialBucketHistogramAggregation(max_size=20),
            )
        ],
    )
    meter = sdk.get_meter("shop", "1.2")
    meter.create_counter("http.requests", unit="{request}").add(3, {"http.route": "/cart"})
    meter.create_up_down_counter("queue.waiting").add(2)
    seconds = meter.create_histogram("http.server.request.duration", unit="s")
    latency = meter.create_histogram("latency", unit="s")
    for value in (0.3, 0.6, 1.5, 3.0):
        seconds.record(value)
        latency.record(value)
    assert sdk.force_flush()
    sdk.shutdown()


def shown(sink: MemorySink) -> dict[str, float]:
    """The last value of each series of the service, by its name and bucket."""
    told = {}
    for info, _, value in sink.samples():
        labels = dict(info.labels)
        bound = f"{{{labels['le']}}}" if "le" in labels else ""
        told[info.name + bound] = value
    return told


@pytest.mark.parametrize("name", EXPORTERS)
def test_what_it_exports_is_the_same_by_every_door(name: str, tmp_path: Path) -> None:
    """Counter, gauge, histogram and exponential histogram, under the names of Prometheus."""
    with receiving() as (url, sink), running_collector(tmp_path, EXPORTERS[name](url)) as collector:
        sent(collector)
        until(lambda: sink.of("latency_seconds_count"), "the last of its metrics")
    told = shown(sink)
    assert told["http_requests_total"] == 3.0
    assert told["queue_waiting"] == 2.0
    assert told["http_server_request_duration_seconds_count"] == 4.0
    assert told["http_server_request_duration_seconds_bucket{+Inf}"] == 4.0
    assert (told["latency_seconds_count"], told["latency_seconds_bucket{2}"]) == (4.0, 3.0)
    kinds = {info.name: info.kind for info in sink.series["default"]}
    assert kinds["http_requests_total"] is SeriesKind.CUMULATIVE
    assert kinds["queue_waiting"] is SeriesKind.GAUGE
    labels = next(dict(i.labels) for i in sink.series["default"] if "requests" in i.name)
    assert (labels["job"], labels["instance"], labels["http_route"]) == ("checkout", "a", "/cart")


@pytest.mark.parametrize("name", ["otlp", "remote-write"])
def test_it_comes_again_after_a_full_queue(name: str, tmp_path: Path) -> None:
    """What was put off is delivered once there is room: it was not thrown away."""
    with receiving() as (url, sink), running_collector(tmp_path, EXPORTERS[name](url)) as collector:
        sink.is_full = True
        opening = threading.Thread(target=_make_room, args=(sink,))
        opening.start()
        sent(collector)
        opening.join()
        until(lambda: sink.of("latency_seconds_count"), "what was put off")
    # The SDK tells once more when it is shut down.
    assert {value for _, value in sink.of("http_requests_total")} == {3.0}


def _make_room(sink: MemorySink) -> None:
    until(lambda: sink.refusals >= 2, "two refusals")
    sink.is_full = False
