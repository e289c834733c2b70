"""`/v1/metrics`: OTLP over HTTP, protobuf and JSON."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.otlp import JSON, PROTOBUF, Rejected
from api.context import In
from api.otlp_http import otlp_answer
from api.receiving import receiver_of
from pipelines.ingest.protocol import Door

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_DOORS = {PROTOBUF: Door.OTLP, JSON: Door.OTLP_JSON}


@router.post("/v1/metrics", include_in_schema=False)
async def metrics(request: Request, context: In) -> Response:
    """200, with what was refused and why where a part was."""
    receiver = receiver_of(context.receiver)
    return await otlp_answer(request, receiver, _DOORS, Rejected.DATA_POINTS)
