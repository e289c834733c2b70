"""OTLP metrics in JSON, as the same request in protobuf.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, enums as
integers, 64-bit integers as strings or numbers, unknown fields passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from pipelines.ingest.decoded import Decoded, Dropped, Window, broken
from pipelines.ingest.interning import Interner
from pipelines.ingest.otlp import Otlp

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
    try:
        tree = msgspec.json.decode(body)
        exemplars = sum(_without_exemplars(point) for point in _points(tree))
        request = ParseDict(tree, ExportMetricsServiceRequest(), ignore_unknown_fields=True)
        packed: bytes = request.SerializeToString()
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise broken(f"the body is not JSON: {error}") from error
    except (ParseError, AttributeError, TypeError, ValueError) as error:
        raise broken(f"the body is no OTLP metrics request: {str(error)[:200]}") from error
    return packed, exemplars


def _points(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - whatever was sent
    """Every data point; `TypeError` for what the library would take for an empty message."""
    for resource in _many(tree, "resourceMetrics"):
        for scope in _many(resource, "scopeMetrics"):
            for metric in _many(scope, "metrics"):
                for kind in _TYPES:
                    yield from _many(metric.get(kind) or {}, "dataPoints")


def _many(tree: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401
    if not isinstance(tree, dict):
        raise TypeError(f"what holds {name} must be an object")
    found = tree.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise TypeError(f"{name} must be a list of objects")
    return found


def _without_exemplars(point: dict[str, Any]) -> int:
    """Their ids are hexadecimal here, which the library would read as something else."""
    found = point.pop("exemplars", None)
    return len(found) if isinstance(found, list) else 0
