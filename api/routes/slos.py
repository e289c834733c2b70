"""`/v1/slos`: what is promised, what is left of it, how fast it burns, and what was told of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.loose import Word
from api.bodies.slo import SlosAnswer, slos_body
from api.burning import burns_of
from api.context import In
from api.receiving import tenant_of
from api.routes.delivery import incidents_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from detector.errors import StoreError
from detector.incidents.burns import burn_id
from detector.incidents.ports import IncidentStore
from detector.incidents.record import IncidentFilter
from pipelines.slo.burning import Seen

__all__ = ["incidents_by_alert", "router"]

router = APIRouter(prefix="/v1/slos", tags=["slos"], route_class=ClosedRoute)
# Open incidents of a service in which an alert is looked for.
_MOST = 50


@router.get(
    "",
    summary="Objectives: their budgets, how fast they burn, and alerts on that",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": SlosAnswer, "description": "As of the last look."}},
)
async def slos(
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="Only of this service.")] = None,
) -> Response:
    """What is not known is said so; 404 without objectives in the configuration."""
    found = [
        one for one in burns_of(context.burns).seen if service in (None, one.objective.service)
    ]
    incidents, tenant = incidents_of(context), tenant_of(request)
    linked = await context.pool.run(lambda: incidents_by_alert(incidents, tenant, found))
    return json_response(slos_body(found, linked))


def incidents_by_alert(
    incidents: IncidentStore | None, tenant: str, seen: list[Seen]
) -> dict[str, str]:
    """The incident that an alert that lasts is a part of; none where incidents are away."""
    alerts = {
        burn_id(one.objective, one.alert): one.objective.service
        for one in seen
        if one.alert is not None and one.alert.is_on
    }
    if incidents is None or not alerts:
        return {}
    found: dict[str, str] = {}
    try:
        for service in sorted(set(alerts.values())):
            wanted = IncidentFilter(tenant=tenant, service=service, is_open=True, limit=_MOST)
            for kept in incidents.list(wanted).incidents:
                ids = {symptom.id for symptom in kept.incident.symptoms}
                found |= dict.fromkeys(ids & alerts.keys(), kept.incident.id)
    except StoreError:
        return found
    return found
