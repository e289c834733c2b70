"""`/loki/api/v1/push`: what Loki's senders push, answered as Loki answers.

429 and 5xx are sent again, any other 4xx never.
https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.context import In
from api.problems import problem
from api.receiving import RETRY_AFTER_S
from api.receiving_logs import LogReceiver, log_receiver_of
from pipelines.ingest.decoded import BodyTooLargeError, FullError
from pipelines.ingest.protocol import LogDoor, Packing

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_JSON = "application/json"
_PACKINGS = {
    "": Packing.PLAIN,
    "identity": Packing.PLAIN,
    "gzip": Packing.GZIP,
    "deflate": Packing.DEFLATE,
}


@router.post("/loki/api/v1/push", include_in_schema=False)
async def push(request: Request, context: In) -> Response:
    """204 when all is taken, 400 when a part was refused: no sender repeats that."""
    receiver = log_receiver_of(context.log_receiver)
    kind = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    encoding = request.headers.get("content-encoding", "").lower().strip()
    if kind != _JSON:
        # As Loki does: whatever is no JSON is a block of snappy, whether it says so or not.
        return await _taken(receiver, request, LogDoor.LOKI, Packing.SNAPPY)
    packing = _PACKINGS.get(encoding)
    if packing is None:
        return _problem(request, 415, "The Content-Encoding must be gzip, deflate or identity.")
    return await _taken(receiver, request, LogDoor.LOKI_JSON, packing)


async def _taken(
    receiver: LogReceiver, request: Request, door: LogDoor, packing: Packing
) -> Response:
    try:
        taken = await receiver.take(request, door, packing)
    except FullError as error:
        return problem(
            429,
            str(error),
            request_id=request.state.request_id,
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    except BodyTooLargeError as error:
        return _problem(request, 413, str(error))
    if not taken.refused.total:
        return Response(status_code=204)
    words = f"{taken.refused.told()}. The other {taken.taken} lines were taken."
    return _problem(request, 400, words)


def _problem(request: Request, status: int, words: str) -> Response:
    return problem(status, words, field="body", request_id=request.state.request_id)
