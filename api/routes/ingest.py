"""`/api/v1/write`: Prometheus remote write, answered as its senders expect.

What is answered decides what a sender does: 5xx is sent again, any other 4xx than 429 never.
https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.context import In
from api.problems import problem
from api.receiving import Receiver, tenant_of
from detector.errors import NotFoundError
from pipelines.ingest.decoded import BodyTooLargeError, Decoded, FullError

__all__ = ["RETRY_AFTER_S", "receiver_of", "router"]

router = APIRouter(tags=["ingest"])
RETRY_AFTER_S = 2
_PROTOBUF = "application/x-protobuf"
_SECOND = "io.prometheus.write.v2.request"


@router.post("/api/v1/write", include_in_schema=False)
async def remote_write(request: Request, context: In) -> Response:
    """204 when all is taken, 400 when a part was refused: no sender repeats that."""
    receiver, tenant = receiver_of(context), tenant_of(request)
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    try:
        with receiver.holding(request):
            body = await request.body()
            decoded = await receiver.pool.run(receiver.doors.remote_write, tenant, body)
    except FullError as error:
        return _full(request, error)
    except BodyTooLargeError as error:
        return _problem(request, 413, str(error))
    return Response(status_code=204) if not decoded.refused.total else _part(request, decoded)


def receiver_of(context: In) -> Receiver:
    """Where there is no stream there is no door."""
    if context.receiver is None:
        raise NotFoundError("This serinus takes no metrics: it runs without a stream.")
    return context.receiver


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
    """429; but Prometheus, unless it is told to, drops what 429 answers, and waits after 503."""
    is_prometheus = request.headers.get("user-agent", "").startswith("Prometheus/")
    return problem(
        503 if is_prometheus else 429,
        str(error),
        request_id=request.state.request_id,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _part(request: Request, decoded: Decoded) -> Response:
    counts = ", ".join(f"{n} {reason.value}" for reason, n in decoded.refused.counts.items())
    taken, refused = len(decoded.columns), decoded.refused
    return _problem(
        request,
        400,
        f"{refused.total} samples were refused ({counts}): {refused.words}. The other {taken} "
        "were taken.",
    )


def _problem(request: Request, status: int, words: str, field: str = "body") -> Response:
    return problem(status, words, field=field, request_id=request.state.request_id)
