"""`/v1/incidents`: what is wrong, what it may come of, and what people say of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.incident import (
    IncidentAnswer,
    IncidentsAnswer,
    SaidBody,
    incident_body,
    incidents_body,
)
from api.bodies.loose import Cursor, Moment, Word
from api.context import In
from api.correlating import correlating_of
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS, Id
from api.strict import ClosedRoute, json_response
from detector.incidents.record import IncidentFilter
from detector.stream.anomaly import Severity

__all__ = ["router"]

router = APIRouter(prefix="/v1/incidents", tags=["incidents"], route_class=ClosedRoute)


@router.get(
    "",
    summary="Incidents, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": IncidentsAnswer, "description": "One page."}},
)
async def listed(  # noqa: PLR0913 - a page is asked for by that many words
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="That this service shows.")] = None,
    severity: Annotated[Severity, Query(description="At least so severe.")] = Severity.LOW,
    lasting: Annotated[bool | None, Query(description="Whether it is still open.")] = None,
    merged: Annotated[bool, Query(description="Those too that went into others.")] = False,
    since: Annotated[Moment, Query(alias="from", description="Lasted at or after.")] = None,
    until: Annotated[Moment, Query(alias="to", description="Began before.")] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Incidents on a page.")] = 50,
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, `default` without it."""
    wanted = IncidentFilter(
        tenant=tenant_of(request),
        service=service,
        severity=severity,
        is_open=lasting,
        merged=merged,
        since=None if since is None else round(1000 * since.timestamp()),
        until=None if until is None else round(1000 * until.timestamp()),
        after=cursor,
        limit=limit,
    )
    store = correlating_of(context.correlating).store
    return json_response(incidents_body(await context.pool.run(store.list, wanted)))


@router.get(
    "/{id}",
    summary="One incident",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": IncidentAnswer, "description": "The incident."}},
)
async def one(request: Request, context: In, id: Id) -> Response:
    """As it is now, with who was told of it, and why others were not."""
    correlating, tenant = correlating_of(context.correlating), tenant_of(request)
    kept = await context.pool.run(correlating.store.get, tenant, id)
    return json_response(incident_body(kept, await context.pool.run(correlating.case, tenant, id)))


@router.post(
    "/{id}/said",
    status_code=201,
    summary="A person says something of an incident",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": IncidentAnswer, "description": "It is kept."}},
)
async def say(request: Request, context: In, id: Id, body: SaidBody) -> Response:
    """It is kept with the incident, and what was right is learned from it when asked to."""
    store, tenant = correlating_of(context.correlating).store, tenant_of(request)
    kept = await context.pool.run(store.say, tenant, id, body.native(context.clock()))
    return json_response(incident_body(kept), 201)
