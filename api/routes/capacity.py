"""`/v1/capacity` and `/v1/forecasts`: what runs out when, and what a series will be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator
from starlette.responses import Response

from api.bodies.capacity import CapacityAnswer, capacity_body
from api.bodies.forecast import ForecastAnswer, foretold_body, outlook_body
from api.bodies.loose import Cursor, Text, Word
from api.capacity import Capacity
from api.context import Context, In
from api.routes.verdicts import PROBLEMS
from api.strict import ClosedRoute, json_response
from detector.capacity.assessed import Assessment
from detector.capacity.packs.schema import Fold
from detector.capacity.packs.sense import flaw_of
from detector.capacity.resource import Kind
from detector.errors import InputError, NotFoundError
from pipelines.capacity.asking import CapacityFilter, page_of
from pipelines.capacity.forecasting import Foretold, Past, foretold
from pipelines.capacity.signals import signal_query

__all__ = ["router"]

_DAY_S = 86_400
# Steps of an answer: 14 days of hours are 336.
_POINTS_MOST = 2500
router = APIRouter(tags=["capacity"], route_class=ClosedRoute)


def _coverages(values: list[float]) -> list[float]:
    for value in values:
        if not 0 < value < 1:
            raise ValueError("must be > 0 and < 1")
    return sorted(set(values))


Coverages = Annotated[
    list[float],
    Query(max_length=10, description="Of the intervals; may be repeated."),
    AfterValidator(_coverages),
]


def _filter(
    service: Annotated[Word, Query(description="Only of this service.")] = None,
    team: Annotated[Word, Query(description="Only of this team.")] = None,
    namespace: Annotated[Word, Query(description="Only of this namespace.")] = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    within_days: Annotated[
        int | None, Query(ge=1, le=366, description="Only what runs out by then, by its P50.")
    ] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Resources on a page.")] = 50,
) -> CapacityFilter:
    return CapacityFilter(
        service=service,
        team=team,
        namespace=namespace,
        kind=kind,
        within_days=within_days,
        after=cursor,
        limit=limit,
    )


@router.get(
    "/v1/capacity",
    summary="Resources, and when they run out, the most urgent first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": CapacityAnswer, "description": "As last assessed."}},
)
async def listed(
    context: In,
    wanted: Annotated[CapacityFilter, Depends(_filter)],
    curves: Annotated[bool, Query(description="With usage and outlook, day by day.")] = False,
) -> Response:
    """From the last assessment, which is made in the background: nobody who asks waits for it."""
    capacity = _capacity(context)
    page = await context.pool.run(page_of, capacity.kept, wanted)
    problem = capacity.refreshing.problem
    if page.report is None and not problem:
        problem = "the first assessment is under way"
    return json_response(
        capacity_body(
            page.report,
            page.assessments,
            problem=problem,
            following=page.next,
            curves=curves,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Of:
    """What is to be foretold: a resource, a signal of a service, or a query."""

    resource: str | None
    service: str | None
    namespace: str | None
    signal: str | None
    query: str | None


def _of(
    resource: Annotated[Text, Query(description="An `id` of `/v1/capacity`.")] = None,
    service: Annotated[Word, Query(description="With `signal`: whose.")] = None,
    namespace: Annotated[Word, Query(description="With `service`: where it runs.")] = None,
    signal: Annotated[
        Word, Query(description="`requests`, or a signal that discovery binds to the service.")
    ] = None,
    query: Annotated[Text, Query(description="PromQL that gives one series.")] = None,
) -> _Of:
    if sum(one is not None for one in (resource, signal, query)) != 1:
        raise InputError("give one of resource, signal (with service), query", field="query")
    return _Of(resource=resource, service=service, namespace=namespace, signal=signal, query=query)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """How far back is looked, and how far ahead."""

    horizon_days: int
    history_days: int
    fold: Fold


def _span(
    horizon_days: Annotated[int, Query(ge=1, le=366, description="How far ahead.")] = 14,
    history_days: Annotated[
        int, Query(ge=14, le=400, description="How far back; beyond 90 by days.")
    ] = 56,
    hour: Annotated[Fold, Query(description="What an hour or day is told by.")] = Fold.MEAN,
) -> _Span:
    points = horizon_days * (24 if history_days <= 90 else 1)
    if points > _POINTS_MOST:
        raise InputError(
            f"{points:,} hours ahead are over {_POINTS_MOST:,}: look at over 90 days of history,"
            " which are told by days",
            field="horizon_days",
        )
    return _Span(horizon_days=horizon_days, history_days=history_days, fold=hour)


@router.get(
    "/v1/forecasts",
    summary="What a resource, a signal or a query will be, with intervals",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ForecastAnswer, "description": "Step by step."}},
)
async def forecasts(
    context: In,
    of: Annotated[_Of, Depends(_of)],
    span: Annotated[_Span, Depends(_span)],
    coverage: Coverages = [0.8, 0.95],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Of a resource as it was last assessed; a signal or a query is read and foretold now."""
    capacity = _capacity(context)
    if of.resource is not None:
        found = await context.pool.run(_found, capacity, of.resource)
        return json_response(outlook_body(found))
    now = context.clock()
    said, told = await context.pool.run(_foretold, context, capacity, of, span, now)
    return json_response(foretold_body(said, told, coverage, round(1000 * now)))


def _capacity(context: Context) -> Capacity:
    if context.capacity is None:
        raise NotFoundError("this serinus assesses no capacity: set capacity.enabled: true")
    return context.capacity


def _found(capacity: Capacity, id: str) -> Assessment:
    report = capacity.kept.last()
    every = () if report is None else report.assessments
    found = next((one for one in every if one.identity.key == id), None)
    if found is None:
        raise NotFoundError(f"there is no resource {id[:200]!r}; /v1/capacity lists them")
    return found


def _foretold(
    context: Context, capacity: Capacity, of: _Of, span: _Span, now: float
) -> tuple[str, Foretold]:
    """The query that was read, and what it will be."""
    bound_s = context.settings.limits.source_s
    until = time.monotonic() + bound_s
    query = _query(context, of, now, bound_s)
    past = Past(
        as_of=now,
        days=span.history_days,
        fold=span.fold,
        calendar=context.settings.stream.calendar(),
        changes=_changes(capacity, of, span, now),
    )
    told = foretold(
        capacity.ranges,
        query,
        past,
        ahead_s=span.horizon_days * _DAY_S,
        timeout_s=max(until - time.monotonic(), 0.0),
    )
    return query, told


def _changes(capacity: Capacity, of: _Of, span: _Span, now: float) -> Sequence[int]:
    """Known ones of the service that is asked about, in unix ms."""
    if of.service is None:
        return ()
    since = now - span.history_days * _DAY_S
    return capacity.changed(of.service, of.namespace or "", round(1000 * since), round(1000 * now))


def _query(context: Context, of: _Of, now: float, timeout_s: float) -> str:
    """What is read; `InputError` for what cannot be."""
    if of.query is not None:
        flaw = flaw_of(of.query)
        if flaw is not None:
            raise InputError(f"the query {flaw}", field="query")
        return of.query
    if of.service is None or of.signal is None:
        raise InputError("a signal is of a service: give both", field="service")
    if context.services is None:
        raise NotFoundError("this serinus has no metric source to look for services in")
    return signal_query(
        context.services,
        of.service,
        of.signal,
        namespace=of.namespace,
        now=now,
        timeout_s=timeout_s,
    )
