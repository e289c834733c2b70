"""Fakes and fault servers: what our own tests and the authors of plug-ins test against.

`FakeSource` answers both source ports from memory and fails on demand. `FaultServer` is a real
HTTP server that misbehaves on demand. `exposition` turns the text of a scrape into label sets.
Nothing here needs a test framework.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from detector.errors import SourceError
from detector.series import Answer, Query
from pipelines.sources.exposition import parse_exposition, parse_series
from pipelines.sources.memory import MemorySource

__all__ = [
    "FakeSource",
    "Fault",
    "FaultServer",
    "Misbehaviour",
    "RecordedRead",
    "RecordedRequest",
    "exposition",
]

EMPTY_MATRIX = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


def exposition(text: str) -> tuple[dict[str, str], ...]:
    """Label sets (with `__name__`) of the series in a scrape, in order, values left out."""
    return tuple(parse_series(sample.series) for sample in parse_exposition(text))


class Fault(StrEnum):
    """How a `FakeSource` fails. `slow` fails at once as if the whole time-out had passed."""

    NONE = "none"
    DOWN = "down"
    SLOW = "slow"
    REJECTED = "rejected"
    WARNINGS = "warnings"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRead:
    """One call of `FakeSource.read`."""

    queries: tuple[Query, ...]
    start: float
    end: float
    timeout_s: float


class FakeSource:
    """`MetricSource` and `MetricCatalog` from memory, with faults by script.

    Put samples into `store`. `script(Fault.DOWN, Fault.NONE)` fails the next call and answers the
    one after; when the script has run out, `fault` says what happens. `reads` records the calls.
    """

    def __init__(self, store: MemorySource | None = None, *, fault: Fault = Fault.NONE) -> None:
        self.store = MemorySource() if store is None else store
        self.fault = fault
        self.reads: list[RecordedRead] = []
        self._script: deque[Fault] = deque()

    def script(self, *faults: Fault) -> None:
        """What happens at the next calls, in order; added to what is still to come."""
        self._script.extend(faults)

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Answer from memory, or fail as scripted; see `MetricSource`."""
        call = RecordedRead(queries=tuple(queries), start=start, end=end, timeout_s=timeout_s)
        self.reads.append(call)
        fault = self._next(timeout_s)
        answers = self.store.read(queries, start, end, timeout_s=timeout_s)
        return tuple(_spoiled(answer, fault) for answer in answers)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets in the span; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Sorted values of one label; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.label_values(label, queries, start, end, timeout_s=timeout_s)

    def _next(self, timeout_s: float) -> Fault:
        """The fault of this call; raises when it is one that leaves no answer."""
        fault = self._script.popleft() if self._script else self.fault
        match fault:
            case Fault.DOWN:
                raise SourceError("cannot connect to the fake source: it was told to be down")
            case Fault.SLOW:
                raise SourceError(f"the fake source did not answer whole within {timeout_s:g} s")
            case Fault.REJECTED:
                raise SourceError(
                    "the fake source rejected the query", code="query_rejected", retryable=False
                )
        return fault


def _spoiled(answer: Answer, fault: Fault) -> Answer:
    """`warnings` warns of missing series; `partial` also leaves every other one out."""
    warnings = (*answer.warnings, "the fake source was told to warn")
    match fault:
        case Fault.WARNINGS:
            return Answer(series=answer.series, warnings=warnings)
        case Fault.PARTIAL:
            return Answer(series=answer.series[::2], warnings=warnings)
    return answer


class Misbehaviour(StrEnum):
    """What a `FaultServer` does with a request; the names say what a client sees."""

    EMPTY = "an empty matrix, as a good server sends it"
    WARNINGS = "an empty matrix with a warning that it is partial"
    SLOW = "an empty matrix after a fifth of a second"
    BLACK_HOLE = "the request is taken and never answered"
    HANG_UP = "the connection is closed without an answer"
    HALF_BODY = "the connection is closed in the middle of the announced body"
    CUT_JSON = "half a body without announced length, then the end"
    HTML = "status 200 with a login page"
    GARBAGE = "status 200 with JSON of something else"
    VECTOR = "status 200 with an instant vector"
    WORDS_FOR_NUMBERS = "a matrix whose samples are not numbers"
    ENDLESS = "a body without end that is no JSON"
    ENDLESS_MATRIX = "a matrix without end"
    HUGE = "10 GB announced"
    DRIP = "an endless body, a byte at a time"
    HEADER_DRIP = "endless headers, a byte at a time"
    REDIRECT = "302 to a login page"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    BAD_QUERY = "400 as Prometheus says it"
    TOO_MANY_SAMPLES = "422 as Prometheus says it"
    BUSY = "429 with Retry-After: 1"
    BUSY_LONG = "429 with Retry-After: 3600"
    BROKEN = "500"
    UNAVAILABLE = "503 of a proxy"
    QUERY_TIMEOUT = "503 as Prometheus says it when a query takes too long"


def _problem(kind: str, text: str) -> bytes:
    return f'{{"status":"error","errorType":"{kind}","error":"{text}"}}'.encode()


# status line's end, further headers, body
PLAIN_REPLIES: Mapping[Misbehaviour, tuple[str, str, bytes]] = {
    Misbehaviour.EMPTY: ("200 OK", "", EMPTY_MATRIX),
    Misbehaviour.WARNINGS: (
        "200 OK",
        "",
        EMPTY_MATRIX[:-1] + b',"warnings":["store-2: connection refused"]}',
    ),
    Misbehaviour.HTML: ("200 OK", "", b"<!doctype html><title>Sign in</title>"),
    Misbehaviour.GARBAGE: ("200 OK", "", b'{"status":"success","data":[17]}'),
    Misbehaviour.VECTOR: (
        "200 OK",
        "",
        EMPTY_MATRIX.replace(b"matrix", b"vector"),
    ),
    Misbehaviour.WORDS_FOR_NUMBERS: (
        "200 OK",
        "",
        EMPTY_MATRIX.replace(b"[]", b'[{"metric":{"a":"b"},"values":[[1,"many"]]}]'),
    ),
    Misbehaviour.REDIRECT: (
        "302 Found",
        "Location: http://login.invalid/?next=secret\r\n",
        b"",
    ),
    Misbehaviour.UNAUTHORIZED: ("401 Unauthorized", "", b"who are you?"),
    Misbehaviour.NOT_FOUND: ("404 Not Found", "", b"404 page not found"),
    Misbehaviour.BAD_QUERY: ("400 Bad Request", "", _problem("bad_data", "parse error")),
    Misbehaviour.TOO_MANY_SAMPLES: (
        "422 Unprocessable Entity",
        "",
        _problem(
            "execution",
            "query processing would load too many samples into memory in query execution",
        ),
    ),
    Misbehaviour.BUSY: ("429 Too Many Requests", "Retry-After: 1\r\n", b"slow down"),
    Misbehaviour.BUSY_LONG: ("429 Too Many Requests", "Retry-After: 3600\r\n", b"slow down"),
    Misbehaviour.BROKEN: ("500 Internal Server Error", "", _problem("internal", "disk on fire")),
    Misbehaviour.UNAVAILABLE: ("503 Service Unavailable", "", b"no healthy upstream"),
    Misbehaviour.QUERY_TIMEOUT: (
        "503 Service Unavailable",
        "",
        _problem("timeout", "query timed out in expression evaluation"),
    ),
}
ENDLESS_HEADS: Mapping[Misbehaviour, bytes] = {
    Misbehaviour.ENDLESS: b"",
    Misbehaviour.ENDLESS_MATRIX: EMPTY_MATRIX[:-3] + b'{"metric":{},"values":[',
}


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
