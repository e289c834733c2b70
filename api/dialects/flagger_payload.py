"""What Flagger posts, and what it means to the gate: a question, or something that happened."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.bodies.loose import Text, Word
from api.dialects.flagger_hooks import Hook, OnInconclusive
from api.events import Happening
from detector.gate.request import Stage, VerdictRequest

__all__ = [
    "FlaggerBody",
    "UnusableError",
    "happening_of",
    "metadata_of",
    "payload_of",
    "request_of",
    "token_in",
]

_NAME = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"


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


def token_in(sent: object) -> str | None:
    """The token, of a payload that nothing is known of yet."""
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    token = metadata.get("token") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None


def payload_of(sent: object) -> FlaggerBody:
    """What was posted, checked."""
    try:
        return FlaggerBody.model_validate(sent)
    except ValidationError as error:
        raise UnusableError(_explained(error)) from error


def metadata_of(payload: FlaggerBody) -> FlaggerMetadata:
    """The hook's own words, checked."""
    try:
        return FlaggerMetadata.model_validate(payload.metadata or {})
    except ValidationError as error:
        raise UnusableError(f"metadata: {_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "payload"
    return f"{place}: {first['msg']}"


def request_of(hook: Hook, payload: FlaggerBody, told: FlaggerMetadata) -> VerdictRequest:
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


def happening_of(hook: Hook, payload: FlaggerBody) -> Happening:
    """What is shown on the page of the rollout."""
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
