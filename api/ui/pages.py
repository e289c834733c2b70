"""`/rollouts`: server-rendered pages; the charts need JavaScript, the facts do not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.context import Context, In
from api.problems import Overloaded, problem_of
from api.ui.assets import PREFIX, asset, asset_url, packed, unneeded_styles
from api.ui.headline import glass_text
from api.ui.views import list_view, rollout_view
from detector.errors import InputError, NotFoundError, SerinusError, StoreError
from detector.gate.curve import Curve
from detector.gate.record import Filter
from detector.gate.verdict import Outcome

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
TIMELINE = 300
# Plotly makes one style element, empty, and fills it through the object model.
EMPTY = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
# Tighter than the edge's: no inline style but the empty one; the list's filter may be sent.
CONTENT_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {EMPTY}; img-src data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FOR_EVER = "private, max-age=31536000, immutable"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("api.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset_url, "unneeded_styles": unneeded_styles}
    return environment


def _html(template: str, status: int = 200, **values: object) -> Response:
    return HTMLResponse(
        _templates().get_template(template).render(**values),
        status,
        headers={"Cache-Control": "no-store", "Content-Security-Policy": CONTENT_POLICY},
    )


async def _base(request: Request) -> str:
    """The address under which the reader sees this serinus."""
    return str(request.base_url).rstrip("/")


Base = Annotated[str, Depends(_base)]
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
    return await _shown(context, lambda: _list(context, service.strip(), outcome, before, base))


@router.get("/rollouts/{id}")
async def one(context: In, base: Base, id: str, before: Cursor = "") -> Response:
    """One attempt; `before` pages its timeline."""
    return await _shown(context, lambda: _rollout(context, id, before, base))


async def _shown(context: Context, page: Callable[[], Response]) -> Response:
    """A page made in the bounded room; what goes wrong is a page too."""
    try:
        return await context.pool.run(page)
    except (NotFoundError, InputError, StoreError, Overloaded, TimeoutError) as error:
        told = problem_of(error, None)
        title = HTTPStatus(told.status_code).phrase
        response = _html("problem.html", told.status_code, title=title, text=str(error))
        if "retry-after" in told.headers:
            response.headers["Retry-After"] = told.headers["retry-after"]
        return response


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
    return _html("rollouts.html", view=view, outcomes=[o.value for o in Outcome], base=base)


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
        is_older=bool(before),
        no_charts=no_charts,
        base=base,
        now=context.clock(),
    )
    return _html("rollout.html", view=view)


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
