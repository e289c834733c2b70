"""OTLP traces in JSON, as the same request in protobuf.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hexadecimal, enums are
integers, 64-bit integers strings or numbers, unknown fields are passed over.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pipelines.ingest.decoded import broken

__all__ = ["protobuf_of"]

# What of a span is read.
_IDS = ("traceId", "spanId", "parentSpanId")
_FIELDS = (*_IDS, "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status")


def protobuf_of(body: bytes) -> bytes:
    """The request as protobuf, without what of a span is not read: its events and links."""
    try:
        tree = msgspec.json.decode(body)
        request = ParseDict(_read(tree), ExportTraceServiceRequest(), ignore_unknown_fields=True)
        packed: bytes = request.SerializeToString()
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise broken(f"the body is not JSON: {error}") from error
    except (ParseError, AttributeError, TypeError, ValueError) as error:
        raise broken(f"the body is no OTLP traces request: {str(error)[:200]}") from error
    return packed


def _read(tree: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever was sent
    """The parts of a request that are read."""
    return {
        "resourceSpans": [
            {
                "resource": one.get("resource") or {},
                "scopeSpans": [
                    {"spans": [_span(span) for span in _many(scope, "spans")]}
                    for scope in _many(one, "scopeSpans")
                ],
            }
            for one in _many(tree, "resourceSpans")
        ]
    }


def _span(span: dict[str, Any]) -> dict[str, Any]:
    kept = {name: span[name] for name in _FIELDS if span.get(name) is not None}
    return kept | {name: _bytes(kept[name]) for name in _IDS if name in kept}


def _bytes(id: Any) -> str:  # noqa: ANN401
    """Hexadecimal as the library reads bytes; what is none of it is no id."""
    if not isinstance(id, str):
        raise TypeError("ids must be text")
    try:
        return base64.b64encode(binascii.unhexlify(id)).decode()
    except ValueError:
        return ""


def _many(tree: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401
    if not isinstance(tree, dict):
        raise TypeError(f"what holds {name} must be an object")
    found = tree.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise TypeError(f"{name} must be a list of objects")
    return found
