"""A deadline holds on the socket: whatever a source does, its reader is free in time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpcore2
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.deadline import Deadline, DeadlineTransport
from pipelines.testing import FaultServer, Misbehaviour

# How long a source may hold us in these tests, and what a busy machine adds to that.
SHORT_S, SLACK_S = 0.25, 5.0
LONG_S = 60.0
TIMEOUT = httpcore2.TimeoutException


@contextmanager
def transport(
    *, connect_s: float = LONG_S, context: ssl.SSLContext | None = None
) -> Iterator[DeadlineTransport]:
    made = DeadlineTransport(context, connections=4, connect_s=connect_s)
    try:
        yield made
    finally:
        made.close()


def fetch(
    over: DeadlineTransport, url: str, deadline: Deadline, content: bytes | None = None
) -> bytes:
    """The whole body of one request."""
    method = "GET" if content is None else "POST"
    with over.holding(deadline):
        response = over.handle_request(httpx2.Request(method, url, content=content))
        try:
            return response.read()
        finally:
            response.close()


def ends(call: Callable[[], object], error: type[Exception] = TIMEOUT) -> None:
    """The call fails so, about when its deadline passes."""
    began = time.monotonic()
    with pytest.raises(error):
        call()
    took = time.monotonic() - began
    assert SHORT_S * 0.9 <= took < SHORT_S + SLACK_S


@contextmanager
def deaf() -> Iterator[str]:
    """An address that takes connections and then neither reads nor writes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


# -- the moment


@given(st.floats(-10.0, 1e6))
def test_what_remains_only_falls(timeout_s: float) -> None:
    """Two retries share one deadline: the second never has more time than the first."""
    deadline = Deadline(timeout_s)
    first, second = deadline.remaining(), deadline.remaining()
    assert second <= first <= timeout_s + 1e-6
    assert first == pytest.approx(timeout_s, abs=SLACK_S)
    assert deadline.timeout_s == timeout_s


def test_a_deadline_that_has_passed_leaves_less_than_nothing() -> None:
    """So that nobody waits another moment on it."""
    assert Deadline(0.0).remaining() <= 0
    assert Deadline(-1.0).remaining() < 0


# -- answers in time


def test_an_answer_in_time_comes_whole(fault_server: FaultServer) -> None:
    """The deadline changes nothing of what a healthy source says."""
    body = bytes(range(256)) * 4096
    fault_server.behave(body)
    with transport() as over:
        assert fetch(over, fault_server.url, Deadline(LONG_S)) == body


def test_what_is_sent_arrives_whole(fault_server: FaultServer) -> None:
    """A form of many matchers is not cut."""
    form = b"match[]=" + b"x" * 300_000
    with transport() as over:
        fetch(over, f"{fault_server.url}/api?a=1", Deadline(LONG_S), form)
    (request,) = fault_server.requests
    assert (request.method, request.path, request.body) == ("POST", "/api?a=1", form)


def test_each_question_has_its_own_deadline(fault_server: FaultServer) -> None:
    """One that timed out neither shortens the next nor leaves half an answer in its way."""
    fault_server.behave(Misbehaviour.DRIP, b"whole")
    with transport() as over:
        ends(lambda: fetch(over, fault_server.url, Deadline(SHORT_S)))
        assert fetch(over, fault_server.url, Deadline(LONG_S)) == b"whole"
        assert fetch(over, fault_server.url, Deadline(LONG_S)) == b"whole"


# -- answers that do not end


@pytest.mark.parametrize(
    "behaviour",
    [
        Misbehaviour.BLACK_HOLE,
        Misbehaviour.DRIP,
        Misbehaviour.HEADER_DRIP,
        Misbehaviour.ENDLESS,
        Misbehaviour.HUGE,
    ],
)
def test_no_source_can_hold_its_reader(behaviour: Misbehaviour, fault_server: FaultServer) -> None:
    """A byte now and then starts an ordinary time-out again and again; not this one."""
    fault_server.behave(behaviour)
    with transport() as over:
        ends(lambda: fetch(over, fault_server.url, Deadline(SHORT_S)))


def test_a_source_that_does_not_read_holds_nobody() -> None:
    """A request larger than the kernel's buffers ends too."""
    with deaf() as place, transport() as over:
        much = b"x" * 64_000_000
        ends(
            lambda: fetch(over, f"http://{place}", Deadline(SHORT_S), much), httpcore2.WriteTimeout
        )


def test_a_handshake_that_is_not_answered_ends_with_the_deadline() -> None:
    """A port that speaks no TLS takes the connection and says nothing."""
    with deaf() as place, transport(context=ssl.create_default_context()) as over:
        ends(lambda: fetch(over, f"https://{place}", Deadline(SHORT_S)), httpcore2.ConnectTimeout)


def test_connecting_has_a_bound_of_its_own() -> None:
    """With a minute for the answer nobody waits a minute for a door that stays shut."""
    context = ssl.create_default_context()
    with deaf() as place, transport(connect_s=SHORT_S, context=context) as over:
        ends(lambda: fetch(over, f"https://{place}", Deadline(LONG_S)), httpcore2.ConnectTimeout)


def test_a_door_with_a_queue_before_it_is_not_waited_for() -> None:
    """A machine that is too busy to accept drops the first packet, and would for two minutes."""
    with socket.socket() as listening, ExitStack() as queue:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with transport(connect_s=SHORT_S) as over:
            ends(lambda: fetch(over, url, Deadline(LONG_S)), httpcore2.ConnectTimeout)
        with transport() as over:
            ends(lambda: fetch(over, url, Deadline(SHORT_S)), httpcore2.ConnectTimeout)


def test_after_the_deadline_nothing_is_sent(fault_server: FaultServer) -> None:
    """A poll that is over asks no more of people's Prometheus."""
    with transport() as over, pytest.raises(TIMEOUT, match="deadline passed"):
        fetch(over, fault_server.url, Deadline(0.0))
    assert fault_server.requests == []


def test_an_open_connection_is_no_way_past_the_deadline(fault_server: FaultServer) -> None:
    """Neither is one that was left open by a question before."""
    fault_server.behave(b"x")
    with transport() as over:
        fetch(over, fault_server.url, Deadline(LONG_S))
        with pytest.raises(TIMEOUT, match="deadline passed"):
            fetch(over, fault_server.url, Deadline(-1.0))
    assert len(fault_server.requests) == 1


def test_nobody_there_is_told_at_once() -> None:
    """A refused connection is no time-out; the text can say what it is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    began = time.monotonic()
    with transport() as over, pytest.raises(httpcore2.ConnectError):
        fetch(over, f"http://127.0.0.1:{port}", Deadline(LONG_S))
    assert time.monotonic() - began < SLACK_S


# -- threads


class Gate:
    """A server that answers each connection once `release` is set; `asked` when one has come."""

    def __init__(self) -> None:
        self.release, self.asked = threading.Event(), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Gate:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            connection.recv(65_536)
            self.asked.set()
            self.release.wait()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")


def test_one_threads_deadline_is_not_anothers(fault_server: FaultServer) -> None:
    """Of four queries at once one that hangs ends alone; the others get their answers."""
    fault_server.behave(Misbehaviour.DRIP)
    with Gate() as gate, transport() as over, ThreadPoolExecutor() as pool:
        patient = pool.submit(fetch, over, gate.url, Deadline(LONG_S))
        assert gate.asked.wait(LONG_S)
        hasty = pool.submit(fetch, over, fault_server.url, Deadline(SHORT_S))
        with pytest.raises(TIMEOUT):
            hasty.result(LONG_S)
        assert not patient.done()
        gate.release.set()
        assert patient.result(LONG_S) == b"late"


def test_many_at_once_all_end_by_their_own_time(fault_server: FaultServer) -> None:
    """Deadlines do not queue behind one another."""
    fault_server.behave(Misbehaviour.BLACK_HOLE)
    began = time.monotonic()
    with transport() as over, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(fetch, over, fault_server.url, Deadline(SHORT_S)) for _ in range(4)]
        assert all(isinstance(one.exception(LONG_S), TIMEOUT) for one in asked)
    assert time.monotonic() - began < 4 * SHORT_S + SLACK_S
