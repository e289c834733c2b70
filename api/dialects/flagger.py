"""Flagger's webhooks. Flagger knows yes (status <= 202; we say exactly 200) and no (anything else).

What a no does depends on the hook, so each has the answer that is safe for it:

=========================  ====================================================================
confirm-rollout            no holds; yes before the scale-up, when there is nothing to judge yet
pre-rollout, rollout       no counts towards the threshold: said on fail only, unless the hook's
                           metadata say `on_inconclusive: fail`
confirm-traffic-increase   no holds; yes once per checksum before any traffic could be seen
confirm-promotion          no holds; asked at stage `final`
rollback                   **yes rolls back**: said on fail only
post-rollout, event        nobody acts on the answer
=========================  ====================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, assert_never

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.bodies.loose import Text, Word
from api.context import Context, In
from api.document import refusal
from api.events import Happening
from api.routes.verdicts import PROBLEMS
from api.strict import read_json
from detector.errors import InputError, NotFoundError
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage, VerdictRequest
from detector.gate.verdict import Outcome, Verdict

__all__ = ["FlaggerBody", "Hook", "router", "says_yes"]

router = APIRouter(prefix="/flagger", tags=["flagger"])

# Flagger's phases in which a new revision waits for leave to be scaled up.
BEFORE_SCALE_UP = frozenset({"Initialized", "Waiting", "Succeeded", "Failed"})
UNSEEN = frozenset({ReasonCode.NO_CANARY_DATA, ReasonCode.COLLECTING, ReasonCode.LOW_TRAFFIC})
_NAME = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"


class Hook(StrEnum):
    """Flagger's webhook types."""

    CONFIRM_ROLLOUT = "confirm-rollout"
    PRE_ROLLOUT = "pre-rollout"
    ROLLOUT = "rollout"
    CONFIRM_TRAFFIC_INCREASE = "confirm-traffic-increase"
    CONFIRM_PROMOTION = "confirm-promotion"
    POST_ROLLOUT = "post-rollout"
    ROLLBACK = "rollback"
    EVENT = "event"


class OnInconclusive(StrEnum):
    """What a `rollout` hook makes of an undecided verdict."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"


class FlaggerMetadata(BaseModel):
    """What the hook's `metadata` may say; an unknown word is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Word = Field(None, description="The token: Flagger sends no header.")
    service: Word = Field(None, description="The service; absent: the canary's name.")
    canary: Text = Field(None, description="Selector of the canary; absent: by pod name.")
    control: Text = Field(None, description="Selector of the control; absent: `<name>-primary`.")
    cluster: Word = Field(None, description="The cluster.")
    policy: Word = Field(None, description="A policy by name.")
    revision: Word = Field(None, description="What is rolled out.")
    on_inconclusive: OnInconclusive = Field(
        OnInconclusive.PASS, description="`fail` makes an undecided `rollout` hook say no."
    )


class FlaggerBody(BaseModel):
    """What Flagger posts; whoever reaches the port can post it too."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=f"^{_NAME}$", max_length=253, examples=["checkout"])
    namespace: str = Field(pattern=f"^{_NAME}$", max_length=253, examples=["shop"])
    phase: str = Field("", max_length=64, examples=["Progressing"])
    checksum: Word = Field(None, description="Names the revision of the target.")
    metadata: dict[str, str] | None = Field(None, description="The hook's own words.")


class UnusableError(Exception):
    """A payload that cannot be used, in words."""


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
    context.access.check_flagger(offered, _token_in(sent))
    try:
        return await _by_hook(context, hook, _payload(sent))
    except (UnusableError, InputError, NotFoundError) as error:
        return PlainTextResponse(f"{error}\n", 404)


def _token_in(sent: object) -> str | None:
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    token = metadata.get("token") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None


async def _by_hook(context: Context, hook: Hook, payload: FlaggerBody) -> Response:
    if hook in {Hook.EVENT, Hook.POST_ROLLOUT}:
        context.events.add(_happening(hook, payload))
        return PlainTextResponse("ok\n")
    told = _metadata(payload)
    request = _request(hook, payload, told)
    verdict = await context.ask(_question(context, hook), request)
    if says_yes(hook, verdict, told.on_inconclusive, phase=payload.phase):
        return PlainTextResponse(f"{_words(verdict)}\n", 200)
    return PlainTextResponse(f"{_words(verdict)}\n", 403)


def says_yes(
    hook: Hook,
    verdict: Verdict,
    on_inconclusive: OnInconclusive = OnInconclusive.PASS,
    *,
    phase: str = "",
) -> bool:
    """Whether the hook is answered with 200: the safe-answer table."""
    answer = verdict.answer
    match hook:
        case Hook.ROLLBACK:
            return answer is Outcome.FAIL
        case Hook.ROLLOUT | Hook.PRE_ROLLOUT:
            strict = on_inconclusive is OnInconclusive.FAIL and hook is Hook.ROLLOUT
            return answer is Outcome.PASS or (answer is Outcome.INCONCLUSIVE and not strict)
        case Hook.CONFIRM_ROLLOUT:
            is_early = phase in BEFORE_SCALE_UP and _is_unseen(verdict)
            return answer is Outcome.PASS or (answer is not Outcome.FAIL and is_early)
        case Hook.CONFIRM_TRAFFIC_INCREASE | Hook.CONFIRM_PROMOTION:
            return answer is Outcome.PASS
        case Hook.POST_ROLLOUT | Hook.EVENT:
            return True
        case _:
            assert_never(hook)


def _question(context: Context, hook: Hook) -> Callable[[VerdictRequest], Verdict]:
    if hook is Hook.CONFIRM_TRAFFIC_INCREASE:
        return context.gate.first_step
    return context.gate.judge


def _is_unseen(verdict: Verdict) -> bool:
    """Whether the source answered and shows no request of the canary: it is not scaled up."""
    counted = sum(signal.samples.canary for signal in verdict.signals)
    return counted == 0 and verdict.reason.code in UNSEEN


def _words(verdict: Verdict) -> str:
    """What Flagger shows as its event."""
    return f"{verdict.answer}: {verdict.reason.text} ({verdict.reason.code})"


def _payload(sent: object) -> FlaggerBody:
    try:
        return FlaggerBody.model_validate(sent)
    except ValidationError as error:
        raise UnusableError(_explained(error)) from error


def _metadata(payload: FlaggerBody) -> FlaggerMetadata:
    try:
        return FlaggerMetadata.model_validate(payload.metadata or {})
    except ValidationError as error:
        raise UnusableError(f"metadata: {_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "payload"
    return f"{place}: {first['msg']}"


def _request(hook: Hook, payload: FlaggerBody, told: FlaggerMetadata) -> VerdictRequest:
    """The question: one attempt per checksum, canary `<name>` against `<name>-primary`."""
    return VerdictRequest(
        service=told.service or payload.name,
        namespace=payload.namespace,
        cluster=told.cluster,
        rollout=payload.name,
        revision=told.revision,
        attempt=payload.checksum,
        canary=told.canary or _pods_of(payload.name),
        control=told.control or _pods_of(f"{payload.name}-primary"),
        stage=Stage.FINAL if hook is Hook.CONFIRM_PROMOTION else Stage.STEP,
        policy=told.policy or "default",
    )


def _pods_of(workload: str) -> str:
    """Pods of one Deployment, and not those of `<workload>-primary`, whose names are longer."""
    escaped = re.escape(workload).replace("\\-", "-").replace("\\", "\\\\")
    return f'{{pod=~"{escaped}-[a-z0-9]+-[a-z0-9]{{5}}"}}'


def _happening(hook: Hook, payload: FlaggerBody) -> Happening:
    told = payload.metadata or {}
    return Happening(
        namespace=payload.namespace,
        name=payload.name,
        kind=hook.value,
        phase=payload.phase,
        text=told.get("eventMessage", "")[:500],
        warns=told.get("eventType") == "Warning",
        at=_unix(told.get("timestamp", "")),
    )


def _unix(milliseconds: str) -> float | None:
    """Flagger's clock, where it says a time at all."""
    if not milliseconds.isascii() or not milliseconds.isdigit() or len(milliseconds) > 15:
        return None
    return int(milliseconds) / 1000
