"""A running serinus, asked over HTTP: bounded in time, in size and in tries."""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

import httpcore2
import httpx2
import msgspec

from api.cli.guard import CouldNotAskError
from detector.errors import ConfigError, InputError, NotFoundError, SerinusError
from pipelines.sources.auth import tls_context
from pipelines.sources.body import OversizeError, bounded_body
from pipelines.sources.deadline import Deadline, DeadlineTransport
from pipelines.sources.settings import Tls

__all__ = ["Server"]

# Above the 18 s within which a server answers or refuses.
TIMEOUT_S = 25.0
CONNECT_S = 5.0
BODY_MAX = 2**29
WAITS_S = (0.5, 1.5)
FLAKY = frozenset({429, 502, 503, 504})


class _Problem(msgspec.Struct):
    detail: str = ""
    field: str | None = None


class Server:
    """One serinus at a URL; the token comes from `SERINUS_TOKEN`.

    Every call raises `InputError` or `NotFoundError` where the question is to blame,
    `ConfigError` where the token is, and `CouldNotAskError` where there is no answer.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        tenant: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.url, self._tenant = _checked(url), tenant
        self._token = token or os.environ.get("SERINUS_TOKEN") or None
        self._timeout_s = timeout_s
        secure = self.url.startswith("https:")
        self._transport = DeadlineTransport(
            tls_context(Tls()) if secure else None, connections=1, connect_s=CONNECT_S
        )

    def get(self, path: str) -> bytes:
        """The body of a GET."""
        return self._tried("GET", path, None)

    def post(self, path: str, body: object) -> bytes:
        """The body of the answer to a JSON body."""
        return self._tried("POST", path, msgspec.json.encode(body))

    def close(self) -> None:
        """Let the connection go."""
        self._transport.close()

    def _tried(self, method: str, path: str, content: bytes | None) -> bytes:
        """A refused connection and an overloaded server are asked again, twice."""
        deadline = Deadline(self._timeout_s)
        for wait in WAITS_S:
            try:
                return self._once(method, path, content, deadline)
            except _AgainError:
                time.sleep(max(0.0, min(wait, deadline.remaining())))
        return self._once(method, path, content, deadline)

    def _once(self, method: str, path: str, content: bytes | None, deadline: Deadline) -> bytes:
        request = httpx2.Request(
            method, self.url + path, headers=self._headers(content is not None), content=content
        )
        try:
            with self._transport.holding(deadline):
                status, body = self._received(request)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise _AgainError(self._unreachable(str(error) or "timed out")) from error
        except httpcore2.TimeoutException as error:
            words = f"did not answer within {self._timeout_s:g} s"
            raise CouldNotAskError(f"serinus at {self.url} {words}") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError) as error:
            words = f"broke off its answer, or speaks no HTTP: {error}"
            raise CouldNotAskError(f"serinus at {self.url} {words}") from error
        except OversizeError as error:
            raise CouldNotAskError(f"serinus at {self.url}: {error}") from error
        if status in {200, 201}:
            return body
        raise self._refusal(status, body)

    def _received(self, request: httpx2.Request) -> tuple[int, bytes]:
        response = self._transport.handle_request(request)
        try:
            return response.status_code, bounded_body(response, BODY_MAX)
        finally:
            response.close()

    def _headers(self, has_body: bool) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "serinus"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._tenant is not None:
            headers["X-Scope-OrgID"] = self._tenant
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers

    def _unreachable(self, why: str) -> str:
        return f"cannot connect to serinus at {self.url}: {why}. Is `serinus serve` running there?"

    def _refusal(self, status: int, body: bytes) -> SerinusError:
        """Our error for a status."""
        problem = _problem(body)
        detail = problem.detail or f"serinus at {self.url} answered {status}"
        if status in {400, 413, 422}:
            return InputError(detail, field=problem.field or "", semantic=True)
        if status in {401, 403}:
            return ConfigError(f"{detail} (serinus at {self.url} answered {status})")
        if status == 404:
            words = detail if problem.detail else f"{detail}: is this the URL of a serinus?"
            return NotFoundError(words)
        kind = _AgainError if status in FLAKY else CouldNotAskError
        return kind(f"serinus at {self.url} answered {status}: {problem.detail or 'no reason'}")


class _AgainError(CouldNotAskError):
    """Worth a second try at once."""


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1)
    except ValueError:
        parts, good = None, False
    if not good or parts is None:
        raise ConfigError(f"--server: {url!r} is no URL; write http://host:port")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("--server: has a user in it; give the token in SERINUS_TOKEN")
    if parts.query or parts.fragment:
        raise ConfigError("--server: has a query or fragment; write http://host:port")
    return url.rstrip("/")
