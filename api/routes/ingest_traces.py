"""`/v1/traces`: OTLP over HTTP, protobuf and JSON."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.otlp import JSON, PROTOBUF, Rejected
from api.context import In
from api.otlp_http import otlp_answer
from api.tracing import trace_receiver_of
from pipelines.ingest.spans.decoded import SpanDoor

__all__ = ["router"]

router = APIRouter(tags=["ingest"])
_DOORS = {PROTOBUF: SpanDoor.OTLP, JSON: SpanDoor.OTLP_JSON}


@router.post("/v1/traces", include_in_schema=False)
async def traces(request: Request, context: In) -> Response:
    """200, with what was refused and why where a part was."""
    receiver = trace_receiver_of(context.tracing)
    return await otlp_answer(request, receiver, _DOORS, Rejected.SPANS)
