"""OTLP metrics as bytes: what the library encodes is what is read, known or new."""

from __future__ import annotations

import gzip
import json
import struct
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from detector.errors import InputError
from detector.stream.columns import SeriesKind, is_stale
from pipelines.ingest.decoded import Dropped, Refusal
from pipelines.ingest.protocol import Door, Packing
from tests.pipelines.ingest.doorways import GOLDEN, NOW_MS, Doorway

NOW_NS = NOW_MS * 10**6
DELTA, CUMULATIVE = 1, 2
WORDS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=6)
ATTRIBUTES = st.dictionaries(st.sampled_from(["a", "b", "c.d", "e_f"]), WORDS, max_size=3)


class Export:
    """A request with one scope, built metric by metric."""

    def __init__(self, **resource: str) -> None:
        self.request = ExportMetricsServiceRequest()
        told = self.request.resource_metrics.add()
        attribute(told.resource, {name.replace("_", "."): v for name, v in resource.items()})
        self.scope = told.scope_metrics.add()

    def metric(self, kind: str, name: str = "m", temporality: int = 0, **more: Any) -> Any:  # noqa: ANN401
        """The points of a new metric."""
        metric = self.scope.metrics.add(name=name, unit=more.pop("unit", ""))
        told = getattr(metric, kind)
        told.SetInParent()
        if temporality:
            told.aggregation_temporality = temporality
        for key, value in more.items():
            setattr(told, key, value)
        return told.data_points

    @property
    def body(self) -> bytes:
        """As it is pushed."""
        packed: bytes = self.request.SerializeToString()
        return packed


def attribute(owner: Any, values: dict[str, str]) -> None:  # noqa: ANN401
    """Set attributes."""
    for key, value in values.items():
        owner.attributes.add(key=key).value.string_value = value


def taken(export: Export) -> Doorway:
    """The door after one request."""
    door = Doorway()
    assert not door.take(Door.OTLP, export.body).refused.total
    return door


@given(st.lists(st.tuples(ATTRIBUTES, st.floats()), max_size=8))
def test_numbers_come_through_bit_by_bit_known_or_new(
    points: list[tuple[dict[str, str], float]],
) -> None:
    """In the order of the request, the same the second time."""
    export = Export(service_name="shop")
    told = export.metric("gauge")
    for attributes, value in points:
        attribute(told.add(time_unix_nano=NOW_NS, as_double=value), attributes)
    door = Doorway()
    first, second = (door.take(Door.OTLP, export.body).columns for _ in range(2))
    assert first.value.tobytes() == b"".join(struct.pack("<d", value) for _, value in points)
    assert first.series.tolist() == second.series.tolist()
    apart = {tuple(sorted(attributes.items())) for attributes, _ in points}
    assert len(set(first.series.tolist())) == len(apart)


@given(st.binary(max_size=200))
def test_any_bytes_are_columns_or_an_error(body: bytes) -> None:
    """Neither of the two readers lets another error out."""
    for door in (Door.OTLP, Door.OTLP_JSON):
        with suppress(InputError):
            Doorway().take(door, body)


def everything() -> Export:
    """A request with a metric of each type."""
    export = Export(service_name="shop", service_namespace="eu", service_instance_id="7")
    export.scope.scope.name = "lib"
    export.metric("gauge", "g").add(time_unix_nano=NOW_NS, as_int=-3)
    sums = export.metric("sum", "s", CUMULATIVE, is_monotonic=True, unit="By")
    point = sums.add(time_unix_nano=NOW_NS, as_double=2.5)
    attribute(point, {"http.route": "/x"})
    point.exemplars.add(as_double=1.0, trace_id=b"\x01" * 16)
    export.metric("histogram", "h", CUMULATIVE, unit="s").add(
        time_unix_nano=NOW_NS, count=6, sum=4.5, min=0.1, max=3.0,
        bucket_counts=[1, 2, 3], explicit_bounds=[0.5, 1.0],
    )  # fmt: skip
    spread = export.metric("exponential_histogram", "e", DELTA)
    told = spread.add(time_unix_nano=NOW_NS, count=7, sum=9.0, scale=1, zero_count=1)
    told.positive.offset = -1
    told.positive.bucket_counts.extend([1, 2, 3])
    quantiles = export.metric("summary", "q").add(time_unix_nano=NOW_NS, count=5, sum=2.0)
    quantiles.quantile_values.add(quantile=0.5, value=0.4)
    return export


EVERYTHING = {
    "g": -3.0,
    "s_bytes_total": 2.5,
    "h_seconds_count": 6.0,
    "h_seconds_sum": 4.5,
    'h_seconds_bucket{le="0.5"}': 1.0,
    'h_seconds_bucket{le="1"}': 3.0,
    'h_seconds_bucket{le="+Inf"}': 6.0,
    "e_count": 7.0,
    "e_sum": 9.0,
    'e_bucket{le="0.5"}': 1.0,
    'e_bucket{le="1"}': 2.0,
    'e_bucket{le="2"}': 7.0,
    'e_bucket{le="+Inf"}': 7.0,
    "q_count": 5.0,
    "q_sum": 2.0,
    'q{quantile="0.5"}': 0.4,
}


def test_every_type_of_metric_is_told_in_classic_series() -> None:
    """With the names that Prometheus gives them."""
    door = taken(everything())
    assert door.shown() == EVERYTHING
    labels = dict(next(i for i in door.sink.series["default"] if i.name[0] == "s").labels)
    assert (labels["job"], labels["instance"], labels["http_route"]) == ("eu/shop", "7", "/x")
    assert labels["otel_scope_name"] == "lib"
    kinds = {info.name: info.kind for info in door.sink.series["default"]}
    assert (kinds["g"], kinds["q"]) == (SeriesKind.GAUGE, SeriesKind.GAUGE)
    assert (kinds["e_count"], kinds["h_seconds_sum"]) == (SeriesKind.DELTA, SeriesKind.CUMULATIVE)


def test_json_and_protobuf_are_the_same_request() -> None:
    """64-bit integers as strings, ids of traces in hexadecimal, unknown fields passed over."""
    tree = MessageToDict(everything().request, use_integers_for_enums=True)
    tree["aFieldOfTomorrow"] = {"x": [1]}
    points = tree["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][1]["sum"]["dataPoints"]
    points[0]["exemplars"][0]["traceId"] = "5b8efff798038103d269b633813fc60c"
    door = Doorway()
    told = door.take(Door.OTLP_JSON, json.dumps(tree).encode())
    assert door.shown() == EVERYTHING
    assert told.dropped == {Dropped.EXEMPLARS: 1, Dropped.MIN_MAX: 2}
    assert len(door.sink.series["default"]) == len(EVERYTHING)


def test_fields_in_another_order_are_the_same_request() -> None:
    """A writer that puts time between attributes is rare, and allowed."""
    export = Export()
    point = export.metric("gauge").add(time_unix_nano=NOW_NS, as_double=4.0)
    attribute(point, {"a": "1"})
    early = point.SerializeToString()
    attribute(point, {"b": "2"})
    late = point.SerializeToString()
    second = late[len(early) :]
    moved = late[:0] + second + early
    apart = export.body.replace(late, moved[: len(second)] + early[:9] + moved[len(second) + 9 :])
    ordered, other = Doorway(), Doorway()
    ordered.take(Door.OTLP, export.body)
    other.take(Door.OTLP, apart)
    assert [i.labels for i in ordered.sink.series["default"]] == [
        i.labels for i in other.sink.series["default"]
    ]
    assert other.shown() == {"m": 4.0}


def test_a_point_without_a_recorded_value_ends_its_series() -> None:
    """Flag 1, as the collector's receivers write it for a target that has gone."""
    export = Export()
    export.metric("gauge").add(time_unix_nano=NOW_NS, flags=1)
    export.metric("histogram", "h", CUMULATIVE).add(
        time_unix_nano=NOW_NS, flags=1, bucket_counts=[0, 0], explicit_bounds=[1.0]
    )
    door = Doorway()
    columns = door.take(Door.OTLP, export.body).columns
    assert len(columns) == 4
    assert is_stale(columns.value).all()


@pytest.mark.parametrize(
    ("kind", "fields", "temporality", "reason"),
    [
        ("gauge", {}, 0, Refusal.NO_VALUE),
        ("gauge", {"as_double": 1.0, "time_unix_nano": 0}, 0, Refusal.TOO_OLD),
        ("gauge", {"as_double": 1.0, "time_unix_nano": 2**63}, 0, Refusal.IN_THE_FUTURE),
        ("sum", {"as_double": 1.0}, 0, Refusal.TEMPORALITY),
        ("histogram", {"bucket_counts": [1]}, 0, Refusal.TEMPORALITY),
        ("histogram", {"explicit_bounds": [1.0], "bucket_counts": [1]}, 2, Refusal.HISTOGRAM),
        ("histogram", {"explicit_bounds": [2, 1], "bucket_counts": [1] * 3}, 2, Refusal.HISTOGRAM),
        (
            "histogram",
            {"explicit_bounds": list(range(1001)), "bucket_counts": [1] * 1002},
            2,
            Refusal.HISTOGRAM,
        ),
        ("exponential_histogram", {"scale": 2**31 - 1}, 2, Refusal.HISTOGRAM),
    ],
    ids=["no-value", "past", "future", "sum", "histogram", "few", "order", "many", "scale"],
)  # fmt: skip
def test_a_point_that_cannot_be_meant_is_refused_by_name(
    kind: str, fields: dict[str, Any], temporality: int, reason: Refusal
) -> None:
    """The point beside it is taken."""
    export = Export()
    export.metric(kind, "bad", temporality).add(**{"time_unix_nano": NOW_NS, **fields})
    export.metric("gauge", "good").add(time_unix_nano=NOW_NS, as_double=1.0)
    door = Doorway()
    told = door.take(Door.OTLP, export.body)
    assert told.refused.counts == {reason: 1}
    assert door.shown() == {"good": 1.0}


def test_beyond_the_series_limit_points_are_refused_and_known_ones_go_on() -> None:
    """A histogram counts as one point."""
    door = Doorway(series=1)
    small, large = Export(), Export()
    small.metric("gauge").add(time_unix_nano=NOW_NS, as_double=1.0)
    large.metric("gauge").add(time_unix_nano=NOW_NS, as_double=2.0)
    large.metric("histogram", "h", DELTA).add(
        time_unix_nano=NOW_NS, bucket_counts=[1, 1], explicit_bounds=[1.0]
    )
    door.take(Door.OTLP, small.body)
    told = door.take(Door.OTLP, large.body)
    assert told.refused.counts == {Refusal.SERIES_LIMIT: 1}
    assert door.shown() == {"m": 2.0}


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_what_the_python_sdk_really_sent_is_read(temporality: str) -> None:
    """Bytes of its exporter."""
    door = Doorway(behind_s=10**9, ahead_s=10**9)
    body = (GOLDEN / f"opentelemetry-python.{temporality}.gz").read_bytes()
    assert not door.take(Door.OTLP, body, Packing.GZIP).refused.total
    shown = door.shown()
    assert (shown["http_requests_total"], shown["queue_waiting"]) == (3.0, 2.0)
    assert shown["http_server_request_duration_seconds_count"] == 3.0
    assert (shown['latency_seconds_bucket{le="4"}'], shown["latency_seconds_count"]) == (3.0, 4.0)
    assert gzip.decompress(body)
