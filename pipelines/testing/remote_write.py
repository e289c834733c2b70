"""A sender of remote write: requests made by the protobuf library, from the published schema.

https://github.com/prometheus/prometheus/blob/main/prompb/remote.proto and types.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["Series", "message", "request", "snapped"]

# Labels, then samples as (value, unix milliseconds).
Series = tuple[Mapping[str, str], Sequence[tuple[float, int]]]

_PACKAGE = "serinus.testing.prometheus"
_SCHEMA = {
    "Label": ("name 1 string", "value 2 string"),
    "Sample": ("value 1 double", "timestamp 2 int64"),
    "Exemplar": ("labels 1 Label*", "value 2 double", "timestamp 3 int64"),
    "BucketSpan": ("offset 1 sint32", "length 2 uint32"),
    "Histogram": (
        "count_int 1 uint64",
        "count_float 2 double",
        "sum 3 double",
        "schema 4 sint32",
        "zero_threshold 5 double",
        "zero_count_int 6 uint64",
        "zero_count_float 7 double",
        "negative_spans 8 BucketSpan*",
        "negative_deltas 9 sint64*",
        "negative_counts 10 double*",
        "positive_spans 11 BucketSpan*",
        "positive_deltas 12 sint64*",
        "positive_counts 13 double*",
        "reset_hint 14 uint32",
        "timestamp 15 int64",
        "custom_values 16 double*",
    ),
    "TimeSeries": (
        "labels 1 Label*",
        "samples 2 Sample*",
        "exemplars 3 Exemplar*",
        "histograms 4 Histogram*",
    ),
    "MetricMetadata": (
        "type 1 uint32",
        "metric_family_name 2 string",
        "help 4 string",
        "unit 5 string",
    ),
    "WriteRequest": ("timeseries 1 TimeSeries*", "metadata 3 MetricMetadata*"),
}


@cache
def message(name: str) -> Any:  # noqa: ANN401 - made from a schema at run time
    """The class of a message of `prompb`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def request(series: Iterable[Series]) -> bytes:
    """A write request, as it is before it is packed; labels are sorted as senders must."""
    write = message("WriteRequest")()
    for labels, samples in series:
        told = write.timeseries.add()
        for name in sorted(labels):
            told.labels.add(name=name, value=labels[name])
        for value, at in samples:
            told.samples.add(value=value, timestamp=at)
    body: bytes = write.SerializeToString()
    return body


def snapped(body: bytes) -> bytes:
    """Packed as a snappy block."""
    return bytes(cramjam.snappy.compress_raw(body))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name="serinus/testing/prometheus.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _SCHEMA.items():
        told = file.message_type.add(name=name)
        for line in fields:
            _add_field(told, *line.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add_field(told: descriptor_pb2.DescriptorProto, name: str, number: str, kind: str) -> None:
    plain = kind.removesuffix("*")
    field = told.field.add(name=name, number=int(number))
    is_repeated = kind.endswith("*")
    field.label = field.LABEL_REPEATED if is_repeated else field.LABEL_OPTIONAL
    if plain in _SCHEMA:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
    else:
        field.type = field.Type.Value(f"TYPE_{plain.upper()}")
