"""Real senders at the real doors: Prometheus, and the OpenTelemetry SDK's exporter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as ClientCounter
from prometheus_client import Histogram as ClientHistogram
from prometheus_client.exposition import start_http_server

from api.app import create_app
from api.receiving import take_metrics
from api.settings import Settings
from detector.stream.columns import SeriesKind, is_stale
from pipelines.testing.sink import MemorySink
from tests.api.cli.served import serving
from tests.api.doors import quiet_logs
from tests.pipelines.flows.scripted import World
from tests.servers import running_prometheus, scrape_config

pytestmark = pytest.mark.real

PATIENCE_S = 45.0


@contextmanager
def receiving() -> Iterator[tuple[str, MemorySink]]:
    """The app on a port, and where what is pushed to it goes."""
    quiet_logs()
    sink = MemorySink()
    app = create_app(World().gate, Settings())
    take_metrics(app, sink)
    with serving(app) as url:
        yield url, sink


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.05)


def writing(url: str, *targets: str, more: str = "") -> str:
    """A Prometheus that scrapes targets each second and pushes all of it."""
    return scrape_config(*targets) + (
        f"remote_write:\n  - url: {url}/api/v1/write\n    send_exemplars: true\n"
        "    send_native_histograms: true\n    metadata_config: {send_interval: 1s}\n"
        f"    queue_config: {{batch_send_deadline: 200ms, min_backoff: 30ms{more}}}\n"
    )


@contextmanager
def exposed() -> Iterator[tuple[str, ClientCounter]]:
    """A target with a counter, a histogram, and a gauge that a name alone calls a counter."""
    registry = CollectorRegistry()
    counter = ClientCounter("shop_requests", "Requests.", ["code"], registry=registry)
    seconds = ClientHistogram("shop_seconds", "Time.", registry=registry)
    counter.labels("200").inc(3)
    seconds.observe(0.3)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield f"127.0.0.1:{server.server_port}", counter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def gaps(times: list[int]) -> list[int]:
    """Steps between scrapes of a second that lack one, in milliseconds."""
    steps = np.diff(np.array(times))
    return [int(step) for step in steps if not 0 < step <= 1500]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("binary", "more"),
    [("prometheus3", ""), ("prometheus2", ""), ("prometheus3", ", retry_on_http_429: true")],
    ids=["3", "2", "3-told-to-retry"],
)
def test_prometheus_catches_up_with_no_gap(binary: str, more: str, tmp_path: Path) -> None:
    """For seconds the queue is full; afterwards each sample is there, once and in order."""
    with (
        receiving() as (url, sink),
        exposed() as (target, _),
        running_prometheus(binary, tmp_path, config=writing(url, target, more=more)),
    ):
        until(lambda: len(sink.of("shop_requests_total")) >= 2, "the first samples")
        sink.is_full = True
        until(lambda: sink.refusals >= 3, "three refusals")
        sink.is_full = False
        before = len(sink.of("shop_requests_total"))
        until(lambda: len(sink.of("shop_requests_total")) >= before + 4, "what was put off")
    times = [at for at, value in sink.of("shop_requests_total") if not np.isnan(value)]
    assert gaps(times) == []


def has_ended(sink: MemorySink) -> bool:
    """Whether the marker came."""
    values = [value for _, value in sink.of("shop_requests_total")]
    return bool(is_stale(np.array(values)).any())


@pytest.mark.slow
def test_prometheus_is_heard_with_kinds_labels_and_the_end_of_a_target(tmp_path: Path) -> None:
    """Counters, buckets, its own `up`, and the marker that says that a series has ended."""
    with receiving() as (url, sink), ExitStack() as servers:
        with exposed() as (target, _):
            config = writing(url, target)
            servers.enter_context(running_prometheus("prometheus3", tmp_path, config=config))
            until(lambda: sink.of("shop_seconds_bucket"), "buckets")
            until(lambda: sink.of("up"), "up")
        until(lambda: has_ended(sink), "staleness markers after the target has gone")
    kinds = {info.name: info.kind for info in sink.series["default"]}
    assert kinds["shop_requests_total"] is SeriesKind.CUMULATIVE
    assert kinds["shop_seconds_bucket"] is SeriesKind.CUMULATIVE
    assert kinds["up"] is SeriesKind.GAUGE
    labels = next(dict(i.labels) for i in sink.series["default"] if i.name == "shop_requests_total")
    assert labels == {
        "__name__": "shop_requests_total", "code": "200", "instance": target, "job": "shop",
    }  # fmt: skip
    assert sink.of("shop_requests_total")[0][1] == 3.0


@pytest.mark.slow
def test_a_prometheus_that_speaks_version_2_is_told_so(tmp_path: Path) -> None:
    """It is told 415 and says so in its log; nothing of it is taken."""
    with receiving() as (url, sink), exposed() as (target, _):
        config = writing(url, target).replace(
            "    send_exemplars",
            "    protobuf_message: io.prometheus.write.v2.Request\n    send_exemplars",
        )
        with running_prometheus("prometheus3", tmp_path, config=config) as server:
            until(lambda: "415" in server.log.read_text(encoding="utf-8"), "the refusal in its log")
    assert sink.samples() == []


def provider(url: str, exporter: OTLPMetricExporter, *views: View) -> MeterProvider:
    """An SDK that exports when it is flushed."""
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource({"service.name": "checkout", "service.instance.id": "a"})
    return MeterProvider([reader], resource=resource, views=views)


def exporter_to(url: str, temporality: AggregationTemporality) -> OTLPMetricExporter:
    """As a service configures it."""
    return OTLPMetricExporter(
        endpoint=f"{url}/v1/metrics",
        compression=Compression.Gzip,
        preferred_temporality={Counter: temporality, Histogram: temporality},
    )


@pytest.mark.parametrize(
    ("temporality", "kind", "values"),
    [
        (AggregationTemporality.CUMULATIVE, SeriesKind.CUMULATIVE, [3.0, 8.0]),
        (AggregationTemporality.DELTA, SeriesKind.DELTA, [3.0, 5.0]),
    ],
    ids=["cumulative", "delta"],
)
def test_the_sdk_is_understood(
    temporality: AggregationTemporality, kind: SeriesKind, values: list[float]
) -> None:
    """Counters of both temporalities, an up-down counter, a gauge and a histogram."""
    with receiving() as (url, sink):
        sdk = provider(url, exporter_to(url, temporality))
        meter = sdk.get_meter("shop", "1.2")
        requests = meter.create_counter("http.requests", unit="{request}")
        waiting = meter.create_up_down_counter("queue.waiting")
        seconds = meter.create_histogram("http.server.request.duration", unit="s")
        for step in (3, 5):
            requests.add(step, {"http.route": "/cart"})
            waiting.add(step)
            seconds.record(0.3 * step)
            assert sdk.force_flush()
        sdk.shutdown()
    counted = [(i, v) for i, _, v in sink.samples() if i.name == "http_requests_total"]
    assert [value for _, value in counted][:2] == values
    assert {info.kind for info, _ in counted} == {kind}
    labels = dict(counted[0][0].labels)
    assert labels["job"] == labels["service_name"] == "checkout"
    assert (labels["instance"], labels["http_route"]) == ("a", "/cart")
    assert [v for _, v in sink.of("queue_waiting")][:2] == [3.0, 8.0]
    buckets = [i for i in sink.series["default"] if i.name.endswith("duration_seconds_bucket")]
    assert {info.kind for info in buckets} == {kind}
    assert "+Inf" in {dict(info.labels)["le"] for info in buckets}


def test_exponential_histograms_of_the_sdk_are_told_at_powers_of_two() -> None:
    """Counts at a power of two are exact, whatever the scale."""
    view = View(
        instrument_name="latency", aggregation=ExponentialBucketHistogramAggregation(max_size=40)
    )
    seen = [0.3, 0.6, 0.7, 1.5, 3.0, 3.5, 4.0, 9.0]
    with receiving() as (url, sink):
        sdk = provider(url, exporter_to(url, AggregationTemporality.CUMULATIVE), view)
        latency = sdk.get_meter("shop").create_histogram("latency", unit="s")
        for value in seen:
            latency.record(value)
        assert sdk.force_flush()
        sdk.shutdown()
    told = {
        float(dict(info.labels)["le"]): value
        for info, _, value in sink.samples()
        if info.name == "latency_seconds_bucket"
    }
    assert {1.0, 2.0, 4.0, 8.0, float("inf")} <= set(told)
    assert all(count == sum(v <= bound for v in seen) for bound, count in told.items())
    assert sink.of("latency_seconds_count")[0][1] == len(seen)


def test_the_sdk_comes_again_after_a_full_queue() -> None:
    """429 with Retry-After: the exporter waits and delivers, once."""
    with receiving() as (url, sink):
        exporter = exporter_to(url, AggregationTemporality.CUMULATIVE)
        sdk = provider(url, exporter)
        sdk.get_meter("shop").create_counter("orders").add(7)
        sink.is_full = True
        opened = _open_after(sink, refusals=1)
        assert sdk.force_flush(30_000)
        opened()
        assert [value for _, value in sink.of("orders_total")] == [7.0]
        sdk.shutdown()


def _open_after(sink: MemorySink, *, refusals: int) -> Callable[[], None]:
    """Make room once so many were sent away."""

    def watch() -> None:
        until(lambda: sink.refusals >= refusals, "a refusal")
        sink.is_full = False

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread.join
