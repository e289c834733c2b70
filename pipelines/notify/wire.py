"""One POST to a receiver: bounded in time and size, guarded, errors in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpcore2
import httpx2

from detector.errors import DeliveryError
from pipelines.notify.guard import Guard
from pipelines.notify.settings import NotifierSettings
from pipelines.sources.auth import tls_context
from pipelines.sources.body import OversizeError, bounded_body
from pipelines.sources.deadline import Deadline, DeadlineTransport

__all__ = ["Wire"]

_CONNECT_S = 3.0
_REPLY_MAX = 2**16
_QUOTED = 200
# Receivers that could not take it now, beside all of 500 and above.
_AGAIN = frozenset({408, 425, 429})
_LONGEST_S = 86_400.0


class Wire:
    """Sends to one receiver; never through a proxy, never after a redirect. Safe for threads."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        guard = Guard(settings.place, settings.allow_private)
        self._transport = DeadlineTransport(
            tls_context(settings.tls), connections=1, connect_s=_CONNECT_S, resolve=guard.resolve
        )

    def post(self, content: bytes, headers: Mapping[str, str], *, path: str = "") -> bytes:
        """The head of what a 2xx came with; `DeliveryError` else, within `timeout_s`.

        `path` is below that of the URL in the settings.
        """
        deadline = Deadline(self._settings.timeout_s)
        address = self._settings.address()
        request = httpx2.Request(
            "POST",
            f"{address.rstrip('/')}/{path}" if path else address,
            headers={"User-Agent": "serinus", **self._settings.headers, **headers},
            content=content,
        )
        with self._translated(), self._transport.holding(deadline):
            status, answered, body = self._received(request)
        if not 200 <= status < 300:
            raise self._refusal(status, answered, body)
        return body

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _received(self, request: httpx2.Request) -> tuple[int, Mapping[str, str], bytes]:
        response = self._transport.handle_request(request)
        try:
            return response.status_code, response.headers, _head(response)
        finally:
            response.close()

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> DeliveryError:
        words = " ".join(body.decode("utf-8", "replace").split())[:_QUOTED]
        said = f": {words}" if words and words.isprintable() else ""
        text = f"{self._settings.place} answered {status}{said}"
        if 300 <= status < 400:
            return DeliveryError(f"{text}; redirects are not followed", retryable=False)
        if status in _AGAIN or status >= 500:
            return DeliveryError(text, after_s=_after(headers.get("retry-after", "")))
        return DeliveryError(text, retryable=False)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one table from the network's errors to ours."""
        place, host = self._settings.place, urlsplit(self._settings.address()).hostname
        try:
            yield
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            why = str(error) or "timed out"
            raise DeliveryError(f"{place}: cannot connect to {host}: {why}") from error
        except httpcore2.TimeoutException as error:
            text = f"{place}: no whole answer within {self._settings.timeout_s:g} s"
            raise DeliveryError(text) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError) as error:
            raise DeliveryError(f"{place}: broke off its answer: {error}") from error


def _head(response: httpx2.Response) -> bytes:
    """What the receiver says, for messages; a longer answer is not read to its end."""
    try:
        return bounded_body(response, _REPLY_MAX)
    except OversizeError as error:
        return error.head[:_REPLY_MAX]


def _after(header: str) -> float | None:
    """`Retry-After` in seconds; its form as a date is not used by receivers that we know."""
    return min(float(header), _LONGEST_S) if header.isascii() and header.isdecimal() else None
