"""`/digest`: a week of each team, what was held back, and how right rules and policies were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.receiving import tenant_of
from api.routes.digest import notes_of
from api.ui.digest_view import (
    PolicyRow,
    TeamView,
    Turn,
    policy_row,
    span_words,
    team_view,
    turn_of,
)
from api.ui.rendering import html, shown
from api.weekly import weekly_of
from detector.alerts.digest import Digest
from detector.errors import InputError

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_PER_PAGE, _POLICIES = 20, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A week; `words` are those of its address, `is_over` whether it is whole."""

    teams: tuple[TeamView, ...]
    policies: tuple[PolicyRow, ...]
    more_policies: int
    notes: tuple[str, ...]
    words: dict[str, str]
    turn: Turn
    after: str
    following: str | None
    since: str
    until: str
    is_over: bool
    has_rules: bool


@router.get("/digest")
async def digest(
    request: Request,
    context: In,
    team: Annotated[str, Query(max_length=200)] = "",
    week: Annotated[str, Query(max_length=10)] = "",
    after: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Of the tenant that `X-Scope-OrgID` names; the last whole week if no day is given."""
    tenant = tenant_of(request)
    return await shown(context, lambda: _page(context, tenant, team.strip(), week, after))


def _page(context: Context, tenant: str, team: str, week: str, after: str) -> Response:
    weekly = weekly_of(context.weekly)
    span = weekly.span(_day(week))
    scores, now = weekly.scores(tenant, span), weekly.clock()
    teams, following = _cut(weekly.digests(tenant, span, team or None), after)
    since, until = span_words(span)
    every = {"team": team, "week": week}
    view = DigestView(
        teams=tuple(team_view(one) for one in teams),
        policies=tuple(policy_row(one) for one in scores[:_POLICIES]),
        more_policies=max(0, len(scores) - _POLICIES),
        notes=tuple(notes_of(weekly, scores)),
        words={name: word for name, word in every.items() if word},
        turn=turn_of(span, now),
        after=after,
        following=following,
        since=since,
        until=until,
        is_over=span.until < now,
        has_rules=weekly.settings.alerts.route is not None,
    )
    return html("digest.html", view=view)


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise InputError(f"week: {word!r} is no day: write 2026-11-23", field="week") from None


def _cut(digests: Sequence[Digest], after: str) -> tuple[Sequence[Digest], str | None]:
    """One page of teams, by name, and the last of it where more follow."""
    rest = [one for one in digests if one.team > after]
    page = rest[:_PER_PAGE]
    return page, page[-1].team if len(rest) > len(page) else None
