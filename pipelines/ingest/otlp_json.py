"""OTLP metrics in JSON, as the same request in protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from pipelines.ingest.decoded import Decoded, Dropped, Window
from pipelines.ingest.interning import Interner
from pipelines.ingest.otlp import Otlp
from pipelines.ingest.otlp_tree import many, packed_tree

__all__ = ["OtlpJson", "protobuf_of"]

_TYPES = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


class OtlpJson:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner) -> None:
        self._protobuf = Otlp(interner)

    def decode(self, body: bytes, window: Window) -> Decoded:
        """As `Otlp.decode`."""
        packed, exemplars = protobuf_of(body)
        decoded = self._protobuf.decode(packed, window)
        if not exemplars:
            return decoded
        return replace(decoded, dropped={**decoded.dropped, Dropped.EXEMPLARS: exemplars})

    def memory(self) -> bytes:
        """What was learned beside the series."""
        return self._protobuf.memory()

    def recall(self, memory: bytes) -> None:
        """Go on from there."""
        self._protobuf.recall(memory)


def protobuf_of(body: bytes) -> tuple[bytes, int]:
    """The request as protobuf, without its exemplars, and how many those were."""
    return packed_tree(body, ExportMetricsServiceRequest(), _exemplars_of, "OTLP metrics request")


def _exemplars_of(tree: Any) -> int:  # noqa: ANN401 - whatever was sent
    return sum(_without_exemplars(point) for point in _points(tree))


def _points(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Every data point; `TypeError` for what the library would take for an empty message."""
    for resource in many(tree, "resourceMetrics"):
        for scope in many(resource, "scopeMetrics"):
            for metric in many(scope, "metrics"):
                for kind in _TYPES:
                    yield from many(metric.get(kind) or {}, "dataPoints")


def _without_exemplars(point: dict[str, Any]) -> int:
    """Their ids are hexadecimal here, which the library would read as something else."""
    found = point.pop("exemplars", None)
    return len(found) if isinstance(found, list) else 0
