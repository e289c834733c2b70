"""Requests of traces, and what the library of protobuf reads in them: what their tests share."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from detector.spans.columns import SpanKind
from detector.spans.naming import Told
from pipelines.ingest.decoded import Window
from pipelines.ingest.spans.decoded import Decoded
from pipelines.ingest.spans.otlp import Otlp

__all__ = [
    "NOW_MS",
    "OPEN",
    "attributes",
    "decoded",
    "in_json",
    "request_of",
    "requests",
    "span_of",
]

NOW_MS = 1_764_000_000_000
OPEN = Window(oldest=0, newest=2 * NOW_MS)
# Names that tell something, in their order of preference, by the field that they fill.
FIELDS = {
    "method": ("http.request.method", "http.method"),
    "route": ("http.route",),
    "template": ("url.template",),
    "rpc_system": ("rpc.system.name", "rpc.system"),
    "rpc_service": ("rpc.service",),
    "rpc_method": ("rpc.method",),
    "db_system": ("db.system.name", "db.system"),
    "db_summary": ("db.query.summary",),
    "db_operation": ("db.operation.name", "db.operation"),
    "db_collection": (
        "db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table",
    ),
    "db_namespace": ("db.namespace", "db.name"),
    "messaging_system": ("messaging.system",),
    "destination": (
        "messaging.destination.template", "messaging.destination.name", "messaging.destination",
    ),
    "messaging_operation": (
        "messaging.operation.name", "messaging.operation.type", "messaging.operation",
    ),
    "peer": ("service.peer.name", "peer.service"),
    "address": ("server.address", "net.peer.name", "net.host.name"),
}  # fmt: skip
WORDS = st.text(max_size=12) | st.sampled_from(
    ["GET", "/orders/{id}", "orders", "x" * 300, "é" * 200]
)
KEYS = st.sampled_from(
    [*(name for names in FIELDS.values() for name in names), "thread.id", "é", ""]
)


def attributes(**told: object) -> dict[str, object]:
    """Attributes whose dots are underscores here: `http__route` for `http.route`."""
    return {name.replace("__", "."): value for name, value in told.items()}


def span_of(told: Mapping[str, object] | None = None, **fields: Any) -> Span:  # noqa: ANN401
    """A span with ids and times, unless they are told."""
    usual = {
        "trace_id": bytes(15) + b"\x01",
        "span_id": bytes(7) + b"\x02",
        "start_time_unix_nano": NOW_MS * 10**6,
        "end_time_unix_nano": NOW_MS * 10**6 + 1_000,
    }
    span = Span(**{**usual, **fields})
    for key, value in (told or {}).items():
        pair = span.attributes.add(key=key)
        match value:
            case int():
                pair.value.int_value = value
            case str():
                pair.value.string_value = value
    return span


def request_of(*spans: Span, **resource: str) -> ExportTraceServiceRequest:
    """A request of one resource; `service_name` for `service.name`."""
    request = ExportTraceServiceRequest()
    one = request.resource_spans.add()
    for key, value in resource.items():
        one.resource.attributes.add(key=key.replace("_", ".")).value.string_value = value
    one.scope_spans.add().spans.extend(spans)
    return request


def decoded(request: ExportTraceServiceRequest, window: Window = OPEN) -> Decoded:
    """What a new door makes of it."""
    return Otlp().decode(request.SerializeToString(), window, NOW_MS)


def in_json(request: ExportTraceServiceRequest) -> bytes:
    """As the specification has it: ids in hexadecimal, which the library writes in base64."""
    tree = MessageToDict(request, use_integers_for_enums=True)
    for resource in tree.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                for name in {"traceId", "spanId", "parentSpanId"} & set(span):
                    span[name] = base64.b64decode(span[name]).hex()
    return json.dumps(tree).encode()


def told_by_library(span: Span) -> Told:
    """What attributes tell, read by the library; texts alone, the last of a name."""
    kind = SpanKind(span.kind) if span.kind <= 5 else SpanKind.UNSPECIFIED
    texts = {
        pair.key: pair.value.string_value
        for pair in span.attributes
        if pair.value.WhichOneof("value") == "string_value" and pair.value.string_value
    }
    found = {
        field: next((texts[name] for name in names if name in texts), "")
        for field, names in FIELDS.items()
    }
    return Told(kind=kind, name=span.name, **found)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Any span."""
    span = Span(
        trace_id=draw(
            st.sampled_from([bytes(16), bytes(15), b"t" * 16]) | st.binary(min_size=16, max_size=16)
        ),
        span_id=draw(st.sampled_from([b"", bytes(8)]) | st.binary(min_size=8, max_size=8)),
        parent_span_id=draw(st.sampled_from([b"", b"abc"]) | st.binary(min_size=8, max_size=8)),
        name=draw(WORDS),
        kind=cast("Span.SpanKind.ValueType", draw(st.integers(0, 6))),
        start_time_unix_nano=draw(st.integers(0, 2**64 - 1)),
        end_time_unix_nano=draw(st.integers(0, 2**64 - 1)),
        trace_state=draw(st.text(max_size=3)),
        flags=draw(st.integers(0, 2**32 - 1)),
    )
    if draw(st.booleans()):
        span.status.code = cast("Status.StatusCode.ValueType", draw(st.integers(0, 3)))
        span.status.message = draw(st.text(max_size=3))
    for key in draw(st.lists(KEYS, max_size=8)):
        pair = span.attributes.add(key=key)
        match draw(st.integers(0, 3)):
            case 0:
                pair.value.int_value = draw(st.integers(-5, 700))
            case 1:
                pair.value.array_value.values.add(string_value="in a list")
            case _:
                pair.value.string_value = draw(WORDS)
    if draw(st.booleans()):
        span.events.add(name="exception").attributes.add(key="http.route").value.string_value = "no"
        span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8)
    return span


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    """Any request."""
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        one = request.resource_spans.add()
        for key in draw(
            st.lists(st.sampled_from(["service.name", "service.version"]), unique=True)
        ):
            one.resource.attributes.add(key=key).value.string_value = draw(st.text(max_size=4))
        for _ in range(draw(st.integers(0, 2))):
            one.scope_spans.add().spans.extend(draw(st.lists(spans(), max_size=3)))
    return request
