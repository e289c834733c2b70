"""Pages as answers: templates, the policy of what a page may load, and errors as pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from api.assets import asset_url, unneeded_styles
from api.context import Context
from api.problems import Overloaded, problem_of
from api.templating import templates_of
from detector.errors import InputError, NotFoundError, StoreError

__all__ = ["Base", "html", "shown"]

# Plotly makes one style element, empty, and fills it through the object model.
EMPTY = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
# Tighter than the edge's: no inline style but the empty one; the list's filter may be sent.
CONTENT_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {EMPTY}; img-src data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def _templates() -> Environment:
    environment = templates_of("api.ui")
    environment.globals |= {"asset": asset_url, "unneeded_styles": unneeded_styles}
    return environment


def html(template: str, status: int = 200, **values: object) -> Response:
    """A page, which no cache keeps."""
    return HTMLResponse(
        _templates().get_template(template).render(**values),
        status,
        headers={"Cache-Control": "no-store", "Content-Security-Policy": CONTENT_POLICY},
    )


async def _base(request: Request) -> str:
    """The address under which the reader sees this serinus."""
    return str(request.base_url).rstrip("/")


Base = Annotated[str, Depends(_base)]


async def shown(context: Context, page: Callable[[], Response]) -> Response:
    """A page made in the bounded room; what goes wrong is a page too."""
    try:
        return await context.pool.run(page)
    except (NotFoundError, InputError, StoreError, Overloaded, TimeoutError) as error:
        told = problem_of(error, None)
        title = HTTPStatus(told.status_code).phrase
        gone = told.status_code == HTTPStatus.NOT_FOUND
        response = html(
            "problem.html", told.status_code, title=title, text=str(error), is_gone=gone
        )
        if "retry-after" in told.headers:
            response.headers["Retry-After"] = told.headers["retry-after"]
        return response
