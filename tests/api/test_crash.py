"""kill -9 between two polls and in the middle of one: nothing is lost that was answered."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.crashing import CLOCK, bad_shop
from tests.api.doors import QUESTION
from tests.api.ui.scenes import T0
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 80.0


class Served:
    """One life of the process."""

    def __init__(self, data: Path, store: Sequence[str] = ()) -> None:
        self.clock, self.port = data / CLOCK, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.api.crashing", str(data), str(self.port), *store]
        self.process = subprocess.Popen(command, cwd=ROOT)

    def wait(self) -> None:
        """Until it is ready."""
        give_up = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise AssertionError("it was not ready in time")

    def ask(self, second: float) -> dict[str, Any]:
        """The answer at a moment after T0; an error where there is none."""
        self.clock.write_text(str(second), encoding="utf-8")
        told = httpx2.post(f"{self.url}/v1/verdicts", json=dict(QUESTION), timeout=20)
        told.raise_for_status()
        answer: dict[str, Any] = told.json()
        return answer

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def served(data: Path, *store: str) -> Iterator[Served]:
    """A process that is ready, and gone at the end; `store` is the database that it shares."""
    (data / CLOCK).write_text("60", encoding="utf-8")
    life = Served(data, store)
    try:
        life.wait()
        yield life
    finally:
        life.kill()


def told(answer: dict[str, Any]) -> tuple[Any, ...]:
    """What has to be the same however often the process died in between."""
    reason = answer["reason"]
    evidence = {s["name"]: s["evidence"] for s in answer["signals"]}
    return answer["answer"], reason["code"], reason["text"], answer["started_at"], evidence


@cache
def unharmed() -> list[tuple[Any, ...]]:
    """What a gate in this process says, that nobody kills and that keeps nothing on a disk."""
    shop = bad_shop()
    client = TestClient(create_app(shop.gate), base_url="http://127.0.0.1")
    answers = []
    for second in POLLS:
        shop.clock.at = T0 + second
        answers.append(told(client.post("/v1/verdicts", json=dict(QUESTION)).json()))
    return answers


POLLS = (60, 120, 180, 240, 300, 360, 420)


@pytest.mark.slow
def test_a_rollout_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed between two polls, it says the same as one that lived through all of them."""
    expected, found, attempts = unharmed(), [], set()
    for part in (POLLS[:4], POLLS[4:]):
        with served(tmp_path) as life:
            for second in part:
                answer = life.ask(second)
                found.append(told(answer))
                attempts.add(answer["attempt"])
    assert found == expected
    assert len(attempts) == 1
    assert expected[-1][:2] == ("fail", "error_rate_up")


@pytest.mark.slow
def test_a_latched_fail_outlives_the_process(tmp_path: Path) -> None:
    """A fail that a controller was told is told again, also about a moment before it."""
    with served(tmp_path) as life:
        failed = [life.ask(second) for second in POLLS][-1]
    with served(tmp_path) as life:
        again, before = life.ask(425), life.ask(300)
        stored = httpx2.get(f"{life.url}{failed['links']['self']}").json()
    assert (failed["answer"], failed["final"]) == ("fail", True)
    assert (again["answer"], again["attempt"]) == ("fail", failed["attempt"])
    assert before["answer"] == "fail"
    assert stored["reason"] == failed["reason"]


@pytest.mark.slow
def test_dying_in_the_middle_of_an_answer_breaks_nothing(tmp_path: Path) -> None:
    """The store is whole, and the next process answers as if nothing had been."""
    with served(tmp_path) as life:
        asking = threading.Thread(target=_ask_into_the_void, args=(life, 400))
        asking.start()
        asking.join(0.1)
        life.kill()
        asking.join(20)
    with served(tmp_path) as life:
        answer = life.ask(420)
    assert (answer["answer"], answer["reason"]["code"]) == ("fail", "error_rate_up")


def _ask_into_the_void(life: Served, second: float) -> None:
    try:
        life.ask(second)
    except (httpx2.TransportError, httpx2.HTTPStatusError):
        return
