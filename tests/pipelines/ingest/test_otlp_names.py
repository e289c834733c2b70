"""Names of OpenTelemetry as Prometheus has them."""

from __future__ import annotations

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from pipelines.ingest.otlp_names import attribute_labels, metric_name, resource_labels


@pytest.mark.parametrize(
    ("name", "unit", "kind", "told"),
    [
        ("http.server.request.duration", "s", "histogram", "http_server_request_duration_seconds"),
        ("http.requests", "{request}", "counter", "http_requests_total"),
        ("requests.total", "1", "counter", "requests_total"),
        ("total.bytes", "By", "counter", "bytes_total"),
        ("system.network.io", "By", "counter", "system_network_io_bytes_total"),
        ("disk.throughput", "MiBy/s", "gauge", "disk_throughput_mebibytes_per_second"),
        ("system.cpu.utilization", "1", "gauge", "system_cpu_utilization_ratio"),
        ("battery", "%", "gauge", "battery_percent"),
        ("duration_seconds", "s", "histogram", "duration_seconds"),
        ("3com.frames", "", "gauge", "_3com_frames"),
        ("größe", "", "gauge", "gr_e"),
        ("...", "", "gauge", ""),
    ],
)
def test_a_metric_has_the_name_that_prometheus_gives_it(
    name: str, unit: str, kind: str, told: str
) -> None:
    """Packs and people find it under one name, by whatever way it came."""
    is_counter, is_gauge = kind == "counter", kind == "gauge"
    assert metric_name(name, unit, is_counter=is_counter, is_gauge=is_gauge) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (AnyValue(string_value="x"), "x"),
        (AnyValue(bool_value=True), "true"),
        (AnyValue(int_value=-7), "-7"),
        (AnyValue(double_value=0.5), "0.5"),
        (AnyValue(bytes_value=b"\x00\x01"), "AAE="),
        (AnyValue(), ""),
    ],
    ids=["string", "bool", "int", "double", "bytes", "nothing"],
)
def test_a_value_of_any_type_is_a_word(value: AnyValue, told: str) -> None:
    """Labels have no other."""
    assert attribute_labels([KeyValue(key="a", value=value)]) == {"a": told}


def test_lists_and_maps_are_json() -> None:
    """Keys in order, so that the same value is the same label."""
    value = AnyValue()
    for key in ("b", "a"):
        value.kvlist_value.values.add(key=key).value.int_value = 1
    listed = AnyValue()
    listed.array_value.values.add().string_value = "x"
    pairs = [KeyValue(key="map", value=value), KeyValue(key="list", value=listed)]
    assert attribute_labels(pairs) == {"map": '{"a":1,"b":1}', "list": '["x"]'}


def test_attributes_that_become_one_label_are_joined() -> None:
    """In the order of their keys, whatever the order they came in."""
    pairs = [KeyValue(key=key, value=AnyValue(string_value=key)) for key in ("a_b", "a.b", "1x")]
    assert attribute_labels(pairs) == {"a_b": "a.b;a_b", "key_1x": "1x"}


def test_a_resource_says_whose_series_they_are() -> None:
    """`job` and `instance` as Prometheus makes them, beside all that the resource has."""
    resource = Resource()
    named = {"service.name": "shop", "service.namespace": "eu", "service.instance.id": "7"}
    for key, value in named.items():
        resource.attributes.add(key=key).value.string_value = value
    assert resource_labels(resource.SerializeToString()) == {
        "job": "eu/shop",
        "instance": "7",
        "service_name": "shop",
        "service_namespace": "eu",
        "service_instance_id": "7",
    }
