"""Several processes of serinus on one PostgreSQL: what a controller is told, whoever it asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from pipelines.stores import schema
from pipelines.stores.postgres import PostgresDatabase
from tests.api.crashing import CLOCK
from tests.api.doors import QUESTION
from tests.api.test_crash import POLLS, Served, served, told, unharmed
from tests.servers import RunningPostgres, running_postgres

# Two processes each, on machines that may be busy.
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

FAILED = POLLS[-1]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    """A PostgreSQL for all tests of this module."""
    with running_postgres() as running:
        yield running


@pytest.fixture
def shared(server: RunningPostgres, request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return server.database(request.node.name[:60])


@contextmanager
def pair(data: Path, address: str) -> Iterator[tuple[Served, Served]]:
    """Two replicas, started at once."""
    (data / CLOCK).write_text("60", encoding="utf-8")
    one, two = (Served(data, [address]) for _ in range(2))
    try:
        one.wait()
        two.wait()
        yield one, two
    finally:
        one.kill()
        two.kill()


def tape(address: str) -> tuple[int, list[str], int]:
    """How many attempts there are, what chunk each chunk follows, and chunks on the newest tape."""
    database = PostgresDatabase(address)
    with database.built() as connection:
        attempts = connection.execute(sa.select(schema.attempts.c.head)).all()
        follows = [*connection.scalars(sa.select(schema.points.c.prev))]
    chain = database.stores().points.chain(attempts[-1].head)
    database.close()
    return len(attempts), follows, len(chain)


def test_replicas_asked_in_turns_answer_as_one_does(tmp_path: Path, shared: str) -> None:
    """A load balancer would change the verdict, or its evidence, from poll to poll."""
    with pair(tmp_path, shared) as replicas:
        answers = [replicas[n % 2].ask(second) for n, second in enumerate(POLLS)]
    assert [told(answer) for answer in answers] == unharmed()
    assert len({answer["attempt"] for answer in answers}) == 1


def test_first_questions_at_the_same_moment_begin_one_attempt(tmp_path: Path, shared: str) -> None:
    """Two attempts of one canary would each learn and latch for themselves."""
    with pair(tmp_path, shared) as replicas, ThreadPoolExecutor(8) as hands:
        (tmp_path / CLOCK).write_text("240", encoding="utf-8")
        asked = [hands.submit(question, replicas[n % 2]) for n in range(8)]
        answers = [one.result() for one in asked]
    attempts, follows, chunks = tape(shared)
    assert len({answer["attempt"] for answer in answers}) == attempts == 1
    # No chunk follows the one that another follows, and all of them are on the tape.
    assert len(follows) == len(set(follows)) == chunks


def test_polls_of_one_attempt_by_two_lose_nothing(tmp_path: Path, shared: str) -> None:
    """What one replica read and the other wrote over would be missing in every replay."""
    with pair(tmp_path, shared) as replicas, ThreadPoolExecutor(2) as hands:
        for second in POLLS:
            (tmp_path / CLOCK).write_text(str(second), encoding="utf-8")
            answers = [one.result() for one in [hands.submit(question, r) for r in replicas]]
            assert told(answers[0]) == told(answers[1])
        last = replicas[1].ask(FAILED)
        stored = httpx2.get(f"{replicas[0].url}{last['links']['self']}").json()
    attempts, follows, chunks = tape(shared)
    assert told(last) == unharmed()[-1]
    assert stored["reason"] == last["reason"]
    assert attempts == 1
    assert len(follows) == len(set(follows)) == chunks


def test_a_latch_by_one_is_told_by_the_other_at_once(tmp_path: Path, shared: str) -> None:
    """A controller that asks again would hear that the canary which failed may go on."""
    with pair(tmp_path, shared) as (one, two):
        two.ask(POLLS[0])
        failed = [one.ask(second) for second in POLLS[1:]][-1]
        again = two.ask(FAILED)
    assert (failed["answer"], failed["final"]) == ("fail", True)
    assert told(again) == told(failed)


def test_an_attempt_of_a_killed_replica_goes_on_in_another(tmp_path: Path, shared: str) -> None:
    """A node that dies would begin every rollout anew."""
    found = []
    with pair(tmp_path, shared) as (one, two):
        found += [one.ask(second) for second in POLLS[:4]]
        one.kill()
        found += [two.ask(second) for second in POLLS[4:]]
    assert [told(answer) for answer in found] == unharmed()
    assert len({answer["attempt"] for answer in found}) == 1


def test_a_replica_killed_in_an_answer_holds_up_nobody(tmp_path: Path, shared: str) -> None:
    """A lock of the dead would keep the living waiting."""
    with pair(tmp_path, shared) as (one, two), ThreadPoolExecutor(1) as hands:
        (tmp_path / CLOCK).write_text(str(POLLS[3]), encoding="utf-8")
        dying = hands.submit(question, one)
        time.sleep(0.05)  # any moment will do: there is none at which it may not die
        one.kill()
        began = time.monotonic()
        answer = two.ask(FAILED)
        assert time.monotonic() - began < 9
        assert dying.exception() is not None or dying.result()["attempt"] == answer["attempt"]
    assert (answer["answer"], answer["reason"]["code"]) == ("fail", "error_rate_up")


def test_what_people_decide_by_one_holds_in_the_other(tmp_path: Path, shared: str) -> None:
    """Breaking the glass would work for every second question."""
    hour = {"person": "ann", "reason": "we know", "for": "1h"}
    with pair(tmp_path, shared) as (one, two):
        attempt = [one.ask(second) for second in POLLS][-1]["attempt"]
        httpx2.post(
            f"{one.url}/v1/modes", json={"mode": "shadow", "all": True, **hour}
        ).raise_for_status()
        shadowed = two.ask(FAILED)
        path = f"{two.url}/v1/rollouts/{attempt}/overrides"
        httpx2.post(path, json={"outcome": "pass", **hour}).raise_for_status()
        overridden = one.ask(FAILED)
    assert (shadowed["outcome"], shadowed["answer"], shadowed["mode"]) == ("fail", "pass", "shadow")
    assert (overridden["outcome"], overridden["reason"]["code"]) == ("pass", "overridden")


def test_a_database_that_goes_away_is_503_until_it_is_back(tmp_path: Path) -> None:
    """A controller would read an error as a bad release, or serinus would need a restart."""
    with running_postgres() as server, served(tmp_path, server.database("away")) as replica:
        before = replica.ask(POLLS[3])
        server.stop()
        refused = httpx2.post(f"{replica.url}/v1/verdicts", json=dict(QUESTION), timeout=20)
        ready = httpx2.get(f"{replica.url}/readyz", timeout=20)
        server.start()
        after = replica.ask(FAILED)
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert int(refused.headers["Retry-After"]) > 0
    assert "127.0.0.1" in refused.json()["detail"]
    assert (after["answer"], after["attempt"]) == ("fail", before["attempt"])


def question(replica: Served) -> dict[str, Any]:
    """The answer now; the clock is left alone."""
    answer = httpx2.post(f"{replica.url}/v1/verdicts", json=dict(QUESTION), timeout=20)
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body
