"""`/v1/policies`: how strictly rollouts are judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from api.bodies.answer import PoliciesAnswer, PolicyAnswer, SavedAnswer
from api.bodies.loose import Word
from api.bodies.policy import PolicyBody, policy_body
from api.context import In
from api.routes.verdicts import PROBLEMS, Limit
from api.strict import StrictRoute, json_response
from detector.errors import InputError, NotFoundError
from detector.gate.record import PolicyVersion
from detector.gate.render import utc_text

__all__ = ["router"]

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=StrictRoute)

Name = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
EXAMPLE: dict[str, Any] = {"mode": "enforce", "signals": {"latency": {"tolerate": 0.1}}}


@router.get(
    "",
    summary="All policies",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": PoliciesAnswer, "description": "By name."}},
)
async def listed(
    context: In,
    cursor: Annotated[Word, Query(description="`next` of the page before.")] = None,
    limit: Limit = 100,
) -> Response:
    """The newest version of each; those of the configuration have version 0."""
    every = await context.pool.run(context.gate.people.policies)
    rest = [v for v in every if cursor is None or v.policy.name > cursor]
    page = rest[:limit]
    following = page[-1].policy.name if len(rest) > len(page) else None
    return json_response({"policies": [_body(v) for v in page], "next": following})


@router.get(
    "/{name}",
    summary="One policy",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": PolicyAnswer, "description": "Its newest version."}},
)
async def one(context: In, name: Name) -> Response:
    """By name."""
    every = await context.pool.run(context.gate.people.policies)
    found = next((v for v in every if v.policy.name == name), None)
    if found is None:
        raise NotFoundError(f"no policy {name!r}; there are {[v.policy.name for v in every]}")
    return json_response(_body(found))


@router.put(
    "/{name}",
    summary="Save a policy",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": SavedAnswer, "description": "It is saved."}},
)
async def saved(
    context: In,
    name: Name,
    body: Annotated[PolicyBody, Body(examples=[EXAMPLE])],
    person: Annotated[Word, Query(description="Who saves it, for the audit log.")] = None,
    reason: Annotated[Word, Query(description="Why, for the audit log.")] = None,
) -> Response:
    """Attempts under way keep the policy that they began with."""
    if body.name is not None and body.name != name:
        text = f"the path says {name!r}, the body {body.name!r}"
        raise InputError(text, field="name", semantic=True)
    policy = replace(body.native(), name=name)
    version = await context.pool.run(
        context.gate.people.save_policy, policy, person=person or "api", reason=reason or ""
    )
    return json_response({"name": name, "version": version, "digest": policy.digest})


def _body(found: PolicyVersion) -> dict[str, Any]:
    at = utc_text(datetime.fromtimestamp(found.at, UTC)) if found.version else None
    return {
        "policy": policy_body(found.policy),
        "version": found.version,
        "at": at,
        "person": found.person,
    }
