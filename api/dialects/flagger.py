"""Flagger's webhooks: it knows yes (status <= 202; we say exactly 200) and no (anything else)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.context import Context, In
from api.dialects.flagger_hooks import Hook, says_yes
from api.dialects.flagger_payload import (
    FlaggerBody,
    UnusableError,
    happening_of,
    metadata_of,
    payload_of,
    request_of,
    token_in,
)
from api.document import refusal
from api.routes.verdicts import PROBLEMS
from api.strict import read_json
from detector.errors import InputError, NotFoundError, StoreError
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Verdict
from pipelines.changes.doors import Sender
from pipelines.changes.mapping import shipped_change_mappings

__all__ = ["router"]

router = APIRouter(prefix="/flagger", tags=["flagger"])
_log = structlog.get_logger()

HookName = Annotated[Hook, Path(description="The webhook's type.")]
Secret = Annotated[str, Path(min_length=8, max_length=128, description="The token, in the path.")]


def _no(words: str) -> dict[str, Any]:
    """In plain words, which Flagger shows; what fits no hook at all is a problem as elsewhere."""
    told = refusal(words)
    return {**told, "content": {"text/plain": {}, **told["content"]}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Yes.", "content": {"text/plain": {}}},
    401: PROBLEMS[401],
    403: _no("No, and why."),
    404: _no("What was sent cannot be used."),
    413: PROBLEMS[413],
    503: PROBLEMS[503],
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": FlaggerBody.model_json_schema()}},
    }
}


@router.post(
    "/{hook}",
    summary="A webhook",
    response_model=None,
    response_class=PlainTextResponse,
    responses=RESPONSES,
    openapi_extra=BODY,
)
async def by_metadata(context: In, hook: HookName, request: Request) -> Response:
    """The token travels in the metadata (or in a header, where something adds one)."""
    return await _answered(context, hook, await request.body(), _bearer(request))


@router.post(
    "/{secret}/{hook}",
    summary="A webhook with the token in its path",
    response_model=None,
    response_class=PlainTextResponse,
    responses=RESPONSES,
    openapi_extra=BODY,
)
async def by_path(context: In, secret: Secret, hook: HookName, request: Request) -> Response:
    """For metadata that others may read."""
    return await _answered(context, hook, await request.body(), secret)


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


async def _answered(context: Context, hook: Hook, body: bytes, offered: str | None) -> Response:
    """Whoever has no token is told nothing, not even what is wrong with what was sent."""
    try:
        sent = read_json(body)
    except json.JSONDecodeError as error:
        context.access.check_flagger(offered)
        return PlainTextResponse(f"The payload is not JSON: {error.msg}\n", 404)
    context.access.check_flagger(offered, token_in(sent))
    try:
        payload = payload_of(sent)
        if hook is Hook.EVENT:
            await _note(context, body)
        return await _by_hook(context, hook, payload)
    except (UnusableError, InputError, NotFoundError) as error:
        return PlainTextResponse(f"{error}\n", 404)


async def _note(context: Context, body: bytes) -> None:
    """Keep what happened as a change. Where it is none, or cannot be kept, Flagger goes on."""
    if context.changing is None:
        return
    mapping = shipped_change_mappings()["flagger"]
    try:
        doors = context.changing.doors
        sender = Sender(name="flagger", mapping=mapping)
        context.changing.count("flagger", await context.pool.run(doors.take, sender, body, {}))
    except (InputError, StoreError) as error:
        context.changing.refuse("flagger", "not_kept")
        _log.warning("a change told by Flagger was not kept", error=str(error))


async def _by_hook(context: Context, hook: Hook, payload: FlaggerBody) -> Response:
    if hook in {Hook.EVENT, Hook.POST_ROLLOUT}:
        context.events.add(happening_of(hook, payload))
        return PlainTextResponse("ok\n")
    told = metadata_of(payload)
    request = request_of(hook, payload, told)
    verdict = await context.ask(_question(context, hook), request)
    if says_yes(hook, verdict, told.on_inconclusive, phase=payload.phase):
        return PlainTextResponse(f"{_words(verdict)}\n", 200)
    return PlainTextResponse(f"{_words(verdict)}\n", 403)


def _question(context: Context, hook: Hook) -> Callable[[VerdictRequest], Verdict]:
    if hook is Hook.CONFIRM_TRAFFIC_INCREASE:
        return context.gate.first_step
    return context.gate.judge


def _words(verdict: Verdict) -> str:
    """What Flagger shows as its event."""
    return f"{verdict.answer}: {verdict.reason.text} ({verdict.reason.code})"
