"""`/v1/alerts/digest`: a week of each team, and what came of policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.digest import WeekAnswer, week_body
from api.bodies.loose import Word
from api.context import In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from api.weekly import ASKED_MOST, Weekly, weekly_of
from detector.gate.scored import PolicyScore

__all__ = ["notes_of", "router"]

router = APIRouter(prefix="/v1/alerts/digest", tags=["incidents"], route_class=ClosedRoute)


@router.get(
    "",
    summary="A week: what teams were told, what was held back, and how right that was",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": WeekAnswer, "description": "The week."}},
)
async def digest(
    request: Request,
    context: In,
    *,
    team: Annotated[Word, Query(description="Only this one.")] = None,
    week: Annotated[
        date | None, Query(description="A day of it, in UTC; the last whole one if not given.")
    ] = None,
) -> Response:
    """Of the tenant that `X-Scope-OrgID` names; what is sent to teams is the same."""
    weekly, tenant = weekly_of(context.weekly), tenant_of(request)
    return json_response(await context.pool.run(_week, weekly, tenant, team, week))


def _week(weekly: Weekly, tenant: str, team: str | None, day: date | None) -> dict[str, Any]:
    span = weekly.span(day)
    scores = weekly.scores(tenant, span)
    return week_body(
        span, weekly.digests(tenant, span, team), scores, list(notes_of(weekly, scores))
    )


def notes_of(weekly: Weekly, scores: tuple[PolicyScore, ...]) -> Iterator[str]:
    """What a week cannot know, and why."""
    if weekly.correlating is None:
        yield "There are no incidents here: it is not known what comes of rollouts that passed."
    if weekly.settings.alerts.route is None:
        yield "No alerts.route is set: nobody decides who is told, so no team has a week."
    if sum(score.rollouts for score in scores) >= ASKED_MOST:
        yield f"Only the newest {ASKED_MOST:,} rollouts were looked at."
