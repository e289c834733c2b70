"""What every request passes: an id, a look at who asks, a bound of its body, a line in the log."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.access import Access
from api.problems import Refused, problem, problem_of
from api.telemetry import Telemetry

__all__ = ["BodyLimit", "Edge"]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Nobody hears it; nginx's number for a client that went away.
CLIENT_GONE = 499
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class TooLargeError(HTTPException):
    """The body is longer than what is taken; FastAPI lets its own kind of error through."""


class BodyLimit:
    """Refuses a body over `limit` bytes, by its announced length or while it streams in.

    `others` are the limits of paths that take longer ones.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int, others: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.limit = limit
        self.others = others or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.others.get(scope["path"], self.limit)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
            await _refuse_length(limit, scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooLargeError(413, _too_long(limit))
            return message

        try:
            await self.app(scope, counted, send)
        except TooLargeError:
            await _refuse_length(limit, scope, receive, send)


def _too_long(limit: int) -> str:
    return f"The body is larger than {limit // 1024} KB."


async def _refuse_length(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem(
        413,
        _too_long(limit),
        field="body",
        request_id=scope.get("state", {}).get("request_id"),
        headers={"Connection": "close"},
    )
    await response(scope, receive, send)


class _Reply:
    """An answer on its way out: its headers are marked, its status is kept, HEAD has no body."""

    def __init__(self, send: Send, request_id: str, *, is_head: bool) -> None:
        self._send, self._request_id, self._is_head = send, request_id, is_head
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """ASGI's `send`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            _mark(MutableHeaders(scope=message), self._request_id)
        elif self._is_head:
            message = {**message, "body": b""}
        await self._send(message)


class Edge:
    """The outermost layer; an error that nobody expected becomes one 500 and one log line."""

    def __init__(self, app: ASGIApp, *, access: Access, telemetry: Telemetry) -> None:
        self.app = app
        self.access = access
        self.telemetry = telemetry
        self.log = structlog.get_logger("serinus.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        scope = _plain_scope(scope)
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get("x-request-id"))
        scope["state"]["request_id"] = request_id
        reply = _Reply(send, request_id, is_head=scope["state"]["is_head"])
        try:
            self.access.check(scope["method"], scope["path"], _plain(headers))
            await self.app(scope, receive, reply)
        except Refused as error:
            await problem_of(error, request_id)(scope, receive, reply)
        except ClientDisconnect:
            reply.status = reply.status or CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the one at the top of the loop
            self._unexpected(error, request_id)
            if reply.status == 0:
                await problem_of(error, request_id)(scope, receive, reply)
        finally:
            self._tell(scope, reply.status, time.perf_counter() - began, request_id)

    def _unexpected(self, error: Exception, request_id: str) -> None:
        self.telemetry.unexpected.inc()
        self.log.error("unexpected error", request_id=request_id, exc_info=error)

    def _tell(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """One line and one count; the route's pattern, not the path, which may hold a token."""
        route = getattr(scope.get("route"), "path", None) or "none"
        self.telemetry.answered(route, scope["method"], status, seconds)
        self.log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(1000 * seconds, 1),
            request_id=request_id,
        )


def _plain_scope(scope: Scope) -> Scope:
    """The request as the routes know it: HEAD is a GET without a body, `/x/` is `/x`.

    A redirect to the path without the slash would name a scheme and a host that only a proxy
    before us knows, and a client would follow it with its token.
    """
    state = {**scope.get("state", {}), "is_head": scope["method"] == "HEAD"}
    method = "GET" if state["is_head"] else scope["method"]
    path = scope["path"].rstrip("/") or "/"
    return {**scope, "state": state, "method": method, "path": path}


def _plain(headers: Headers) -> dict[str, str]:
    """Lower-case names; of a header that came twice the first counts for nobody's benefit."""
    return dict(reversed(headers.items()))


def _request_id(offered: str | None) -> str:
    """The caller's own id where it is a plain word."""
    if offered is not None and REQUEST_ID.fullmatch(offered):
        return offered
    return secrets.token_hex(8)


def _mark(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
