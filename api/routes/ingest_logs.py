"""`/v1/logs`: OTLP over HTTP, protobuf and JSON; and where Loki has the same door."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.otlp import JSON, PROTOBUF, Rejected
from api.context import In
from api.otlp_http import otlp_answer
from api.receiving_logs import log_receiver_of
from pipelines.ingest.protocol import LogDoor

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_DOORS = {PROTOBUF: LogDoor.OTLP, JSON: LogDoor.OTLP_JSON}


@router.post("/v1/logs", include_in_schema=False)
@router.post("/otlp/v1/logs", include_in_schema=False)
async def logs(request: Request, context: In) -> Response:
    """200, with what was refused and why where a part was."""
    receiver = log_receiver_of(context.log_receiver)
    return await otlp_answer(request, receiver, _DOORS, Rejected.LOG_RECORDS)
