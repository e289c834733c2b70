"""`/v1/verdicts`: ask, look up, list, take the evidence home."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from api.bodies.answer import VerdictAnswer, VerdictsAnswer
from api.bodies.loose import Moment, Word
from api.bodies.verdict import EXAMPLE_REQUEST, VerdictBody
from api.context import In
from api.document import refusal
from api.strict import StrictRoute, json_response
from detector.gate.record import Filter, Page
from detector.gate.render import verdict_body
from detector.gate.verdict import Outcome

__all__ = ["PROBLEMS", "Id", "Limit", "View", "page_body", "router"]

router = APIRouter(prefix="/v1/verdicts", tags=["verdicts"], route_class=StrictRoute)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: refusal("What was sent cannot be read; `field` says where."),
    401: refusal("No token, or a wrong one."),
    403: refusal("This caller may not."),
    404: refusal("There is no such policy, verdict or rollout."),
    413: refusal("The body is too large."),
    422: refusal("What was sent cannot be meant; `field` says what to mend."),
    503: refusal("Our own store is down, or too much is asked at once: try again."),
}

Id = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:-]+$")]
Limit = Annotated[int, Query(ge=1, le=500, description="Verdicts on a page.")]


class View(StrEnum):
    """How much of a verdict is sent."""

    FULL = "full"
    BRIEF = "brief"


ViewQuery = Annotated[View, Query(description="`brief` leaves out `signals`.")]


@router.post(
    "",
    summary="Is this canary safe to go on?",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": VerdictAnswer, "description": "A verdict."}},
)
async def ask(
    context: In,
    body: Annotated[VerdictBody, Body(examples=[EXAMPLE_REQUEST])],
    view: ViewQuery = View.FULL,
) -> Response:
    """200 whenever there is a verdict, also `inconclusive` because the source is down."""
    verdict = await context.ask(context.gate.judge, body.request())
    return json_response(verdict_body(verdict, brief=view is View.BRIEF))


@router.get(
    "",
    summary="Verdicts, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": VerdictsAnswer, "description": "One page."}},
)
async def listed(
    context: In,
    *,
    service: Annotated[Word, Query(description="Only this service.")] = None,
    rollout: Annotated[Word, Query(description="Only this rollout.")] = None,
    outcome: Annotated[Outcome | None, Query(description="Only this outcome.")] = None,
    since: Annotated[Moment, Query(alias="from", description="Judged at or after.")] = None,
    until: Annotated[Moment, Query(alias="to", description="Judged before.")] = None,
    cursor: Annotated[Word, Query(description="`next` of the page before.")] = None,
    limit: Limit = 50,
) -> Response:
    """Without their signals."""
    wanted = Filter(
        service=service,
        rollout=rollout,
        outcome=outcome,
        since=None if since is None else since.timestamp(),
        until=None if until is None else until.timestamp(),
        after=cursor,
        limit=limit,
    )
    return json_response(page_body(await context.pool.run(context.gate.records.list, wanted)))


def page_body(page: Page) -> dict[str, Any]:
    """A page as JSON."""
    return {
        "verdicts": [verdict_body(verdict, brief=True) for verdict in page.verdicts],
        "next": page.next,
    }


@router.get(
    "/{id}",
    summary="One verdict",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": VerdictAnswer, "description": "The verdict."}},
)
async def one(context: In, id: Id, view: ViewQuery = View.FULL) -> Response:
    """As it was given."""
    verdict = await context.pool.run(context.gate.records.verdict, id)
    return json_response(verdict_body(verdict, brief=view is View.BRIEF))


@router.get(
    "/{id}/evidence",
    summary="All that a verdict was made from",
    response_model=None,
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {"content": {"application/octet-stream": {}}, "description": "One file."},
    },
)
async def evidence(context: In, id: Id) -> Response:
    """`serinus replay FILE` turns it into the identical answer elsewhere."""
    file = await context.pool.run(context.gate.records.export, id)
    name = f'attachment; filename="{id}.serinus"'
    return Response(
        file,
        media_type="application/octet-stream",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )
