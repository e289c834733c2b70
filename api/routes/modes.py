"""`/v1/modes`: break-glass, without the UI and without a configuration change."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.bodies.answer import ModeAnswer, ModesAnswer
from api.bodies.decision import ModeBody, mode_body
from api.context import In
from api.routes.verdicts import PROBLEMS
from api.strict import StrictRoute, json_response
from detector.errors import InputError

__all__ = ["router"]

router = APIRouter(prefix="/v1/modes", tags=["modes"], route_class=StrictRoute)


@router.get(
    "",
    summary="The break-glass modes in force",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ModesAnswer, "description": "That of all first."}},
)
async def listed(context: In) -> Response:
    """Empty in ordinary times; there is at most one for each service and one for all."""
    modes = await context.pool.run(context.gate.people.modes)
    return json_response({"modes": [mode_body(change) for change in modes]})


@router.post(
    "",
    status_code=201,
    summary="Set or end a break-glass mode",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": ModeAnswer, "description": "It is in force."}},
)
async def changed(context: In, body: ModeBody) -> Response:
    """It expires by itself and is written to the audit log."""
    if body.all == (body.service is not None):
        text = "give either a service, or all: true"
        raise InputError(text, field="service", semantic=True)
    change = await context.pool.run(
        context.gate.people.set_mode,
        body.mode,
        person=body.person or "",
        reason=body.reason or "",
        for_s=body.for_s,
        service=body.service,
    )
    return json_response(mode_body(change), 201)
