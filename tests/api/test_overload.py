"""Many questions at once through the real app: bounded in number and time, honest about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx2 import Response

from api.settings import Settings
from detector.series import Answer, Query
from pipelines.testing import FakeSource
from tests.api.doors import Door, passing_door, problem_of
from tests.pipelines.flows.scripted import World

pytestmark = pytest.mark.slow


class SlowFor(FakeSource):
    """A source that hangs for one service until it is let go, and answers the others."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service
        self.leave = threading.Event()
        self.asked = threading.Event()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Hang, as long as the caller allows."""
        if any(m.value == self.service for q in queries for m in q.matchers):
            self.asked.set()
            self.leave.wait(timeout_s + 5)
        return super().read(queries, start, end, timeout_s=timeout_s)


def slow_door(**limits: float) -> tuple[Door, SlowFor]:
    """Two services, of which `cart` hangs."""
    source = SlowFor("cart")
    given = {"request_s": 0.5, "source_s": 0.4, **limits}
    door = Door(world=World(source=source), settings=Settings(limits=given))  # type: ignore[arg-type]
    for service in ("cart", "checkout"):
        door.world.pod(
            "a-1-x", "stable", born=door.world.clock.at - 7200, until=2e9, service=service
        )
        door.world.pod("a-2-x", "canary", born=door.world.clock.at, until=2e9, service=service)
    return door.at(400), source


@pytest.fixture
def threads() -> ThreadPoolExecutor:
    """Callers."""
    return ThreadPoolExecutor(16)


def test_a_question_that_hangs_hangs_no_other(threads: ThreadPoolExecutor) -> None:
    """One Prometheus tenant that is slow must not stop everybody's release."""
    door, source = slow_door()
    client = door.client
    hanging = threads.submit(door.post, service="cart")
    assert source.asked.wait(5)
    began = time.perf_counter()
    other = client.post("/v1/verdicts", json={"service": "checkout", "canary": '{track="canary"}'})
    took = time.perf_counter() - began
    source.leave.set()
    assert other.status_code == 200
    assert took < 0.4
    assert hanging.result(5).status_code in {200, 503}


def test_no_answer_takes_longer_than_the_bound(threads: ThreadPoolExecutor) -> None:
    """Argo and Flagger give up after ten seconds; a 503 before that says that nothing is lost."""
    door, source = slow_door()
    began = time.perf_counter()
    told = door.post(service="cart")
    took = time.perf_counter() - began
    source.leave.set()
    assert problem_of(told) == (503, None)
    assert told.headers["retry-after"]
    assert took < 2.0


def test_the_default_bounds_lie_below_what_controllers_wait() -> None:
    """Argo's and Flagger's defaults are ten seconds."""
    limits = Settings().limits
    assert limits.source_s < limits.request_s < 10.0


def test_too_many_are_refused_at_once(threads: ThreadPoolExecutor) -> None:
    """503 with Retry-After, and probes are still answered."""
    door, source = slow_door(concurrent=1, queued=1, request_s=5.0)
    app = door.app
    assert app is door.app
    first = [threads.submit(door.post, service="cart", attempt=str(i)) for i in range(2)]
    assert source.asked.wait(5)
    while app.state.context.pool.taken < 2:
        time.sleep(0.005)
    refused = door.post()
    ready, alive = door.get("/readyz"), door.get("/healthz")
    source.leave.set()
    assert problem_of(refused) == (503, None)
    assert "ask again" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    assert (ready.status_code, alive.status_code) == (200, 200)
    assert {f.result(10).status_code for f in first} <= {200, 503}


def test_many_who_ask_the_same_get_the_same(threads: ThreadPoolExecutor) -> None:
    """Argo's background and inline runs ask about one canary at the same moment."""
    door = passing_door()
    assert door.app is door.app
    told: list[Response] = list(threads.map(lambda _: door.post(), range(24)))
    assert {r.status_code for r in told} == {200}
    assert len({(r.json()["id"], r.json()["answer"]) for r in told}) == 1
