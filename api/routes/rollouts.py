"""`/v1/rollouts`: one attempt with its timeline, and what people decide about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.bodies.answer import OverrideAnswer, RolloutAnswer
from api.bodies.decision import OverrideBody, override_body
from api.bodies.loose import Word
from api.context import In
from api.routes.verdicts import PROBLEMS, Id, Limit
from api.strict import StrictRoute, json_response
from detector.gate.attempt import Attempt, Weight
from detector.gate.render import utc_text, verdict_body
from pipelines.flows.records import Rollout

__all__ = ["router"]

router = APIRouter(prefix="/v1/rollouts", tags=["rollouts"], route_class=StrictRoute)


@router.get(
    "/{id}",
    summary="One attempt of a rollout, with what was decided when",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": RolloutAnswer, "description": "The attempt."}},
)
async def one(
    context: In,
    id: Id,
    cursor: Annotated[Word, Query(description="`next` of the page before.")] = None,
    limit: Limit = 200,
) -> Response:
    """The timeline pages; the newest verdict comes with its signals."""
    rollout = await context.pool.run(context.gate.records.rollout, id, after=cursor, limit=limit)
    return json_response(rollout_body(rollout))


@router.post(
    "/{id}/overrides",
    status_code=201,
    summary="A person decides",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": OverrideAnswer, "description": "It stands."}},
)
async def override(context: In, id: Id, body: OverrideBody) -> Response:
    """The decision stands for a while and is written to the audit log."""
    made = await context.pool.run(
        context.gate.people.override,
        id,
        outcome=body.outcome,
        person=body.person or "",
        reason=body.reason or "",
        for_s=body.for_s,
    )
    return json_response(override_body(made), 201)


def rollout_body(rollout: Rollout) -> dict[str, Any]:
    """A rollout as JSON."""
    attempt, verdicts = rollout.attempt, rollout.page.verdicts
    return {
        **_attempt_body(attempt),
        "overrides": [override_body(o) for o in rollout.overrides],
        "latest": verdict_body(verdicts[0], brief=False) if verdicts else None,
        "timeline": [verdict_body(verdict, brief=True) for verdict in verdicts],
        "next": rollout.page.next,
    }


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    identity = attempt.identity
    return {
        "attempt": attempt.id,
        "service": identity.service,
        "namespace": identity.namespace,
        "cluster": identity.cluster,
        "rollout": identity.rollout,
        "revision": attempt.revision,
        "canary": identity.canary,
        "policy": attempt.policy.digest,
        "started_at": _text(attempt.started_at),
        "asked_at": _text(attempt.asked_at),
        "last_asked": _text(attempt.last_asked),
        "weights": [_weight(weight) for weight in attempt.weights],
    }


def _weight(weight: Weight) -> dict[str, Any]:
    who = "controller" if weight.is_read else "request"
    return {"at": _text(weight.at), "weight": weight.weight, "from": who}


def _text(at: float | None) -> str | None:
    return None if at is None else utc_text(datetime.fromtimestamp(at, UTC))
