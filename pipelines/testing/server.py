"""A real HTTP server that misbehaves on demand."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from pipelines.testing.replies import EMPTY_MATRIX, ENDLESS_HEADS, PLAIN_REPLIES, Misbehaviour

__all__ = ["FaultServer", "RecordedRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    fault_server: FaultServer

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        context = self.fault_server.context
        if context is not None:
            connection = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up on us is what we are here for."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner = self.server.fault_server
        while (request := self._request()) is not None:
            behaviour = owner.take(request)
            with owner.answering():
                lives = self._answer(behaviour, owner.stopping)
            if not lives:
                return

    def _request(self) -> RecordedRequest | None:
        method, _, rest = self.rfile.readline().decode("latin-1").partition(" ")
        if not rest:
            return None
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        return RecordedRequest(method=method, path=rest.split()[0], headers=headers, body=body)

    def _answer(self, behaviour: Misbehaviour | bytes, stopping: threading.Event) -> bool:
        """Send it; whether the connection lives on."""
        if isinstance(behaviour, bytes):
            kind = "application/json" if behaviour.startswith(b"{") else "text/plain; version=0.0.4"
            return self._plain("200 OK", f"Content-Type: {kind}\r\n", behaviour)
        if behaviour in PLAIN_REPLIES:
            return self._plain(*PLAIN_REPLIES[behaviour])
        return self._misbehave(behaviour, stopping)

    def _misbehave(self, behaviour: Misbehaviour, stopping: threading.Event) -> bool:
        match behaviour:
            case Misbehaviour.SLOW:
                stopping.wait(0.2)
                return self._plain("200 OK", "", EMPTY_MATRIX)
            case Misbehaviour.BLACK_HOLE:
                stopping.wait()
            case Misbehaviour.HALF_BODY:
                self._head(f"Content-Length: {2 * len(EMPTY_MATRIX)}\r\n", EMPTY_MATRIX[:-7])
            case Misbehaviour.CUT_JSON:
                self._head("", EMPTY_MATRIX[:-7])
            case Misbehaviour.HUGE:
                self._head(f"Content-Length: {10 * 2**30}\r\n", EMPTY_MATRIX)
                stopping.wait()
            case Misbehaviour.DRIP:
                self._head("", b"")
                self._repeat(b"x", stopping, every_s=0.05)
            case Misbehaviour.HEADER_DRIP:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                self._repeat(b"x", stopping, every_s=0.05)
            case Misbehaviour.ENDLESS | Misbehaviour.ENDLESS_MATRIX:
                self._head("", ENDLESS_HEADS[behaviour])
                self._repeat(b'[1700000000,"1"],' * 4096, stopping, every_s=0.0)
        return False  # HANG_UP does no more than that

    def _plain(self, status: str, headers: str, body: bytes) -> bool:
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode("latin-1") + body)
        return True

    def _head(self, headers: str, start: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n"
        self.wfile.write(head.encode("latin-1") + start)

    def _repeat(self, part: bytes, stopping: threading.Event, *, every_s: float) -> None:
        while not stopping.wait(every_s):
            self.wfile.write(part)


@dataclass(slots=True)
class FaultServer:
    """An HTTP server on a free port of 127.0.0.1 that does what it is told; use it in a `with`.

    `behave(a, b)` tells it what to do with the next requests; the last one stays. Bytes are sent
    as a body with status 200, so it can be a scrape target too. `requests` records what came,
    `most_at_once` how many of them were being answered at the same time. With `context` it
    speaks TLS.
    """

    context: ssl.SSLContext | None = None
    requests: list[RecordedRequest] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    most_at_once: int = 0
    _now: int = 0
    _script: deque[Misbehaviour | bytes] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: _Server | None = None

    def behave(self, *behaviours: Misbehaviour | bytes) -> Self:
        """Do these in order, and the last one from then on."""
        with self._lock:
            self._script = deque(behaviours)
        return self

    def take(self, request: RecordedRequest) -> Misbehaviour | bytes:
        """Record a request and say how to answer it."""
        with self._lock:
            self.requests.append(request)
            if not self._script:
                return Misbehaviour.EMPTY
            return self._script.popleft() if len(self._script) > 1 else self._script[0]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request as being answered."""
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the fault server is not started: use it in a with block")
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fault_server = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
