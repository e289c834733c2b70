"""`/api/v1/write` and `/v1/columns`: remote write and columns, answered as senders expect.

What is answered decides what a sender does: 5xx is sent again, any other 4xx than 429 never.
https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.context import In
from api.problems import problem
from api.receiving import PACKINGS, RETRY_AFTER_S, receiver_of
from pipelines.ingest.decoded import BodyTooLargeError, Decoded, FullError
from pipelines.ingest.protocol import Door, Packing

if TYPE_CHECKING:
    from api.receiving import MetricReceiver

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_PROTOBUF = "application/x-protobuf"
_SECOND = "io.prometheus.write.v2.request"
_MSGPACK = {"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"}
# Prometheus with its kin, and the exporter of the OpenTelemetry collector, as they come.
_DROP_429 = ("prometheus/", "grafanaagent/", "opentelemetry-collector", "otelcol")


@router.post("/api/v1/write", include_in_schema=False)
async def remote_write(request: Request, context: In) -> Response:
    """204 when all is taken, 400 when a part was refused: no sender repeats that."""
    receiver = receiver_of(context.receiver)
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    return await _taken(receiver, request, Door.REMOTE_WRITE, Packing.SNAPPY)


@router.post("/v1/columns", include_in_schema=False)
async def columns(request: Request, context: In) -> Response:
    """As for remote write."""
    receiver = receiver_of(context.receiver)
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if kind not in _MSGPACK:
        return _problem(request, 415, "The Content-Type must be application/msgpack.")
    packing = PACKINGS.get(request.headers.get("content-encoding", "identity").lower())
    if packing is None:
        words = "The Content-Encoding must be gzip, deflate, zstd or identity."
        return _problem(request, 415, words)
    return await _taken(receiver, request, Door.COLUMNAR, packing)


async def _taken(
    receiver: MetricReceiver, request: Request, door: Door, packing: Packing
) -> Response:
    try:
        decoded = await receiver.take(request, door, packing)
    except FullError as error:
        return _full(request, error)
    except BodyTooLargeError as error:
        return _problem(request, 413, str(error))
    return Response(status_code=204) if not decoded.refused.total else _part(request, decoded)


def _refusal(request: Request) -> Response | None:
    """415 sends a sender of version 2 back to 1; what is neither can be no write request."""
    kind = request.headers.get("content-type", _PROTOBUF).lower().replace(" ", "")
    version = request.headers.get("x-prometheus-remote-write-version", "0.1.0")
    if _SECOND in kind or version.startswith("2"):
        return _problem(
            request, 415, "Remote write 2.0 is not taken: send prometheus.WriteRequest (1.0)."
        )
    if kind.partition(";")[0] != _PROTOBUF:
        return _problem(request, 400, f"The Content-Type must be {_PROTOBUF}.", "Content-Type")
    packing = request.headers.get("content-encoding", "snappy").lower()
    if packing != "snappy":
        return _problem(request, 400, "The Content-Encoding must be snappy.", "Content-Encoding")
    return None


def _full(request: Request, error: FullError) -> Response:
    """429; but who, unless told to, throws away what 429 answers, waits after 503."""
    sender = request.headers.get("user-agent", "").lower()
    return problem(
        503 if sender.startswith(_DROP_429) else 429,
        str(error),
        request_id=request.state.request_id,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _part(request: Request, decoded: Decoded) -> Response:
    refused = decoded.refused
    words = f"{refused.told()}. The other {len(decoded.columns)} samples were taken."
    return _problem(request, 400, words)


def _problem(request: Request, status: int, words: str, field: str = "body") -> Response:
    return problem(status, words, field=field, request_id=request.state.request_id)
