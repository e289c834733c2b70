"""The fakes that we ship to authors of plug-ins do what they say."""

from __future__ import annotations

import urllib.request

import pytest

from detector.errors import InputError, SourceError
from detector.gate.request import VerdictRequest
from detector.series import Matcher, MatchOp, Query
from detector.signals.plan import Family, Plan
from detector.signals.signal import Shape
from pipelines.testing import FakeSource, Fault, FaultServer, FixedDiscovery, Misbehaviour

UP = Query("up")


@pytest.fixture
def fake() -> FakeSource:
    source = FakeSource()
    for pod in "abcd":
        source.store.append({"__name__": "up", "pod": pod}, 1.0, 1.0)
    return source


@pytest.mark.parametrize(
    ("fault", "code", "retryable"),
    [
        (Fault.DOWN, "source_unavailable", True),
        (Fault.SLOW, "source_unavailable", True),
        (Fault.REJECTED, "query_rejected", False),
    ],
)
def test_scripted_fault_happens_once(
    fake: FakeSource, fault: Fault, code: str, retryable: bool
) -> None:
    """The next call fails, the one after does not: what a restart of Prometheus looks like."""
    fake.script(fault)
    with pytest.raises(SourceError) as caught:
        fake.read([UP], 0, 2, timeout_s=1)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert len(fake.read([UP], 0, 2, timeout_s=1)[0].series) == 4


def test_lasting_fault_hits_every_call(fake: FakeSource) -> None:
    """Discovery is down together with reading."""
    fake.fault = Fault.DOWN
    for call in (
        lambda: fake.metrics(timeout_s=1),
        lambda: fake.series([UP], 0, 2, timeout_s=1),
        lambda: fake.label_values("pod", [UP], 0, 2, timeout_s=1),
        lambda: fake.read([UP], 0, 2, timeout_s=1),
    ):
        with pytest.raises(SourceError, match="down"):
            call()


@pytest.mark.parametrize(("fault", "series"), [(Fault.WARNINGS, 4), (Fault.PARTIAL, 2)])
def test_warnings_and_missing_series(fake: FakeSource, fault: Fault, series: int) -> None:
    """What a Thanos that lost a store answers."""
    fake.script(fault)
    (answer,) = fake.read([UP], 0, 2, timeout_s=1)
    assert len(answer.series) == series
    assert answer.warnings


def test_reads_are_recorded(fake: FakeSource) -> None:
    """How much a flow asked for, and when."""
    fake.read([UP], 0, 2, timeout_s=3)
    (call,) = fake.reads
    assert (call.queries, call.start, call.end, call.timeout_s) == ((UP,), 0, 2, 3)


def test_fault_server_does_one_after_the_other_and_stays_with_the_last() -> None:
    """Scripts read like the outage they stand for."""
    with FaultServer() as server:
        server.behave(b"one", b"two")
        bodies = [urllib.request.urlopen(server.url, timeout=5).read() for _ in range(3)]
    assert bodies == [b"one", b"two", b"two"]
    assert [request.method for request in server.requests] == ["GET"] * 3


def test_fault_server_needs_to_be_started() -> None:
    """Its address is not known before."""
    with pytest.raises(RuntimeError, match="with block"):
        _ = FaultServer().url


def test_fault_server_ends_although_a_client_still_waits() -> None:
    """A test that fails in the middle must not hang the run."""
    with FaultServer() as server:
        server.behave(Misbehaviour.BLACK_HOLE)
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(server.url, timeout=0.1)
    assert server.stopping.is_set()


def discovered(request: VerdictRequest) -> Plan:
    """The plan of a service that has nothing but a request counter."""
    requests = Family(metric="http_requests_total", shape=Shape.COUNTER)
    bind = FixedDiscovery(requests=requests, signals=())
    return bind(FakeSource(), request, start=0.0, end=1.0, timeout_s=1.0)


def test_fixed_discovery_reads_the_canary_out_of_the_request() -> None:
    """Whoever tests a source with it judges the pods that were asked about."""
    plan = discovered(VerdictRequest(service="cart", canary='{track="canary"}'))
    service = Matcher("service", MatchOp.EQUAL, "cart")
    assert plan.canary == (service, Matcher("track", MatchOp.EQUAL, "canary"))
    assert plan.control == ((service, Matcher("track", MatchOp.EQUAL, "stable")),)


def test_fixed_discovery_refuses_what_the_real_one_refuses() -> None:
    """A selector with a typing error is told by its field, as users are told."""
    with pytest.raises(InputError) as caught:
        discovered(VerdictRequest(service="cart", canary="{track="))
    assert caught.value.field == "canary"
