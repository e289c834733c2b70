"""A total deadline that holds on the socket too, so that a slow drip cannot stretch it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

__all__ = ["Deadline", "DeadlineTransport"]


class Deadline:
    """A moment on the monotonic clock by which everything must be done."""

    __slots__ = ("at", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.at = time.monotonic() + timeout_s

    def remaining(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at - time.monotonic()


_current = threading.local()


@contextmanager
def _holding(deadline: Deadline, connect_s: float) -> Iterator[None]:
    """Make every socket operation of this thread end at the deadline."""
    _current.deadline, _current.connect_s = deadline, connect_s
    try:
        yield
    finally:
        del _current.deadline, _current.connect_s


def _left(error: type[httpcore2.TimeoutException]) -> float:
    remaining: float = _current.deadline.remaining()
    if remaining <= 0:
        raise error("deadline passed")
    return remaining


class _Stream(httpcore2.NetworkStream):
    """A stream whose every read and write has only what is left of the deadline.

    A time-out per read (what HTTP clients have) is started again by each byte that drips in.
    """

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = min(_left(httpcore2.ConnectTimeout), _current.connect_s)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens TCP connections whose streams obey the thread's deadline."""

    def __init__(self, resolve: Callable[[str, int], str] | None) -> None:
        self._inner = httpcore2.SyncBackend()
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        if self._resolve is not None:
            host = self._resolve(host, port)
        left = min(_left(httpcore2.ConnectTimeout), _current.connect_s)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options or ())
        return _Stream(stream)


class _Body(httpx2.SyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class DeadlineTransport(httpx2.BaseTransport):
    """An httpx2 transport without proxies or redirects, bound by `holding(deadline)`.

    Errors of the network stay those of `httpcore2`. `resolve`: gives the address to connect to in
    place of a host (certificates are still the host's), or raises.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None,
        *,
        connections: int,
        connect_s: float,
        resolve: Callable[[str, int], str] | None = None,
    ) -> None:
        self._connect_s = connect_s
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Backend(resolve),
        )

    @contextmanager
    def holding(self, deadline: Deadline) -> Iterator[None]:
        """Send requests of this thread only inside this block."""
        with _holding(deadline, self._connect_s):
            yield

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()
