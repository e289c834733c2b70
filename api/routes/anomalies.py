"""`/v1/anomalies`: what left its range, what people say of it, and both as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import TimeoutError as LateError
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.bodies.anomaly import (
    AnomaliesAnswer,
    AnomalyAnswer,
    FeedbackBody,
    anomaly_body,
    event_body,
    page_body,
)
from api.bodies.loose import Cursor, Moment, Word
from api.bodies.traced import Link
from api.context import Context, In
from api.problems import Overloaded
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS, Id
from api.streaming import Streaming
from api.strict import ClosedRoute, json_response, strict_json
from detector.errors import NotFoundError, StoreError
from detector.stream.anomaly import Happened, Severity
from detector.stream.feedback import Feedback
from detector.stream.record import AnomalyFilter, KeptAnomaly, KeptFeedback
from pipelines.flows.followers import Followers

__all__ = ["router"]

router = APIRouter(prefix="/v1/anomalies", tags=["anomalies"], route_class=ClosedRoute)
_LOOK_S, _BEAT_S, _APPLIED_S = 0.5, 15.0, 5.0
_DIGITS = 18


@router.get(
    "",
    summary="Anomalies, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": AnomaliesAnswer, "description": "One page."}},
)
async def listed(  # noqa: PLR0913 - a page is asked for by that many words
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="Only of this service.")] = None,
    metric: Annotated[Word, Query(description="Only of this metric.")] = None,
    severity: Annotated[Severity, Query(description="At least so severe.")] = Severity.LOW,
    lasting: Annotated[bool | None, Query(description="Whether it is still open.")] = None,
    since: Annotated[Moment, Query(alias="from", description="Lasted at or after.")] = None,
    until: Annotated[Moment, Query(alias="to", description="Began before.")] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Anomalies on a page.")] = 50,
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, `default` without it."""
    wanted = AnomalyFilter(
        tenant=tenant_of(request),
        service=service,
        metric=metric,
        severity=severity,
        is_open=lasting,
        since=None if since is None else round(1000 * since.timestamp()),
        until=None if until is None else round(1000 * until.timestamp()),
        after=cursor,
        limit=limit,
    )
    streaming = _streaming(context)
    page = await context.pool.run(streaming.anomalies.list, wanted)
    return json_response(page_body(page, context.settings.traces.link))


@router.get(
    "/stream",
    summary="Anomalies as they happen, as server-sent events",
    response_model=None,
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {"content": {"text/event-stream": {}}, "description": "Events until you leave."},
    },
)
async def followed(
    request: Request,
    context: In,
    last_event_id: Annotated[str | None, Header(description="The last one you have.")] = None,
) -> Response:
    """From now on, or after `Last-Event-ID`, which a restart does not change: each event once."""
    followed, tenant = _streaming(context).followed, tenant_of(request)
    return StreamingResponse(
        _events(request, context, followed, tenant, _known(last_event_id, followed)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get(
    "/{id}",
    summary="One anomaly",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": AnomalyAnswer, "description": "The anomaly."}},
)
async def one(request: Request, context: In, id: Id) -> Response:
    """As it was last told."""
    streaming = _streaming(context)
    kept = await context.pool.run(streaming.anomalies.get, tenant_of(request), id)
    return json_response(anomaly_body(kept, context.settings.traces.link))


@router.post(
    "/{id}/feedback",
    status_code=201,
    summary="A person says whether it was real",
    response_model=None,
    responses={**PROBLEMS, 201: {"model": AnomalyAnswer, "description": "It is applied."}},
)
async def feedback(
    request: Request, context: In, id: Id, body: Annotated[FeedbackBody, Body()]
) -> Response:
    """Changes what its series need to alarm again: `tuning` of each contribution."""
    streaming, tenant = _streaming(context), tenant_of(request)
    kept = await context.pool.run(_said, streaming, tenant, id, body, round(context.clock() * 1000))
    return json_response(anomaly_body(kept, context.settings.traces.link), 201)


def _said(streaming: Streaming, tenant: str, id: str, body: FeedbackBody, at: int) -> KeptAnomaly:
    kept = streaming.anomalies.get(tenant, id)
    anomaly = kept.anomaly
    told = Feedback(
        anomaly=id,
        judged=body.verdict,
        at=at,
        series=tuple(one.series for one in anomaly.contributions),
        surprise=tuple(one.surprise for one in anomaly.contributions),
        person=body.person,
        note=body.note,
        named=tuple(kept.series[one.series] for one in anomaly.contributions),
    )
    said = KeptFeedback(at=at, judged=body.verdict, person=body.person, note=body.note)
    applied = streaming.say(kept, told, said)
    try:
        applied.result(_APPLIED_S)
    except LateError as error:
        raise TimeoutError("It is noted, and applied once what waits is judged.") from error
    return streaming.anomalies.get(tenant, id)


def _known(told: str | None, followed: Sequence[Followers]) -> list[int]:
    """Up to which number somebody has heard of each; one that was never given is none."""
    asked = dict(enumerate((told or "").split("-")))
    return [
        _number(asked.get(place, ""), followers.newest) for place, followers in enumerate(followed)
    ]


def _number(asked: str, newest: int) -> int:
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= _DIGITS
    return min(int(asked), newest) if is_number else newest


async def _events(
    request: Request,
    context: Context,
    followed: Sequence[Followers],
    tenant: str,
    known: list[int],
) -> AsyncIterator[bytes]:
    """Looks twice a second; a comment now and then keeps proxies from closing it.

    Where the store fails it ends: who follows comes back with what it has.
    """
    quiet = _BEAT_S
    while not await request.is_disconnected():
        for place, followers in enumerate(followed):
            try:
                found, up_to = await _after(context, followers, known[place])
            except (Overloaded, StoreError, TimeoutError):
                return
            for number, happened in found:
                known[place] = number
                if happened.anomaly.tenant == tenant:
                    yield _event("-".join(map(str, known)), happened, context.settings.traces.link)
            known[place] = up_to
        quiet += _LOOK_S
        if quiet >= _BEAT_S:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_S)


async def _after(
    context: Context, followers: Followers, known: int
) -> tuple[list[tuple[int, Happened]], int]:
    """What comes after a number, and up to which number that is all."""
    found = followers.after(known)
    if found is None:
        return await context.pool.run(followers.missed, known)
    return found, found[-1][0] if found else known


def _event(id: str, happened: Happened, link: Link) -> bytes:
    data = strict_json(event_body(happened, link))
    return b"id: %s\nevent: anomaly\ndata: %s\n\n" % (id.encode(), data)


def _streaming(context: Context) -> Streaming:
    if context.streaming is None:
        raise NotFoundError("This serinus has no anomalies: it runs without a stream.")
    return context.streaming
