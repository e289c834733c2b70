"""OTLP over HTTP, whatever it brings: answered in the kind in which it was asked.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: 429, 502, 503 and 504 are sent again, nothing
else; what is refused of a request is told in a 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api.bodies.otlp import JSON, PROTOBUF, Code, Rejected, answer_body, status_body
from api.problems import Overloaded
from api.receiving import PACKINGS, RETRY_AFTER_S, DoorT, Receiver
from detector.errors import InputError, StoreError
from pipelines.ingest.decoded import BodyTooLargeError, FullError, Refused

__all__ = ["otlp_answer"]


class _Told(Protocol):
    @property
    def refused(self) -> Refused: ...


TookT = TypeVar("TookT", bound=_Told)


async def otlp_answer(
    request: Request,
    receiver: Receiver[DoorT, TookT],
    doors: Mapping[str, DoorT],
    rejected: Rejected,
) -> Response:
    """Take a request by the door of its Content-Type; what was refused is told as `rejected`."""
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if kind not in doors:
        return _status(PROTOBUF, 415, f"the Content-Type must be {PROTOBUF} or {JSON}")
    packing = PACKINGS.get(request.headers.get("content-encoding", "identity").lower())
    if packing is None:
        return _status(kind, 415, "the Content-Encoding must be gzip, deflate, zstd or identity")
    try:
        took = await receiver.take(request, doors[kind], packing)
    except (InputError, FullError, Overloaded, StoreError, TimeoutError) as error:
        return _status(kind, _status_code(error), str(error))
    return Response(answer_body(took.refused, kind, rejected), media_type=kind)


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
