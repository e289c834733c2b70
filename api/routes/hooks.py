"""`/hooks/{sender}`: what controllers and services post of changes, signed as each of them does."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.change import TakenAnswer
from api.changing import Changing, changing_of
from api.context import Context, In
from api.problems import Refused
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import json_response
from detector.errors import InputError
from pipelines.changes.doors import Sender
from pipelines.changes.mapping import shipped_change_mappings

__all__ = ["router"]

router = APIRouter(tags=["changes"])
Name = Annotated[str, Path(min_length=1, max_length=64, description="As the configuration has it.")]
RESPONSES: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    200: {"model": TakenAnswer, "description": "It was read; what is no news is read as well."},
}
BODY = {"application/json": {"schema": {"type": "object"}}}
ANY: dict[str, Any] = {"requestBody": {"content": BODY}}


@router.post(
    "/hooks/{sender}",
    summary="A webhook of a sender of changes",
    response_model=None,
    responses=RESPONSES,
    openapi_extra=ANY,
)
async def posted(request: Request, context: In, sender: Name) -> Response:
    """Who signs needs no token of ours, who does not sends it as a bearer."""
    changing = changing_of(context.changing)
    body, headers = await request.body(), dict(request.headers)
    known = changing.doors.sender(sender)
    if not await context.pool.run(changing.doors.has_signed, known, body, headers):
        _check_unsigned(context, changing, known, headers)
    return await _taken(context, changing, known, body, headers)


@router.post(
    "/v1/changes/cdevents",
    summary="Tell of a change by a CDEvent",
    response_model=None,
    responses=RESPONSES,
    openapi_extra=ANY,
)
async def cdevents(request: Request, context: In) -> Response:
    """Bare, or as a CloudEvent in binary or structured mode."""
    mapping = shipped_change_mappings()["cdevents"]
    sender = Sender(name="cdevents", mapping=mapping, tenant=tenant_of(request))
    changing = changing_of(context.changing)
    return await _taken(context, changing, sender, await request.body(), dict(request.headers))


def _check_unsigned(
    context: Context, changing: Changing, sender: Sender, headers: dict[str, str]
) -> None:
    """A sender with a secret has to sign; from another our token is asked."""
    if sender.secret is not None:
        changing.refuse(sender.name, "forged")
        raise Refused(f"The signature is not that of {sender.mapping.title}.", status=401)
    try:
        context.access.check_sender(headers)
    except Refused:
        changing.refuse(sender.name, "no_token")
        raise


async def _taken(
    context: Context, changing: Changing, sender: Sender, body: bytes, headers: dict[str, str]
) -> Response:
    try:
        taken = await context.pool.run(changing.doors.take, sender, body, headers)
    except InputError:
        changing.refuse(sender.name, "unreadable")
        raise
    changing.count(sender.name, taken)
    changed = [change.id for change in taken.changes]
    return json_response({"events": len(taken.events), "changed": changed})
