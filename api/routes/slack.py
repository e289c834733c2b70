"""`/slack/interactions`: what people say by the buttons of a message in Slack."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context, In
from api.correlating import correlating_of
from api.problems import Refused
from api.routes.verdicts import PROBLEMS
from detector.incidents.record import Said
from pipelines.notify.slack_interactions import Interaction, is_from_slack, read

__all__ = ["router"]

router = APIRouter(tags=["incidents"])
FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
ANY: dict[str, Any] = {"requestBody": {"content": FORM}}
NEWS: dict[int | str, dict[str, Any]] = {**PROBLEMS, 200: {"description": "It was heard."}}


@router.post(
    "/slack/interactions",
    summary="A click in Slack, signed by Slack",
    response_model=None,
    response_class=Response,
    responses=NEWS,
    openapi_extra=ANY,
)
async def clicked(request: Request, context: In) -> Response:
    """The address for *Interactivity* of the app; needs no token of ours."""
    body = await request.body()
    headers = request.headers
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not await context.pool.run(_is_ours, context, body, timestamp, signature):
        raise Refused("The signature is not that of a Slack app of ours.", status=401)
    interaction = read(body)
    if interaction is not None:
        await context.pool.run(_said, context, interaction)
    return Response()


def _is_ours(context: Context, body: bytes, timestamp: str, signature: str) -> bool:
    """Whether one of the apps that we send by signed it."""
    now = context.clock()
    keys = [one.key() for one in context.settings.notify.native() if one.kind == "slack-app"]
    return any(
        is_from_slack(body, timestamp=timestamp, signature=signature, secret=key, now=now)
        for key in keys
        if key
    )


def _said(context: Context, heard: Interaction) -> None:
    now = context.clock()
    until = None if heard.for_s is None else round(1000 * (now + heard.for_s))
    said = Said(at=round(1000 * now), kind=heard.said, person=heard.person, until=until)
    correlating_of(context.correlating).store.say(heard.tenant, heard.incident, said)
