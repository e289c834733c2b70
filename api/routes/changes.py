"""`/v1/changes`: what was changed, told by people and scripts, and asked for by anybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.change import (
    ChangeAnswer,
    ChangeBody,
    ChangesAnswer,
    TakenAnswer,
    change_body,
    changes_body,
)
from api.bodies.loose import Cursor, Moment, Word
from api.changing import changing_of
from api.context import In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS, Id
from api.strict import ClosedRoute, json_response
from detector.changes.change import ChangeKind
from detector.changes.record import ChangeFilter
from pipelines.changes.cdevents import cloud_event

__all__ = ["router"]

router = APIRouter(prefix="/v1/changes", tags=["changes"], route_class=ClosedRoute)
BATCH = "application/cloudevents-batch+json"


@router.get(
    "",
    summary="Changes, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ChangesAnswer, "description": "One page."}},
)
async def listed(  # noqa: PLR0913 - a page is asked for by that many words
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="Only of this service.")] = None,
    anywhere: Annotated[
        bool, Query(description="Those too that name no service, and may touch it.")
    ] = False,
    kind: Annotated[ChangeKind | None, Query(description="Only of this kind.")] = None,
    since: Annotated[Moment, Query(alias="from", description="Lasted at or after.")] = None,
    until: Annotated[Moment, Query(alias="to", description="Began before.")] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Changes on a page.")] = 50,
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, `default` without it."""
    wanted = ChangeFilter(
        tenant=tenant_of(request),
        service=service,
        or_anywhere=anywhere,
        kind=kind,
        since=None if since is None else round(1000 * since.timestamp()),
        until=None if until is None else round(1000 * until.timestamp()),
        after=cursor,
        limit=limit,
    )
    log = changing_of(context.changing).doors.log
    return json_response(changes_body(await context.pool.run(log.list, wanted)))


@router.post(
    "",
    status_code=201,
    summary="Tell of a change",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": TakenAnswer, "description": "It is kept."}},
)
async def told(request: Request, context: In, body: ChangeBody) -> Response:
    """Told again under the same id it is kept once. CDEvents go to `/v1/changes/cdevents`."""
    changing, tenant = changing_of(context.changing), tenant_of(request)
    event = body.event(context.clock())
    taken = await context.pool.run(changing.doors.note, tenant, event)
    changing.count("by-hand", taken)
    return json_response(_taken(len(taken.events), [one.id for one in taken.changes]), 201)


@router.get(
    "/{id}",
    summary="One change",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ChangeAnswer, "description": "The change."}},
)
async def one(request: Request, context: In, id: Id) -> Response:
    """As it was last told."""
    log = changing_of(context.changing).doors.log
    return json_response(change_body(await context.pool.run(log.get, tenant_of(request), id)))


@router.get(
    "/{id}/events",
    summary="What was told of a change, as CDEvents",
    response_model=None,
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {"content": {BATCH: {}}, "description": "CloudEvents, the oldest first."},
    },
)
async def events(request: Request, context: In, id: Id) -> Response:
    """In the form that other tools read; the door for CDEvents takes each of them back."""
    log = changing_of(context.changing).doors.log
    change = await context.pool.run(log.get, tenant_of(request), id)
    answer = json_response([cloud_event(event) for event in change.events])
    answer.headers["content-type"] = BATCH
    return answer


def _taken(events: int, changed: list[str]) -> dict[str, object]:
    return {"events": events, "changed": changed}
