"""`/v1/reports`: reports that are kept, in the forms that people use, and two side by side."""

from __future__ import annotations

import gzip
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.bodies.loose import Cursor, Word
from api.bodies.report import ReportsAnswer, ReportsComparedAnswer, comparison_body, reports_body
from api.context import In
from api.receiving import tenant_of
from api.reporting import Reporting, reporting_of
from api.reports.forms import MEDIA, Form, shaped
from api.reports.page import content_policy
from api.routes.verdicts import PROBLEMS, Id
from api.strict import ClosedRoute, json_response
from detector.errors import ConfigError, DeliveryError
from detector.reports.compare import compared
from detector.reports.kept import ReportFilter

__all__ = ["given", "router"]

router = APIRouter(prefix="/v1/reports", tags=["capacity"], route_class=ClosedRoute)


class Given(StrEnum):
    """Forms that are given over HTTP; a PDF where there is a Chromium to print it."""

    JSON = "json"
    HTML = "html"
    CSV = "csv"
    PNG = "png"
    PDF = "pdf"


_PACKED = frozenset({Form.JSON, Form.HTML, Form.CSV})
_CONTENT: dict[str, Any] = {
    **{MEDIA[Form(one)].partition(";")[0]: {} for one in Given},
    MEDIA[Form.JSON]: {"schema": {"type": "object", "required": ["schema", "report"]}},
}


@router.get(
    "",
    summary="Reports that are kept, newest first",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ReportsAnswer, "description": "One page."}},
)
async def listed(
    request: Request,
    context: In,
    *,
    name: Annotated[
        Word,
        Query(description="Only those of this schedule; `capacity` are those of the background."),
    ] = None,
    cursor: Annotated[Cursor, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Reports on a page.")] = 50,
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, `default` without it."""
    store = reporting_of(context.reporting).store
    wanted = ReportFilter(
        tenant=tenant_of(request), name=name, for_people=name is None, after=cursor, limit=limit
    )
    return json_response(reports_body(await context.pool.run(store.list, wanted)))


@router.get(
    "/{id}",
    summary="One report, as JSON, page, table, picture or PDF",
    response_model=None,
    response_class=Response,
    responses={
        **PROBLEMS,
        501: {**PROBLEMS[503], "description": "There is no Chromium to print a PDF."},
        200: {
            "content": _CONTENT,
            "description": "The report; as JSON in the form in which it is kept.",
        },
    },
)
async def one(
    request: Request,
    context: In,
    id: Id,
    form: Annotated[Given, Query(alias="format", description="Which form.")] = Given.JSON,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """The page stands alone: it may be mailed."""
    reporting, tenant = reporting_of(context.reporting), tenant_of(request)
    is_packed = "gzip" in accept_encoding
    pool = reporting.printer if form is Given.PDF else context.pool
    return await pool.run(given, reporting, tenant, id, Form(form), is_packed)


@router.get(
    "/{before}/against/{after}",
    summary="What two reports say differently",
    response_model=None,
    responses={**PROBLEMS, 200: {"model": ReportsComparedAnswer, "description": "Worse first."}},
)
async def comparison(request: Request, context: In, before: Id, after: Id) -> Response:
    """Dates that moved by no more than forecasts do by themselves are the same."""
    reporting, tenant = reporting_of(context.reporting), tenant_of(request)
    return json_response(await context.pool.run(_compared, reporting, tenant, before, after))


def given(
    reporting: Reporting, tenant: str, id: str, form: Form, is_packed: bool = False
) -> Response:
    """A report in a form; `NotFoundError`, 501 where a PDF cannot be printed here."""
    report = reporting.archive(tenant).opened(id)
    try:
        body = shaped(report, form, reporting.wall, browser=reporting.browser)
    except ConfigError as error:
        raise HTTPException(501, str(error)) from error
    except DeliveryError as error:
        raise HTTPException(503, str(error), headers={"Retry-After": "10"}) from error
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if form is Form.HTML:
        headers["Content-Security-Policy"] = f"{content_policy()}; frame-ancestors 'none'"
    if is_packed and form in _PACKED:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 5, mtime=0)
    return Response(body, headers=headers, media_type=MEDIA[form])


def _compared(reporting: Reporting, tenant: str, before: str, after: str) -> dict[str, Any]:
    archive = reporting.archive(tenant)
    moved = compared(archive.opened(before), archive.opened(after))
    return comparison_body(before, after, moved, reporting.wall)
