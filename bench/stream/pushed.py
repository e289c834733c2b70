"""Bodies as senders push them, of series with the labels that a service's series have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from pipelines.testing.remote_write import request

__all__ = ["AT", "columnar", "fleet_labels_of", "labels_of", "otlp", "remote_write"]

AT = 1_764_000_000_000
_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_OF_RESOURCE = ("service.name", "service.version", "k8s.namespace.name", "k8s.pod.name")
_POINTS = 20
_METRICS = 50


def labels_of(number: int) -> tuple[tuple[str, str], ...]:
    """The labels of a series, sorted."""
    pod = number // 40
    return (
        ("__name__", "http_requests_total"),
        ("code", "200"),
        ("instance", f"10.0.{pod // 250}.{pod % 250}:8080"),
        ("job", "checkout"),
        ("method", "GET"),
        ("namespace", "shop"),
        ("pod", f"checkout-5c4b8d6f7c-{pod:05d}"),
        ("route", f"/api/v1/orders/{number % 40}"),
    )


def fleet_labels_of(number: int) -> tuple[tuple[str, str], ...]:
    """Those of a pod's forty series, sorted: eighteen of requests and durations, others beside."""
    pod, which = divmod(number, 40)
    service = f"service-{pod % 400}"
    labels = {
        "instance": f"10.{pod >> 16 & 255}.{pod >> 8 & 255}.{pod & 255}:8080",
        "job": service,
        "namespace": f"team-{pod % 40}",
        "node": f"ip-10-0-{pod % 300}.eu-west-1.compute.internal",
        "pod": f"{service}-5c4b8d6f7c-{pod:05x}",
        "service": service,
    }
    if which < 12:
        bound = "+Inf" if which == 11 else f"{0.005 * 2**which:g}"
        own = {"__name__": "http_request_duration_seconds_bucket", "le": bound, "method": "GET"}
    elif which < 18:
        own = {"__name__": "http_requests_total", "code": f"{which - 13}00", "method": "GET"}
    else:
        own = {"__name__": f"process_thing_{which}_bytes", "container": "main"}
    return tuple(sorted((labels | own).items()))


def remote_write(
    series: int,
    *,
    first: int = 0,
    labels: Callable[[int], tuple[tuple[str, str], ...]] = labels_of,
) -> list[bytes]:
    """Requests of 2,000 samples, before they are packed, of series from a number on."""
    stop = first + series
    return [
        request((dict(labels(n)), [(n + 0.5, AT)]) for n in range(start, min(start + 2_000, stop)))
        for start in range(first, stop, 2_000)
    ]


def columnar(series: int) -> list[bytes]:
    """Messages of 500 samples of as many series."""
    return [_columns(start) for start in range(0, series, 500)]


def _columns(start: int) -> bytes:
    table = [
        SeriesInfo(labels=labels_of(n), kind=SeriesKind.CUMULATIVE)
        for n in range(start, start + 500)
    ]
    places = np.arange(500, dtype=np.int32)
    at = np.full(500, AT, dtype=np.int64)
    return packed(table, Columns(series=places, at=at, value=np.arange(500.0) + 0.5))


def otlp(points: int) -> tuple[list[bytes], int]:
    """Export requests of one resource, and how many points each has."""
    each = _METRICS * _POINTS
    return [_export(pod) for pod in range(points // each)], each


def _export(pod: int) -> bytes:
    told = ExportMetricsServiceRequest()
    resource = told.resource_metrics.add()
    for name in _OF_RESOURCE:
        _add(resource.resource.attributes, name, f"{name}-{pod}")
    scope = resource.scope_metrics.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.http", "1.2.3"
    for number in range(_METRICS):
        metric = scope.metrics.add(name=f"http.server.thing{number}", unit="s")
        metric.description = "what is measured, in a sentence of usual length"
        for point in _points(metric, number % 10):
            _fill(point)
    packed: bytes = told.SerializeToString()
    return packed


def _points(metric: Any, which: int) -> Iterator[tuple[Any, int]]:  # noqa: ANN401
    """Six sums, two gauges and two histograms of ten metrics."""
    if which < 8:
        kind = metric.sum if which < 6 else metric.gauge
        for place in range(_POINTS):
            yield kind.data_points.add(as_double=place + 0.5), place
    else:
        for place in range(_POINTS):
            counts = [1] * (len(_BOUNDS) + 1)
            point = metric.histogram.data_points.add(count=len(counts), sum=3.5)
            point.bucket_counts.extend(counts)
            point.explicit_bounds.extend(_BOUNDS)
            yield point, place
    if which < 6:
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
    elif which >= 8:
        metric.histogram.aggregation_temporality = 2


def _fill(told: tuple[Any, int]) -> None:
    point, place = told
    point.start_time_unix_nano, point.time_unix_nano = (AT - 3_600_000) * 10**6, AT * 10**6
    _add(point.attributes, "http.request.method", "GET")
    _add(point.attributes, "http.response.status_code", "200")
    _add(point.attributes, "http.route", f"/api/v1/orders/{place}")


def _add(attributes: Any, key: str, value: str) -> None:  # noqa: ANN401
    attributes.add(key=key).value.string_value = value
