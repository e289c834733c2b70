"""`/slos`: every objective with what is left of its budget, how it burns, and what was told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.burning import burns_of
from api.context import Context, In
from api.receiving import tenant_of
from api.routes.delivery import incidents_of
from api.routes.slos import incidents_by_alert
from api.ui.rendering import html, shown
from api.ui.slo_view import SloCard, cards_of
from api.ui.wording import day_clock
from detector.errors import InputError
from detector.slo.burn import Burning

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
_PER_PAGE, _PAGES = 20, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SlosView:
    """One page of objectives; `counts` are of all that fit but the state that was asked for."""

    cards: tuple[SloCard, ...]
    counts: tuple[tuple[str, int], ...]
    words: dict[str, str]
    page: int
    has_more: bool
    now: str


@router.get("/slos")
async def slos(
    request: Request,
    context: In,
    service: Annotated[str, Query(max_length=512)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    page: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """As of the last look; links lead to incidents of the tenant of `X-Scope-OrgID`."""
    tenant = tenant_of(request)
    return await shown(context, lambda: _page(context, tenant, service.strip(), state, page))


def _page(context: Context, tenant: str, service: str, state: str, page: str) -> Response:
    wanted, number = _state(state), _number(page)
    if context.burns is None:
        return html("slos.html", view=None, states=_states())
    burns, now = burns_of(context.burns), context.clock()
    seen = [one for one in burns.seen if service in {"", one.objective.service}]
    known = {(one.objective.service, one.objective.name) for one in burns.seen}
    missing = [
        one
        for one in burns.objectives
        if (one.service, one.name) not in known and service in {"", one.service}
    ]
    linked = incidents_by_alert(incidents_of(context), tenant, seen)
    every = cards_of(seen, missing, linked, now)
    fitting = [card for card in every if wanted in {None, card.state}]
    counts, begin = Counter(card.state for card in every), _PER_PAGE * (number - 1)
    view = SlosView(
        cards=tuple(fitting[begin : begin + _PER_PAGE]),
        counts=tuple((one.value, counts[one]) for one in reversed(Burning) if counts[one]),
        words={name: word for name, word in (("service", service), ("state", state)) if word},
        page=number,
        has_more=len(fitting) > begin + _PER_PAGE,
        now=day_clock(now),
    )
    return html("slos.html", view=view, states=_states())


def _states() -> list[str]:
    return [one.value for one in reversed(Burning)]


def _state(word: str) -> Burning | None:
    try:
        return Burning(word) if word else None
    except ValueError:
        words = ", ".join(Burning)
        raise InputError(f"state is one of {words}, not {word!r}", field="state") from None


def _number(word: str) -> int:
    if not word:
        return 1
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= _PAGES):
        raise InputError(f"page is from 1 to {_PAGES}, not {word!r}", field="page")
    return int(word)
