"""One request and its whole reply: bounded in time, in size and in tries, errors in our words."""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpcore2
import httpx2

from detector.errors import SourceError
from pipelines.sources.auth import request_headers, tls_context
from pipelines.sources.body import OversizeError, bounded_body
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.deadline import Deadline, DeadlineTransport
from pipelines.sources.refusal import BusyError, FlakyError, TooMuchError, refusal
from pipelines.sources.settings import SourceSettings, check_url

__all__ = ["Exchange", "Params", "Reply"]

Params = Sequence[tuple[str, str]]

FIRST_BACKOFF_S = 0.2
# What every answer of the Prometheus API begins with, so that an endless body of anything else
# is not taken for a query that selects too much.
API_HEAD = b'{"status":'


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply whose status was 200."""

    body: bytes
    content_type: str


class Exchange:
    """Sends requests to one source and reads replies, from many threads.

    Retries connection failures and 502, 503, 504 with growing waits inside the deadline; obeys
    `Retry-After` of 429 for all later requests too; never follows a redirect.
    """

    def __init__(
        self, settings: SourceSettings, cost: Cost, skew: Skew, *, what: str = "Prometheus"
    ) -> None:
        check_url(settings.url, settings.allow_hosts)
        self.where = f"{what} at {settings.url.rstrip('/')}"
        self._settings = settings
        self._budget = settings.budget
        self._cost = cost
        self._skew = skew
        self._slots = threading.BoundedSemaphore(self._budget.max_concurrent)
        self._quiet_until = 0.0
        self._base = settings.url.rstrip("/")
        secure = urlsplit(settings.url).scheme == "https"
        self._transport = DeadlineTransport(
            tls_context(settings.tls) if secure else None,
            connections=self._budget.max_concurrent,
            connect_s=self._budget.connect_timeout_s,
        )

    def send(
        self,
        method: str,
        path: str,
        params: Params,
        deadline: Deadline,
        *,
        most: int | None = None,
    ) -> Reply:
        """The 200 reply to one request, or `SourceError` by the deadline.

        `params` go into the body of a POST as a form, into the URL of a GET. `most` bounds the
        reply's bytes below the budget.
        """
        bound = min(self._budget.max_body_bytes, most or self._budget.max_body_bytes)
        tries = 0
        while True:
            self._keep_quiet(deadline)
            try:
                return self._once(method, path, params, deadline, bound)
            except FlakyError as error:
                wait = self._wait(error, tries)
                if tries >= self._budget.retries or wait >= deadline.remaining():
                    raise error.final from error
            tries += 1
            self._cost.retried()
            time.sleep(wait)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _wait(self, error: FlakyError, tries: int) -> float:
        if isinstance(error, BusyError):
            self._quiet_until = max(self._quiet_until, time.monotonic() + error.after_s)
            return error.after_s
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        return FIRST_BACKOFF_S * jitter * float(2**tries)

    def _keep_quiet(self, deadline: Deadline) -> None:
        wait = self._quiet_until - time.monotonic()
        if wait >= deadline.remaining():
            raise SourceError(
                f"{self.where} asked us to send nothing for another {wait:.0f} s (429)",
                code="query_rejected",
            )
        if wait > 0:
            time.sleep(wait)

    def _once(
        self, method: str, path: str, params: Params, deadline: Deadline, bound: int
    ) -> Reply:
        if not self._slots.acquire(timeout=max(deadline.remaining(), 0.0)):
            raise SourceError(
                f"{self.where} is busy with {self._budget.max_concurrent} of our own queries; "
                f"none ended within {round(deadline.timeout_s, 1):g} s"
            )
        try:
            with self._translated(deadline), self._transport.holding(deadline):
                return self._counted(self._request(method, path, params), bound)
        finally:
            self._slots.release()

    def _request(self, method: str, path: str, params: Params) -> httpx2.Request:
        headers = request_headers(self._settings)
        form = urlencode(params)
        if method != "POST":
            query = f"?{form}" if form else ""
            return httpx2.Request(method, f"{self._base}{path}{query}", headers=headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return httpx2.Request(
            "POST", self._base + path, headers=headers, content=form.encode("ascii")
        )

    def _counted(self, request: httpx2.Request, bound: int) -> Reply:
        begun, size, failed = time.monotonic(), 0, True
        try:
            response, body = self._receive(request, bound)
            size = len(body)
            if response.status_code != httpx2.codes.OK:
                raise refusal(self.where, response.status_code, response.headers, body)
            failed = False
            return Reply(body, response.headers.get("content-type", ""))
        finally:
            self._cost.exchanged(seconds=time.monotonic() - begun, size=size, failed=failed)

    def _receive(self, request: httpx2.Request, bound: int) -> tuple[httpx2.Response, bytes]:
        sent = time.time()
        response = self._transport.handle_request(request)
        try:
            self._skew.observe(response.headers.get("date"), sent=sent, received=time.time())
            return response, self._bounded(response, bound)
        finally:
            response.close()

    def _bounded(self, response: httpx2.Response, bound: int) -> bytes:
        try:
            return bounded_body(response, bound)
        except OversizeError as error:
            raise self._too_large(error.head, bound) from error

    def _too_large(self, head: bytes, bound: int) -> SourceError:
        limit = f"over {bound / 2**20:.3g} MB"
        if head.startswith(API_HEAD):
            budget = "max_body_bytes" if bound == self._budget.max_body_bytes else "max_series"
            return TooMuchError(
                f"{self.where}: the answer to one query is {limit}; narrow the selector "
                f"or raise the budget {budget}"
            )
        return SourceError(
            f"{self.where} sent a body {limit} that is not an answer of the Prometheus API; "
            "check the URL",
            retryable=False,
        )

    @contextmanager
    def _translated(self, deadline: Deadline) -> Iterator[None]:
        """The one table from the network's errors to ours."""
        try:
            yield
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            text = f"cannot connect to {self.where}: {str(error) or 'timed out'}"
            if any(isinstance(arg, ssl.SSLCertVerificationError) for arg in error.args):
                raise SourceError(text, retryable=False) from error
            raise FlakyError(SourceError(text)) from error
        except httpcore2.TimeoutException as error:
            raise SourceError(
                f"{self.where} did not answer whole within {deadline.timeout_s:g} s"
            ) from error
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
            text = f"{self.where} broke off its answer: {error}"
            raise FlakyError(SourceError(text)) from error
        except (httpcore2.ProtocolError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise SourceError(f"{self.where} does not speak HTTP as it should: {error}") from error
