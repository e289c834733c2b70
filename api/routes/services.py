"""`/v1/services`: which there are, what would be judged of each, and who calls whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.comparison import ComparisonAnswer, comparison_body
from api.bodies.graph import GraphAnswer, graph_body
from api.bodies.loose import Cursor, Moment, Word
from api.bodies.services import ServicesAnswer, SignalsAnswer, page_body, portrait_body
from api.context import Context, In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from detector.errors import NotFoundError
from detector.gate.request import VerdictRequest
from detector.spans.shift import Arms, Measure
from pipelines.flows.services import Services

__all__ = ["router"]

router = APIRouter(prefix="/v1/services", tags=["services"], route_class=ClosedRoute)

# Clocks of services differ.
_AHEAD_MS = 600_000
Name = Annotated[str, Path(min_length=1, max_length=253, description="The service.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Services on a page.")]
Arm = Annotated[Word, Query(description="PromQL label selector; found by itself if not given.")]


@router.get(
    "",
    summary="Services that the metric source knows",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ServicesAnswer, "description": "By name."}},
)
async def listed(
    context: In,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Limit = 50,
) -> Response:
    """Found by the labels of what counts requests; what was too much to look at is named."""
    page = await context.pool.run(_services(context).listed, after=cursor, limit=limit)
    return json_response(page_body(page))


@router.get(
    "/{service}/signals",
    summary="What would be judged of a service",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": SignalsAnswer, "description": "Its signals."}},
)
async def signals(
    context: In,
    *,
    service: Name,
    canary: Arm = None,
    control: Arm = None,
    namespace: Annotated[Word, Query(description="Where the service runs.")] = None,
    cluster: Annotated[Word, Query(description="In which cluster.")] = None,
    policy: Annotated[Word, Query(description="The policy of the self-test.")] = None,
    test: Annotated[bool, Query(description="Whether to try it on the newest samples.")] = False,
) -> Response:
    """Each signal with its query, unit, amount of data and confidence, and what is not bound."""
    request = VerdictRequest(
        service=service,
        canary=canary or "",
        control=control,
        namespace=namespace,
        cluster=cluster,
        policy=await context.pool.run(context.gate.people.policy, policy or "default"),
    )
    portrait = await context.pool.run(_services(context).portrait, request, test=test)
    return json_response(portrait_body(portrait))


@router.get(
    "/{service}/graph",
    summary="Who calls a service, and whom it calls",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": GraphAnswer, "description": "Its calls."}},
)
async def calls(request: Request, context: In, service: Name) -> Response:
    """By the spans of the last minutes, with rates, errors and durations."""
    if context.streaming is None or not context.settings.logs.enabled:
        raise NotFoundError("This serinus knows no calls: it takes no traces.")
    found = await context.pool.run(context.streaming.logs.graph, tenant_of(request), service)
    if found is None or not found.edges:
        raise NotFoundError(f"there are no spans of {service!r}")
    return json_response(graph_body(service, found))


Versions = Annotated[
    list[str], Query(min_length=1, max_length=20, description="A version; may be repeated.")
]


@router.get(
    "/{service}/comparison",
    summary="Where requests of some versions spend more time than those of others",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ComparisonAnswer, "description": "Differences."}},
)
async def compared(
    request: Request,
    context: In,
    *,
    service: Name,
    canary: Versions,
    control: Versions,
    since: Annotated[Moment, Query(description="Requests that began at or after.")] = None,
    measure: Annotated[Measure, Query(description="`own`: without children.")] = Measure.PATH,
) -> Response:
    """By the traces that were kept, on the critical path of each or by their own time."""
    if context.streaming is None or not context.settings.logs.enabled:
        raise NotFoundError("This serinus compares no traces: it takes none.")
    now = round(1000 * context.clock())
    begin = 0 if since is None else round(1000 * since.timestamp())
    arms = Arms(
        service=service,
        canary=frozenset(canary),
        control=frozenset(control),
        since=begin,
        until=now + _AHEAD_MS,
    )
    tenant, ask = tenant_of(request), context.streaming.logs.shifts
    found = await context.pool.run(ask, tenant, arms, measure)
    if found is None:
        raise NotFoundError(f"there are no spans of {service!r}")
    return json_response(comparison_body(arms, measure, found))


def _services(context: Context) -> Services:
    if context.services is None:
        raise NotFoundError("this serinus has no metric source to look for services in")
    return context.services
