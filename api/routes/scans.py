"""`/v1/scans`: what security scanners found in a revision."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.loose import Word, needed
from api.bodies.scan import ScansAnswer, TakenScansAnswer, scans_body, taken_body
from api.context import In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from detector.scans.ports import ScanFilter

__all__ = ["SCANS", "SCAN_BYTES", "router"]

SCANS, SCAN_BYTES = "/v1/scans", 32 * 2**20
router = APIRouter(prefix=SCANS, tags=["scans"], route_class=ClosedRoute)
Needed = Annotated[Word, AfterValidator(needed)]
BODY = {"application/json": {"schema": {"type": "object"}}}
REPORT: dict[str, Any] = {"requestBody": {"content": BODY, "required": True}}


@router.post(
    "",
    status_code=201,
    summary="Tell what a scanner found in a revision",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": TakenScansAnswer, "description": "It was read."}},
    openapi_extra=REPORT,
)
async def told(
    request: Request,
    context: In,
    *,
    service: Annotated[Needed, Query(description="As in questions for verdicts.")],
    revision: Annotated[Needed, Query(description="As in questions for verdicts.")],
) -> Response:
    """The body is SARIF 2.1.0 or Trivy's JSON, up to 32 MiB. Told again on one day it is one."""
    body, tenant = await request.body(), tenant_of(request)

    def take() -> dict[str, Any]:
        taken = context.gate.scans.take(
            tenant, body, service=service or "", revision=revision or ""
        )
        return taken_body(taken)

    return json_response(await context.pool.run(take), 201)


@router.get(
    "",
    summary="Scans of a service, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ScansAnswer, "description": "The scans."}},
)
async def listed(
    request: Request,
    context: In,
    *,
    service: Annotated[Needed, Query(description="Of this service.")],
    revision: Annotated[Word, Query(description="Only of this revision.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> Response:
    """Of the tenant that `X-Scope-OrgID` names, `default` without it."""
    wanted = ScanFilter(
        tenant=tenant_of(request), service=service or "", revision=revision, limit=limit
    )
    return json_response(scans_body(await context.pool.run(context.gate.scans.list, wanted)))
