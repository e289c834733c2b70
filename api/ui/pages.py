"""`/rollouts`: server-rendered pages; the charts need JavaScript, the facts do not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import RedirectResponse, Response

from api.assets import PREFIX, asset, packed
from api.context import Context, In
from api.ui.beside import beside_of
from api.ui.headline import glass_text
from api.ui.listing import list_view
from api.ui.rendering import Base, html, shown
from api.ui.views import rollout_view
from detector.errors import InputError, NotFoundError, SerinusError
from detector.gate.curve import Curve
from detector.gate.record import Filter
from detector.gate.verdict import Outcome

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
TIMELINE = 300
FOR_EVER = "private, max-age=31536000, immutable"
Cursor = Annotated[str, Query(max_length=128)]


@router.get("/")
async def home() -> Response:
    """The list is where one begins."""
    return RedirectResponse("/rollouts", 307)


@router.get("/rollouts")
async def listed(
    context: In,
    base: Base,
    service: Annotated[str, Query(max_length=512)] = "",
    outcome: Annotated[str, Query(max_length=16)] = "",
    before: Cursor = "",
) -> Response:
    """The newest attempts, each once."""
    return await shown(context, lambda: _list(context, service.strip(), outcome, before, base))


@router.get("/rollouts/{id}")
async def one(context: In, base: Base, id: str, before: Cursor = "") -> Response:
    """One attempt; `before` pages its timeline."""
    return await shown(context, lambda: _rollout(context, id, before, base))


def _list(context: Context, service: str, outcome: str, before: str, base: str) -> Response:
    wanted = Filter(
        service=service or None,
        outcome=_outcome(outcome),
        after=before or None,
        limit=PER_PAGE,
        newest_only=True,
    )
    now = context.clock()
    view = list_view(
        context.gate.records.list(wanted),
        service=service,
        outcome=outcome,
        is_first=not before,
        notices=[glass_text(mode, now) for mode in context.gate.people.modes()],
        now=now,
    )
    return html("rollouts.html", view=view, outcomes=[o.value for o in Outcome], base=base)


def _outcome(word: str) -> Outcome | None:
    try:
        return Outcome(word) if word else None
    except ValueError:
        words = ", ".join(Outcome)
        raise InputError(f"outcome is one of {words}, not {word!r}", field="outcome") from None


def _rollout(context: Context, id: str, before: str, base: str) -> Response:
    gate = context.gate
    newest = gate.records.rollout(id, limit=1 if before else TIMELINE)
    shown = gate.records.rollout(id, after=before, limit=TIMELINE) if before else newest
    curves, no_charts = ((), "") if before else _curves(context, id)
    view = rollout_view(
        newest,
        shown,
        tuple(gate.people.modes(newest.attempt.identity.tenant)),
        curves,
        beside=None if before else beside_of(context, newest),
        no_charts=no_charts,
        base=base,
        now=context.clock(),
    )
    return html("rollout.html", view=view)


def _curves(context: Context, id: str) -> tuple[tuple[Curve, ...], str]:
    """The curves, or why there are none: the facts are shown without them."""
    try:
        return context.chart(id), ""
    except SerinusError as error:
        return (), f"The charts could not be drawn: {error}"


@router.get(PREFIX + "/{name}")
async def file(context: In, name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """Style and scripts; the name changes with the content."""
    found = await context.pool.run(asset, name)
    if found is None:
        raise NotFoundError(f"no file {name[:80]!r}")
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in accept_encoding:
        headers["Content-Encoding"] = "gzip"
        return Response(packed(found), headers=headers, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)
