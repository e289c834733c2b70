"""`/anomalies`: what left its expected range, by service, severity and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.receiving import tenant_of
from api.streaming import Streaming
from api.ui.asked import moment_of, severity_of, state_of
from api.ui.odd import Odd, odd_of
from api.ui.rendering import Base, html, shown
from api.ui.wording import day_clock
from detector.errors import NotFoundError
from detector.gate.record import Filter
from detector.gate.verdict import Verdict
from detector.stream.anomaly import Severity
from detector.stream.record import AnomalyFilter, AnomalyPage

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE, _ROLLOUTS = 30, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter as it was typed; empty words ask for all."""

    service: str = ""
    severity: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @property
    def words(self) -> dict[str, str]:
        """For the address of the same question."""
        every = {
            "service": self.service,
            "severity": self.severity,
            "state": self.state,
            "from": self.since,
            "to": self.until,
        }
        return {name: word for name, word in every.items() if word}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomaliesView:
    """One page of anomalies, as it was filtered."""

    rows: tuple[Odd, ...]
    asked: Asked
    older: str | None
    now: str


@router.get("/anomalies")
async def listed(  # noqa: PLR0913, PLR0917 - a page is asked for by that many words
    request: Request,
    context: In,
    base: Base,
    service: Annotated[str, Query(max_length=512)] = "",
    severity: Annotated[str, Query(max_length=16)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Those of the tenant that `X-Scope-OrgID` names, newest first."""
    tenant = tenant_of(request)
    asked = Asked(
        service=service.strip(),
        severity=severity,
        state=state,
        since=since.strip(),
        until=until.strip(),
        before=before,
    )
    return await shown(context, lambda: _listed(context, tenant, asked, base))


def _listed(context: Context, tenant: str, asked: Asked, base: str) -> Response:
    wanted = _filter(tenant, asked)
    streaming = streaming_of(context)
    page, now = streaming.anomalies.list(wanted), context.clock()
    link = context.settings.traces.link
    rollouts = _rollouts(context, page)
    view = AnomaliesView(
        rows=tuple(
            odd_of(one, now=now, base=base, link=link, verdicts=rollouts) for one in page.anomalies
        ),
        asked=asked,
        older=page.next,
        now=day_clock(now),
    )
    return html("anomalies.html", view=view, severities=[one.value for one in Severity])


def _rollouts(context: Context, page: AnomalyPage) -> tuple[Verdict, ...]:
    """The newest ones of the time of a page: whoever looks at anomalies looks for what changed."""
    if not page.anomalies:
        return ()
    since = min(one.anomaly.start for one in page.anomalies) / 1000 - 7200.0
    wanted = Filter(since=since, limit=_ROLLOUTS, newest_only=True)
    return context.gate.records.list(wanted).verdicts


def streaming_of(context: Context) -> Streaming:
    """The stream; without one there is nothing to show."""
    if context.streaming is None:
        raise NotFoundError("This serinus has no anomalies: it runs without a stream.")
    return context.streaming


def _filter(tenant: str, asked: Asked) -> AnomalyFilter:
    """`InputError` names the field that cannot be meant."""
    return AnomalyFilter(
        tenant=tenant,
        service=asked.service or None,
        severity=severity_of(asked.severity),
        is_open=state_of(asked.state, closed="closed"),
        since=moment_of(asked.since, "from"),
        until=moment_of(asked.until, "to"),
        after=asked.before or None,
        limit=_PER_PAGE,
    )
