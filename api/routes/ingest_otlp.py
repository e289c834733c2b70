"""`/v1/metrics`: OTLP over HTTP, protobuf and JSON, answered in the kind in which it was asked.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: 429, 502, 503 and 504 are sent again, nothing
else; what is refused of a request is told in a 200.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.otlp import JSON, PROTOBUF, Code, answer_body, status_body
from api.context import In
from api.problems import Overloaded
from api.receiving import RETRY_AFTER_S, receiver_of
from detector.errors import InputError, StoreError
from pipelines.ingest.decoded import BodyTooLargeError, FullError
from pipelines.ingest.protocol import Door, Packing

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_DOORS = {PROTOBUF: Door.OTLP, JSON: Door.OTLP_JSON}
_PACKINGS = {"identity": Packing.PLAIN, "gzip": Packing.GZIP, "zstd": Packing.ZSTD}


@router.post("/v1/metrics", include_in_schema=False)
async def metrics(request: Request, context: In) -> Response:
    """200, with what was refused and why where a part was."""
    receiver = receiver_of(context.receiver)
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if kind not in _DOORS:
        return _status(PROTOBUF, 415, f"the Content-Type must be {PROTOBUF} or {JSON}")
    packing = _PACKINGS.get(request.headers.get("content-encoding", "identity").lower())
    if packing is None:
        return _status(kind, 415, "the Content-Encoding must be gzip, zstd or identity")
    try:
        decoded = await receiver.take(request, _DOORS[kind], packing)
    except (InputError, FullError, Overloaded, StoreError, TimeoutError) as error:
        return _status(kind, _status_code(error), str(error))
    return Response(answer_body(decoded.refused, kind), media_type=kind)


def _status_code(error: Exception) -> int:
    match error:
        case BodyTooLargeError():
            return 413
        case InputError():
            return 400
        case FullError():
            return 429
    return 503


def _status(kind: str, status: int, words: str) -> Response:
    """A `google.rpc.Status`; when to come again, where that would help."""
    is_passing = status in {429, 503}
    code = Code.UNAVAILABLE if is_passing else Code.INVALID_ARGUMENT
    return Response(
        status_body(code, words, kind),
        status,
        media_type=kind,
        headers={"Retry-After": str(RETRY_AFTER_S)} if is_passing else None,
    )
