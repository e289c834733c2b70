"""OpenTelemetry traces: an export request's bytes to columns. A known shape decodes no attribute.

https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

import os

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.spans.columns import Spans
from pipelines.ingest.decoded import Refused, Window, broken
from pipelines.ingest.spans.decoded import Decoded, Oddity, SpanRefusal
from pipelines.ingest.spans.origins import Origins
from pipelines.ingest.spans.scan import Found, scan
from pipelines.ingest.spans.scan_span import Held
from pipelines.ingest.spans.shapes import Named

__all__ = ["LONGEST_NS", "Otlp"]

_WORDS = "the body is no protobuf of an OTLP traces request"
_NS = 1_000_000
# What claims to have taken longer counts as a day: sums of such times would mean nothing.
LONGEST_NS = 86_400 * 10**9


class Otlp:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self) -> None:
        self._named = Named(int.from_bytes(os.urandom(8), "little"))
        self._origins = Origins()

    def decode(self, body: bytes, window: Window, taken: int) -> Decoded:
        """The spans of an unpacked request; `InputError` where it is none.

        `taken`: now, in unix milliseconds.
        """
        body, found = self._found(body)
        held, refused = found.spans, Refused()
        keep = _kept(held, window, refused)
        if not keep.all():
            held = Held._make(column[keep] for column in held)
        return self._decoded(body, found.resources, held, refused, taken)

    def _decoded(
        self,
        body: bytes,
        resources: NDArray[np.int64],
        held: Held,
        refused: Refused,
        taken: int,
    ) -> Decoded:
        names = self._named.of(held.shape)
        origins, origin = self._origins.of(body, resources, held.resource)
        duration = held.end - held.start
        oddities = {
            Oddity.NEGATIVE_DURATION: int((duration < 0).sum()),
            Oddity.LONG_DURATION: int((duration > LONGEST_NS).sum()),
            Oddity.UNNAMED_SERVICE: self._origins.unnamed,
            Oddity.TOO_MANY_NAMES: int((held.shape < 0).sum()),
        }
        spans = Spans(
            trace=held.trace,
            span=held.span,
            parent=held.parent,
            start=held.start,
            duration=np.clip(duration, 0, LONGEST_NS),
            kind=held.kind,
            status=held.status,
            operation=names.operation,
            peer=names.peer,
            origin=origin,
            operations=names.operations,
            peers=names.peers,
            origins=origins,
            taken=taken,
        )
        dropped = {what: count for what, count in oddities.items() if count}
        return Decoded(spans=spans, refused=refused, dropped=dropped)

    def _found(self, body: bytes) -> tuple[bytes, Found]:
        """What is in a body; the library puts fields into order for one that has them in another.

        Where shapes had no room any more, all are forgotten, and read again.
        """
        found = scan(body, self._named.shapes)
        if found is not None and found.is_apart:
            body = _ordered(body)
            found = scan(body, self._named.shapes)
        if found is None or found.is_apart:
            raise broken(_WORDS)
        if self._named.is_full and (found.spans.shape < 0).any():
            self._named.forget()
            return body, scan(body, self._named.shapes) or found
        return body, found


def _kept(held: Held, window: Window, refused: Refused) -> NDArray[np.bool_]:
    """Which spans are taken; the others are counted."""
    at = held.start // _NS
    late, early = at < window.oldest, at > window.newest
    bad = ~held.has_ids
    refused.add(SpanRefusal.IDS, int(bad.sum()), "a span has no trace id or no span id")
    words = "a span began before what is taken: check the sender's clock"
    refused.add(SpanRefusal.TOO_OLD, int((late & ~bad).sum()), words)
    words = "a span began in the future: check the sender's clock"
    refused.add(SpanRefusal.IN_THE_FUTURE, int((early & ~bad).sum()), words)
    kept: NDArray[np.bool_] = ~(bad | late | early)
    return kept


def _ordered(body: bytes) -> bytes:
    try:
        ordered: bytes = ExportTraceServiceRequest.FromString(body).SerializeToString()
    except DecodeError as error:
        raise broken(_WORDS) from error
    return ordered
