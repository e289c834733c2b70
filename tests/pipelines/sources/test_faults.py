"""A Prometheus that is down, slow, somebody else or far too talkative: one clear error, soon."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from detector.errors import SourceError
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import Budget, SourceSettings
from pipelines.testing import FaultServer, Misbehaviour
from tests.pipelines.sources.history import T0, query
from tests.servers import free_port

pytestmark = pytest.mark.slow

TIMEOUT_S = 1.0
# The machine that runs this is busy; a hang would be endless.
SOON_S = TIMEOUT_S + 1.5
BUDGET = Budget(max_body_bytes=2**20, retries=1)

Call = Callable[[PrometheusSource], object]


def read(source: PrometheusSource, timeout_s: float = TIMEOUT_S) -> object:
    return source.read([query("up")], T0, T0 + 600, timeout_s=timeout_s)


def discover(source: PrometheusSource) -> object:
    return source.series([query("up")], T0, T0 + 600, timeout_s=TIMEOUT_S)


def values(source: PrometheusSource) -> object:
    return source.label_values("pod", [query("up")], T0, T0 + 600, timeout_s=TIMEOUT_S)


def names(source: PrometheusSource) -> object:
    return source.metrics(timeout_s=TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Case:
    """A misbehaviour, the code that it must get, whether trying again helps, and a word of why."""

    does: Misbehaviour
    code: str
    retryable: bool
    word: str


DOWN, REJECTED = "source_unavailable", "query_rejected"
CASES = [
    Case(Misbehaviour.BLACK_HOLE, DOWN, True, "within 1 s"),
    Case(Misbehaviour.HANG_UP, DOWN, True, "broke off"),
    Case(Misbehaviour.HALF_BODY, DOWN, True, "broke off"),
    Case(Misbehaviour.CUT_JSON, DOWN, False, "half an answer"),
    Case(Misbehaviour.HTML, DOWN, False, "login page"),
    Case(Misbehaviour.GARBAGE, DOWN, False, "not an answer of the Prometheus API"),
    Case(Misbehaviour.ENDLESS, DOWN, False, "over 1 MB"),
    Case(Misbehaviour.DRIP, DOWN, True, "within 1 s"),
    Case(Misbehaviour.HEADER_DRIP, DOWN, True, "within 1 s"),
    Case(Misbehaviour.REDIRECT, DOWN, False, "login.invalid"),
    Case(Misbehaviour.UNAUTHORIZED, DOWN, False, "credentials"),
    Case(Misbehaviour.NOT_FOUND, DOWN, False, "path prefix"),
    Case(Misbehaviour.BROKEN, DOWN, True, "disk on fire"),
    Case(Misbehaviour.UNAVAILABLE, DOWN, True, "not available (503)"),
    Case(Misbehaviour.QUERY_TIMEOUT, DOWN, True, "takes too long"),
    Case(Misbehaviour.BAD_QUERY, REJECTED, False, "parse error"),
    Case(Misbehaviour.TOO_MANY_SAMPLES, REJECTED, False, "too many samples"),
    Case(Misbehaviour.ENDLESS_MATRIX, REJECTED, False, "max_body_bytes"),
    Case(Misbehaviour.HUGE, REJECTED, False, "max_body_bytes"),
    Case(Misbehaviour.BUSY_LONG, REJECTED, True, "too often"),
]
MATRIX_ONLY = [
    Case(Misbehaviour.VECTOR, DOWN, False, "'vector', not a matrix"),
    Case(Misbehaviour.WORDS_FOR_NUMBERS, DOWN, True, "not numbers"),
]


@pytest.fixture
def source(fault_server: FaultServer) -> Iterator[PrometheusSource]:
    """A source on the fault server."""
    with PrometheusSource(SourceSettings(url=fault_server.url, budget=BUDGET)) as opened:
        yield opened


def failure(call: Call, source: PrometheusSource) -> SourceError:
    """The error of a call that must fail, and soon."""
    begun = time.monotonic()
    with pytest.raises(SourceError) as caught:
        call(source)
    assert time.monotonic() - begun < SOON_S
    return caught.value


@pytest.mark.parametrize("case", [*CASES, *MATRIX_ONLY], ids=lambda case: case.does.name.lower())
def test_read_fails_clearly_and_soon(
    source: PrometheusSource, fault_server: FaultServer, case: Case
) -> None:
    """The verdict is inconclusive with this sentence; it is never a pass and never a hang."""
    fault_server.behave(case.does)
    error = failure(read, source)
    assert (error.code, error.retryable) == (case.code, case.retryable), error
    assert case.word in str(error)
    assert fault_server.url in str(error)


@pytest.mark.parametrize("call", [discover, values, names])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.does.name.lower())
def test_discovery_fails_clearly_and_soon(
    source: PrometheusSource, fault_server: FaultServer, call: Call, case: Case
) -> None:
    """The client library alone would hang on some of these and retry others for ten seconds."""
    fault_server.behave(case.does)
    error = failure(call, source)
    assert error.code == case.code, error
    assert case.word in str(error)


def test_nobody_listens() -> None:
    """Prometheus is down."""
    with PrometheusSource(SourceSettings(url=f"http://127.0.0.1:{free_port()}")) as source:
        error = failure(read, source)
    assert (error.code, error.retryable) == (DOWN, True)
    assert "cannot connect" in str(error)
    assert source.cost.retries == 2


@pytest.mark.parametrize(
    "first", [Misbehaviour.UNAVAILABLE, Misbehaviour.HANG_UP, Misbehaviour.HALF_BODY]
)
def test_passing_failure_is_tried_again(
    source: PrometheusSource, fault_server: FaultServer, first: Misbehaviour
) -> None:
    """One bad moment of a proxy does not make a verdict inconclusive."""
    fault_server.behave(first, Misbehaviour.EMPTY)
    read(source)
    assert (source.cost.queries, source.cost.retries, source.cost.failures) == (2, 1, 1)


@pytest.mark.parametrize("does", [Misbehaviour.BAD_QUERY, Misbehaviour.UNAUTHORIZED])
def test_lasting_failure_is_not_tried_again(
    source: PrometheusSource, fault_server: FaultServer, does: Misbehaviour
) -> None:
    """The same wrong query is not sent twice to a server that belongs to somebody else."""
    fault_server.behave(does)
    failure(read, source)
    assert len(fault_server.requests) == 1


def test_busy_source_is_left_alone_as_long_as_it_asks(
    source: PrometheusSource, fault_server: FaultServer
) -> None:
    """After 429 with Retry-After nothing at all is sent until then."""
    fault_server.behave(Misbehaviour.BUSY_LONG, Misbehaviour.EMPTY)
    failure(read, source)
    error = failure(discover, source)
    assert (error.code, error.retryable) == (REJECTED, True)
    assert "send nothing" in str(error)
    assert len(fault_server.requests) == 1


def test_busy_source_is_asked_again_when_it_allows(
    source: PrometheusSource, fault_server: FaultServer
) -> None:
    """A Retry-After that fits into the deadline is waited for."""
    fault_server.behave(Misbehaviour.BUSY, Misbehaviour.EMPTY)
    read(source, timeout_s=10.0)
    assert len(fault_server.requests) == 2


def test_warnings_reach_the_answer(source: PrometheusSource, fault_server: FaultServer) -> None:
    """A Thanos that lost a store says so; the verdict must know."""
    fault_server.behave(Misbehaviour.WARNINGS)
    (answer,) = source.read([query("up")], T0, T0 + 60, timeout_s=TIMEOUT_S)
    assert answer.warnings == ("store-2: connection refused",)


def test_first_error_ends_the_read(source: PrometheusSource, fault_server: FaultServer) -> None:
    """Seven queries in a queue behind a refusal are not sent for nothing."""
    fault_server.behave(Misbehaviour.BAD_QUERY)
    with pytest.raises(SourceError, match="parse error"):
        source.read([query(f"m{i}") for i in range(40)], T0, T0 + 60, timeout_s=TIMEOUT_S)
    assert len(fault_server.requests) < 40


def test_hanging_queries_do_not_add_up(source: PrometheusSource, fault_server: FaultServer) -> None:
    """Forty queries to a black hole take one time-out, not ten of them."""
    fault_server.behave(Misbehaviour.BLACK_HOLE)
    error = failure(
        lambda opened: opened.read(
            [query(f"m{i}") for i in range(40)], T0, T0 + 60, timeout_s=TIMEOUT_S
        ),
        source,
    )
    assert error.code == DOWN
    assert len(fault_server.requests) <= BUDGET.max_concurrent


def test_source_recovers_after_a_hang(source: PrometheusSource, fault_server: FaultServer) -> None:
    """The workers that waited are free again for the next poll."""
    fault_server.behave(Misbehaviour.BLACK_HOLE)
    failure(read, source)
    fault_server.behave(Misbehaviour.EMPTY)
    assert read(source)


def test_at_most_four_queries_at_once(fault_server: FaultServer) -> None:
    """However many rollouts are judged, the owner of the Prometheus sees four."""
    fault_server.behave(Misbehaviour.SLOW)
    settings = SourceSettings(url=fault_server.url)
    with PrometheusSource(settings) as source, ThreadPoolExecutor(12) as readers:
        for job in [readers.submit(call, source) for call in [read, values, names] * 4]:
            job.exception()
    assert fault_server.most_at_once == 4


def test_redirect_tells_no_secret(source: PrometheusSource, fault_server: FaultServer) -> None:
    """Login redirects carry tokens in their query."""
    fault_server.behave(Misbehaviour.REDIRECT)
    assert "secret" not in str(failure(read, source))


def test_long_matchers_go_in_a_form_or_in_portions(
    source: PrometheusSource, fault_server: FaultServer
) -> None:
    """Forty pods' names do not fit into a URL that proxies let through."""
    fault_server.behave(b'{"status":"success","data":[]}')
    long = [query("up", ("pod", "=~", f"{i}" + "x" * 900)) for i in range(40)]
    source.series(long, T0, T0 + 60, timeout_s=TIMEOUT_S)
    source.label_values("pod", long, T0, T0 + 60, timeout_s=TIMEOUT_S)
    assert [request.method for request in fault_server.requests[:2]] == ["POST", "GET"]
    assert max(len(request.path) for request in fault_server.requests) < 8000
    assert len(fault_server.requests) > 5
