"""`/v1/alerts`: what another alerting tells becomes a part of incidents."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.answer import Answer
from api.context import In
from api.correlating import correlating_of
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import json_response
from pipelines.ingest.alertmanager import read_alerts

__all__ = ["ALERTMANAGER", "router"]

ALERTMANAGER = "/v1/alerts/alertmanager"
router = APIRouter(tags=["incidents"])
BODY: dict[str, Any] = {
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}
}


class AlertsAnswer(Answer):
    """What was read of a notification."""

    taken: int = Field(description="Alerts that are, or will be, a part of incidents.")
    skipped: int = Field(description="Alerts of severity `none`, and those that serinus sent.")


@router.post(
    ALERTMANAGER,
    summary="A notification of Alertmanager's webhook",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": AlertsAnswer, "description": "It is kept."}},
    openapi_extra=BODY,
)
async def told(request: Request, context: In) -> Response:
    """Version 4; told again an alert changes nothing, and its end ends it."""
    correlating, tenant = correlating_of(context.correlating), tenant_of(request)
    read = read_alerts(await request.body(), now=round(1000 * context.clock()))
    await context.pool.run(correlating.receive, tenant, read.symptoms)
    return json_response({"taken": len(read.symptoms), "skipped": read.skipped})
