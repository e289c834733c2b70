"""Spans of a pod of the demo shop, sent as an SDK of OpenTelemetry does: batches over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from api.demo.calls import Call
from api.demo.web import content_length

__all__ = ["Passage", "Traces"]

# As often as metrics are scraped.
EVERY_S = 1.0
ANSWER_WITHIN_S = 2.0
MOST_WAITING = 2048
_HEAD = (
    "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
    "Content-Type: application/x-protobuf\r\nContent-Length: {length}\r\n\r\n"
)
Attributes = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A call on the way of a request: from when to when (unix nanoseconds)."""

    call: Call
    start: int
    end: int
    failed: bool = False


class Traces:
    """Gathers the spans of one pod, and sends them; what finds no room or no door is lost.

    `waiting` are those that are not sent yet.
    """

    def __init__(
        self, port: int, *, pod: str, version: str, namespace: str, draw: random.Random
    ) -> None:
        self.port = port
        self._draw = draw
        of = (
            ("service.name", pod.rsplit("-", 2)[0]),
            ("service.version", version),
            ("service.namespace", namespace),
            ("k8s.namespace.name", namespace),
            ("k8s.pod.name", pod),
        )
        self._resource = Resource(attributes=_attributes(of))
        self.waiting: list[Span] = []

    def add(
        self, method: str, path: str, times: tuple[int, int], status: int, way: Sequence[Passage]
    ) -> None:
        """A request that was served from one time to another (unix nanoseconds)."""
        if len(self.waiting) >= MOST_WAITING:
            return
        trace, root = self._draw.randbytes(16), self._draw.randbytes(8)
        route = (("http.request.method", method), ("http.route", path))
        of = _attributes((*route, ("http.response.status_code", status)))
        whole = _span(f"{method} {path}", Span.SPAN_KIND_SERVER, *times, status == 500)
        whole.attributes.extend(of)
        whole.trace_id, whole.span_id = trace, root
        self.waiting.append(whole)
        for one in way:
            part = _span(one.call.name, Span.SPAN_KIND_CLIENT, one.start, one.end, one.failed)
            part.attributes.extend(_attributes(one.call.of))
            part.trace_id, part.span_id, part.parent_span_id = trace, self._draw.randbytes(8), root
            self.waiting.append(part)

    async def send(self) -> None:
        """Send what waits, over and over, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            spans, self.waiting = self.waiting, []
            if spans:
                with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                    await self._post(self.packed(spans))

    def packed(self, spans: Sequence[Span]) -> bytes:
        """Spans as a message of OTLP."""
        data = TracesData()
        of = data.resource_spans.add(resource=self._resource)
        of.scope_spans.add(spans=spans)
        body: bytes = data.SerializeToString()
        return body

    async def _post(self, body: bytes) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(_HEAD.format(port=self.port, length=len(body)).encode() + body)
                answered = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(content_length(answered))
            finally:
                writer.close()


def _span(name: str, kind: Span.SpanKind.ValueType, start: int, end: int, failed: bool) -> Span:
    span = Span(name=name, kind=kind, start_time_unix_nano=start, end_time_unix_nano=end)
    if failed:
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _attributes(of: Attributes) -> list[KeyValue]:
    made = []
    for key, value in of:
        one = KeyValue(key=key)
        if isinstance(value, int):
            one.value.int_value = value
        else:
            one.value.string_value = value
        made.append(one)
    return made
