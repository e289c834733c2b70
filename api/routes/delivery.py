"""`/v1/delivery`: how often is deployed, how fast, how often it fails, how soon it is mended."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.delivery import DeliveryAnswer, delivery_body, delivery_csv
from api.bodies.loose import Moment, Word
from api.changing import changing_of
from api.context import Context, In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from detector.delivery.measures import WEEK_MS, measured, weekly
from detector.errors import InputError, StoreError
from detector.incidents.ports import IncidentStore
from pipelines.flows.delivery import delivered

__all__ = ["incidents_of", "router"]

router = APIRouter(prefix="/v1/delivery", tags=["changes"], route_class=ClosedRoute)
_LONGEST_MS, _USUAL_MS = 400 * 86_400_000, 4 * WEEK_MS
CSV = {"text/csv": {"schema": {"type": "string"}}}


class FormatName(StrEnum):
    """As what it is answered."""

    JSON = "json"
    CSV = "csv"


@router.get(
    "",
    summary="Deployment frequency, lead time, change failure rate and time to restore",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": DeliveryAnswer, "content": CSV, "description": "All."}},
)
async def delivery(
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="Only of this service.")] = None,
    since: Annotated[
        Moment, Query(alias="from", description="Four weeks ago if not given.")
    ] = None,
    until: Annotated[Moment, Query(alias="to", description="Now if not given.")] = None,
    shape: Annotated[FormatName, Query(alias="format")] = FormatName.JSON,
) -> Response:
    """By the change log and the incidents, with the deployments behind each number."""
    log, tenant = changing_of(context.changing).doors.log, tenant_of(request)
    now = round(1000 * context.clock())
    end = now if until is None else round(1000 * until.timestamp())
    begin = end - _USUAL_MS if since is None else round(1000 * since.timestamp())
    if not begin < end or end - begin > _LONGEST_MS:
        raise InputError("from has to be before to, by 400 days at most", field="from")
    incidents = incidents_of(context)
    found = await context.pool.run(
        lambda: delivered(log, incidents, tenant=tenant, service=service, since=begin, until=end)
    )
    weeks = weekly(found.deployments, begin, end)
    if shape is FormatName.CSV:
        return Response(delivery_csv(weeks), media_type="text/csv")
    return json_response(delivery_body(measured(found.deployments, begin, end), weeks, found.notes))


def incidents_of(context: Context) -> IncidentStore | None:
    """None without a stream, and while it is not open yet."""
    if context.correlating is None:
        return None
    try:
        return context.correlating.store
    except StoreError:
        return None
