"""`/reports`: which reports are kept; `/reports/{id}`: one of them, as a page that stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.receiving import tenant_of
from api.reporting import reporting_of
from api.reports.forms import Form
from api.routes.reports import given
from api.routes.verdicts import Id
from api.ui.rendering import html, shown
from detector.reports.kept import KeptReport, ReportFilter

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One report in the list."""

    id: str
    title: str
    scope: str
    schedule: str
    at: str


@router.get("/reports")
async def listed(
    request: Request,
    context: In,
    name: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, newest first."""
    tenant = tenant_of(request)
    return await shown(context, lambda: _listed(context, tenant, name.strip(), before))


@router.get("/reports/{id}")
async def one(
    request: Request, context: In, id: Id, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """It is the same file that is mailed."""
    tenant, is_packed = tenant_of(request), "gzip" in accept_encoding
    return await shown(
        context,
        lambda: given(reporting_of(context.reporting), tenant, id, Form.HTML, is_packed),
    )


def _listed(context: Context, tenant: str, name: str, before: str) -> Response:
    reporting = reporting_of(context.reporting)
    wanted = ReportFilter(
        tenant=tenant,
        name=name or None,
        for_people=not name,
        after=before or None,
        limit=_PER_PAGE,
    )
    page = reporting.store.list(wanted)
    rows = tuple(_row(kept, reporting.wall.minute(kept.at)) for kept in page.reports)
    return html("reports.html", rows=rows, name=name, before=before, older=page.next)


def _row(kept: KeptReport, at: str) -> ReportRow:
    return ReportRow(id=kept.id, title=kept.title, scope=kept.scope, schedule=kept.name, at=at)
