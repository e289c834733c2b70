"""JSON as the standard has it, in and out: no NaN, no infinity, no endless nesting."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["ClosedRoute", "StrictRoute", "json_response", "read_json", "strict_json"]

_ENCODER = msgspec.json.Encoder()


def strict_json(value: object) -> bytes:
    """UTF-8 JSON; NaN and infinities become null."""
    return _ENCODER.encode(value)


def json_response(value: object, status: int = 200) -> Response:
    """An answer that no cache keeps."""
    return Response(
        strict_json(value),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def read_json(body: bytes) -> object:
    """The value; `json.JSONDecodeError` for what is not strict JSON or nests too deeply.

    A name that comes twice is refused: one reader takes the first, another the last.
    """
    try:
        msgspec.json.decode(body)
        return json.loads(body, object_pairs_hook=_single)
    except (ValueError, RecursionError) as error:
        text = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise json.JSONDecodeError(text, "", 0) from error


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object; `ValueError` for a name that came before."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:80]!r} comes twice in one object")
        found[name] = value
    return found


class StrictRequest(Request):
    """A request whose body is read by `read_json`."""

    async def json(self) -> object:
        """The body's value."""
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A route that hands the strict request to FastAPI."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind our request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


class ClosedRoute(StrictRoute):
    """One that refuses words in its query that it does not know: a mistyped filter shows all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler behind a look at the query."""
        handler = super().get_route_handler()
        known = set(_words(self.dependant))

        async def closed(request: Request) -> Response:
            for name in request.query_params:
                if name not in known:
                    raise RequestValidationError([_unknown(name, known)])
            return await handler(request)

        return closed


def _words(of: Dependant) -> Iterator[str]:
    """What a route takes in its query, by itself and by what it depends on."""
    yield from (field.alias for field in of.query_params)
    for one in of.dependencies:
        yield from _words(one)


def _unknown(name: str, known: set[str]) -> dict[str, Any]:
    words = ", ".join(sorted(known)) or "none"
    return {"type": "unknown_query", "loc": ("query", name[:80]), "msg": f"there are {words}"}
