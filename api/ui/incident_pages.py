"""`/incidents`: what is wrong and what it may come of; `/incidents/{id}`: all of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.correlating import correlating_of
from api.receiving import tenant_of
from api.routes.verdicts import Id
from api.ui.asked import moment_of, severity_of, state_of
from api.ui.incident_view import IncidentRow, incident_row, incident_view
from api.ui.rendering import Base, html, shown
from api.ui.wording import day_clock
from detector.incidents.record import IncidentFilter
from detector.stream.anomaly import Severity

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_PER_PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsView:
    """One page of incidents, as it was filtered: `words` are those of its address."""

    rows: tuple[IncidentRow, ...]
    words: dict[str, str]
    before: str
    older: str | None
    now: str


@router.get("/incidents")
async def listed(  # noqa: PLR0917 - a page is asked for by that many words
    request: Request,
    context: In,
    service: Annotated[str, Query(max_length=512)] = "",
    severity: Annotated[str, Query(max_length=16)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, newest first."""
    every = {
        "service": service.strip(),
        "severity": severity,
        "state": state,
        "from": since.strip(),
        "to": until.strip(),
    }
    words = {name: word for name, word in every.items() if word}
    tenant = tenant_of(request)
    return await shown(context, lambda: _listed(context, tenant, words, before))


@router.get("/incidents/{id}")
async def one(request: Request, context: In, base: Base, id: Id) -> Response:
    """As it is now."""
    tenant = tenant_of(request)
    return await shown(context, lambda: _one(context, tenant, id, base))


def _listed(context: Context, tenant: str, words: dict[str, str], before: str) -> Response:
    wanted = _filter(tenant, words, before)
    page, now = correlating_of(context.correlating).store.list(wanted), context.clock()
    view = IncidentsView(
        rows=tuple(incident_row(one, now) for one in page.incidents),
        words=words,
        before=before,
        older=page.next,
        now=day_clock(now),
    )
    return html("incidents.html", view=view, severities=[one.value for one in Severity])


def _one(context: Context, tenant: str, id: str, base: str) -> Response:
    correlating = correlating_of(context.correlating)
    kept, case = correlating.store.get(tenant, id), correlating.case(tenant, id)
    view = incident_view(kept, now=context.clock(), base=base, case=case)
    return html("incident.html", view=view)


def _filter(tenant: str, words: dict[str, str], before: str) -> IncidentFilter:
    """`InputError` names the field that cannot be meant."""
    return IncidentFilter(
        tenant=tenant,
        service=words.get("service"),
        severity=severity_of(words.get("severity", "")),
        is_open=state_of(words.get("state", ""), closed="over"),
        since=moment_of(words.get("from", ""), "from"),
        until=moment_of(words.get("to", ""), "to"),
        after=before or None,
        limit=_PER_PAGE,
    )
