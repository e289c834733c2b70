"""`/v1/learning`: what people said re-fits how changes are weighed, once somebody wants it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.learning import (
    ApplyBody,
    LearnedAnswer,
    LessonAnswer,
    UndoBody,
    learned_body,
    lesson_body,
)
from api.bodies.loose import Moment
from api.context import In
from api.correlating import correlating_of
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from pipelines.flows.learning import Signed

__all__ = ["router"]

router = APIRouter(prefix="/v1/learning", tags=["incidents"], route_class=ClosedRoute)
_DAYS_90 = 90 * 86_400.0


@router.get(
    "",
    summary="What could be learned from what people said of incidents",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": LessonAnswer, "description": "Nothing is changed."}},
)
async def lesson(
    request: Request,
    context: In,
    *,
    since: Annotated[
        Moment, Query(alias="from", description="Since when; 90 days ago if not given.")
    ] = None,
) -> Response:
    """Before and after on past incidents, of the tenant that `X-Scope-OrgID` names."""
    learning, now = correlating_of(context.correlating).learning, context.clock()
    start = now - _DAYS_90 if since is None else since.timestamp()
    found = await context.pool.run(learning.look_back, tenant_of(request), start, now)
    return json_response(lesson_body(found, start))


@router.post(
    "",
    status_code=201,
    summary="Put in force what was learned",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": LearnedAnswer, "description": "In force in a minute."}},
)
async def apply(request: Request, context: In, body: ApplyBody) -> Response:
    """Refused where past incidents rank no better by it, unless by `force`; it is audited."""
    learning, now = correlating_of(context.correlating).learning, context.clock()
    start = now - _DAYS_90 if body.since is None else body.since.timestamp()
    by = Signed(person=body.person or "", reason=body.reason or "", at=now)
    tenant, force = tenant_of(request), body.force
    made = await context.pool.run(lambda: learning.apply(tenant, start, by, force=force))
    return json_response(learned_body(made), 201)


@router.post(
    "/undo",
    status_code=201,
    summary="Take back what was applied last",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": LearnedAnswer, "description": "In force in a minute."}},
)
async def undo(request: Request, context: In, body: UndoBody) -> Response:
    """What was in force before it is so again; it is audited."""
    learning = correlating_of(context.correlating).learning
    by = Signed(person=body.person or "", reason=body.reason or "", at=context.clock())
    made = await context.pool.run(learning.undo, tenant_of(request), by)
    return json_response(learned_body(made), 201)
