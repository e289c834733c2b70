"""`/delivery`: how often is deployed, how fast, how often it fails, how soon that is mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.bodies.numbers import time_text
from api.changing import changing_of
from api.context import Context, In
from api.receiving import tenant_of
from api.routes.delivery import incidents_of
from api.ui.delivery_view import Card, DeploymentRow, Share, cards_of, deployment_row, shares_of
from api.ui.rendering import html, shown
from api.ui.wording import day_clock
from detector.delivery.deployments import Deployment
from detector.delivery.measures import WEEK_MS, measured, weekly
from detector.errors import InputError
from pipelines.capacity.wanted import Wanted
from pipelines.flows.delivery import Delivered, delivered

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_PER_PAGE = 30
_WEEKS = (4, 12, 26, 52)
_USUAL = 12
_ONLY: Mapping[str, tuple[str, Callable[[Deployment], bool]]] = {
    "": ("All", lambda _: True),
    "failed": ("Failed", lambda one: one.has_failed),
    "merged": ("With a merge that was told", lambda one: one.lead_ms is not None),
    "mended": ("Failed and mended", lambda one: any(m.end is not None for m in one.mended)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for; empty words ask for all."""

    service: str
    team: str
    weeks: int
    only: str
    before: str

    @property
    def words(self) -> dict[str, str]:
        """For the address of the same measures."""
        every = {"service": self.service, "team": self.team}
        said = {name: word for name, word in every.items() if word}
        return said if self.weeks == _USUAL else {**said, "weeks": str(self.weeks)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """The measures, and one page of the deployments behind them."""

    asked: Asked
    cards: tuple[Card, ...]
    services: tuple[Share, ...]
    more_services: int
    teams: tuple[Share, ...]
    rows: tuple[DeploymentRow, ...]
    older: str | None
    notes: tuple[str, ...]
    csv: dict[str, str]
    since: str
    until: str
    is_empty: bool


@router.get("/delivery")
async def delivery(
    request: Request,
    context: In,
    service: Annotated[str, Query(max_length=512)] = "",
    team: Annotated[str, Query(max_length=200)] = "",
    weeks: Annotated[str, Query(max_length=8)] = "",
    only: Annotated[str, Query(max_length=16)] = "",
    before: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Of the tenant that `X-Scope-OrgID` names, up to now."""
    tenant = tenant_of(request)

    def made() -> Response:
        asked = Asked(
            service=service.strip(),
            team=team.strip(),
            weeks=_weeks(weeks),
            only=_only(only),
            before=before,
        )
        return _page(context, tenant, asked)

    return await shown(context, made)


def _weeks(word: str) -> int:
    words = [str(count) for count in _WEEKS]
    if word and word not in words:
        raise InputError(f"weeks is one of {', '.join(words)}, not {word!r}", field="weeks")
    return int(word or _USUAL)


def _only(word: str) -> str:
    if word not in _ONLY:
        words = ", ".join(one for one in _ONLY if one)
        raise InputError(f"only is one of {words}, not {word!r}", field="only")
    return word


def _page(context: Context, tenant: str, asked: Asked) -> Response:
    log, now = changing_of(context.changing).doors.log, context.clock()
    until = round(1000 * now)
    found = delivered(
        log,
        incidents_of(context),
        tenant=tenant,
        service=asked.service or None,
        since=until - asked.weeks * WEEK_MS,
        until=until,
    )
    teams = context.settings.capacity.teams
    view = _view(asked, found, teams, now)
    return html("delivery.html", view=view, spans=_WEEKS, kinds=_kinds(), teams=tuple(teams))


def _view(
    asked: Asked, found: Delivered, teams: Mapping[str, tuple[str, ...]], now: float
) -> DeliveryView:
    until = round(1000 * now)
    since = until - asked.weeks * WEEK_MS
    own = _of_team(found.deployments, teams, asked.team)
    rows, older = _listed(own, asked, now)
    by_service, more, by_team = _shares(own, asked, teams, (since, until))
    return DeliveryView(
        asked=asked,
        cards=cards_of(measured(own, since, until), weekly(own, since, until)),
        services=by_service,
        more_services=more,
        teams=by_team,
        rows=rows,
        older=older,
        notes=found.notes,
        csv=_csv(asked, since, until),
        since=day_clock(since / 1000),
        until=day_clock(now),
        is_empty=not own,
    )


def _shares(
    own: Sequence[Deployment],
    asked: Asked,
    teams: Mapping[str, tuple[str, ...]],
    span: tuple[int, int],
) -> tuple[tuple[Share, ...], int, tuple[Share, ...]]:
    """By service, how many of these more, and by team; one alone is not held beside itself."""
    if asked.service:
        return (), 0, ()
    services, more = shares_of(own, *span, lambda one: one.service)
    team_of = Wanted(teams=teams).team_of
    by_team = () if asked.team else shares_of(own, *span, lambda one: team_of(one.service))[0]
    return services, more, by_team


def _kinds() -> list[tuple[str, str]]:
    return [(word, title) for word, (title, _) in _ONLY.items()]


def _csv(asked: Asked, since: int, until: int) -> dict[str, str]:
    """The words that the API takes for the same: it knows services, not teams."""
    service = {"service": asked.service} if asked.service else {}
    return {**service, "from": time_text(since), "to": time_text(until), "format": "csv"}


def _of_team(
    deployments: Sequence[Deployment], teams: Mapping[str, tuple[str, ...]], team: str
) -> tuple[Deployment, ...]:
    """Those of the services of a team; `InputError` for a team that nobody named."""
    if not team:
        return tuple(deployments)
    if team not in teams:
        known = ", ".join(teams) or "none is named in capacity.teams"
        raise InputError(f"team: there is no {team[:80]!r} ({known})", field="team")
    team_of = Wanted(teams=teams).team_of
    return tuple(one for one in deployments if team_of(one.service) == team)


def _listed(
    own: Sequence[Deployment], asked: Asked, now: float
) -> tuple[tuple[DeploymentRow, ...], str | None]:
    """One page, the newest first, and where the next one begins."""
    edge = _cursor(asked.before)
    wanted = [one for one in own if _ONLY[asked.only][1](one)]
    wanted.sort(key=lambda one: (one.at, one.change), reverse=True)
    rest = [one for one in wanted if edge is None or (one.at, one.change) < edge]
    rows, last = rest[:_PER_PAGE], len(rest) > _PER_PAGE
    older = f"{rows[-1].at}.{rows[-1].change}" if last else None
    return tuple(deployment_row(one, now) for one in rows), older


def _cursor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    at, _, change = text.partition(".")
    if not (at.isascii() and at.isdigit() and change):
        raise InputError(f"before: {text[:40]!r} is no cursor of this list", field="before")
    return int(at), change
