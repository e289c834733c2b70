"""`/v1/templates`: what services write into their logs, how often, and since when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.loose import Cursor, Moment, Word
from api.bodies.template import TemplatesAnswer, templates_body
from api.context import Context, In
from api.receiving import tenant_of
from api.routes.verdicts import PROBLEMS, Id
from api.strict import ClosedRoute, json_response
from detector.errors import NotFoundError
from detector.logs.kept import TemplateFilter, TemplateStore
from detector.logs.lines import Level

__all__ = ["LevelName", "router"]

router = APIRouter(prefix="/v1/templates", tags=["logs"], route_class=ClosedRoute)


class LevelName(StrEnum):
    """Levels of log lines, as they are asked for."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


@router.get(
    "",
    summary="Templates of log lines, those that came last first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": TemplatesAnswer, "description": "One page."}},
)
async def listed(
    request: Request,
    context: In,
    *,
    service: Annotated[Word, Query(description="Only of this service.")] = None,
    level: Annotated[LevelName | None, Query(description="At least so grave.")] = None,
    text: Annotated[Word, Query(description="The template has this in it.")] = None,
    since: Annotated[Moment, Query(description="Came in at or after.")] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Templates on a page.")] = 50,
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, `default` without it."""
    wanted = TemplateFilter(
        tenant=tenant_of(request),
        service=service,
        level=Level.UNKNOWN if level is None else Level[level.name],
        text=text,
        since=None if since is None else round(1000 * since.timestamp()),
        after=cursor,
        limit=limit,
    )
    return json_response(templates_body(await context.pool.run(_store(context).list, wanted)))


@router.get(
    "/{id}",
    summary="One template, in every service and at every level that has it",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": TemplatesAnswer, "description": "The template."}},
)
async def one(request: Request, context: In, id: Id) -> Response:
    """As it was last counted."""
    store = _store(context)
    return json_response(templates_body(await context.pool.run(store.get, tenant_of(request), id)))


def _store(context: Context) -> TemplateStore:
    if context.streaming is None or not context.settings.logs.enabled:
        raise NotFoundError("This serinus has no templates: it takes no logs.")
    return context.streaming.logs.templates
