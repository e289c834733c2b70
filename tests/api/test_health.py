"""Probes: does it live, are its answers right; neither waits for anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from api.bodies.answer import ReadyAnswer
from api.probe import Probe, source_probe, store_probe
from detector.series import Answer, Query
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from pipelines.testing import FakeSource, Fault
from tests.api.doors import Door, without

DOWN = Probe(is_right=False, words="the disk is full")


class Hanging(FakeSource):
    """A source that answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.leave = threading.Event()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Hang, then answer."""
        self.leave.wait(10)
        return super().read(queries, start, end, timeout_s=timeout_s)


def soon(probe: Callable[[], Probe], words: str) -> Probe:
    """The probe's answer once it says something, within five seconds."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        found = probe()
        if words in found.words:
            return found
        time.sleep(0.005)
    raise AssertionError(f"it never said {words!r}")


def test_living_needs_nothing() -> None:
    """A restart would mend neither the store nor the source."""
    door = Door(more={"store_probe": lambda: DOWN, "source_probe": lambda: DOWN})
    told = door.get("/healthz")
    assert (told.status_code, told.text) == (200, "ok\n")


def test_ready_with_a_store_that_works() -> None:
    """And says so in words."""
    door = Door(more={"store_probe": store_probe(memory_stores())})
    told = door.get("/readyz")
    ReadyAnswer.model_validate(told.json())
    assert (told.status_code, told.json()["ready"]) == (200, True)
    assert told.json()["stream"] is None


def test_not_ready_with_a_store_that_is_down() -> None:
    """Its answers would be 503: let another replica have them."""
    probe = store_probe(without(memory_stores(), "policies"))
    told = Door(more={"store_probe": probe}).get("/readyz")
    assert (told.status_code, told.json()["ready"]) == (503, False)
    assert "disk is full" in told.json()["store"]


def test_ready_with_a_source_that_is_down() -> None:
    """Inconclusive is the right answer then; taking the gate away would abort releases."""
    told = Door(more={"source_probe": lambda: DOWN}).get("/readyz")
    assert (told.status_code, told.json()["source"]) == (200, "the disk is full")


def test_a_store_that_hangs_is_not_ready_within_a_second() -> None:
    """Kubernetes waits for one."""
    leave = threading.Event()

    def hang() -> Probe:
        leave.wait(10)
        return DOWN

    began = time.perf_counter()
    told = Door(more={"store_probe": hang}).get("/readyz")
    took = time.perf_counter() - began
    leave.set()
    assert (told.status_code, "did not answer" in told.json()["store"]) == (503, True)
    assert took < 1.5


def test_a_source_that_hangs_holds_no_probe_up() -> None:
    """What it said last is told, and it is asked in the background, by one thread at most."""
    source = Hanging()
    probe = source_probe(source)
    began = time.perf_counter()
    answers = [probe() for _ in range(50)]
    took = time.perf_counter() - began
    source.leave.set()
    assert {a.words for a in answers} == {"asked just now, no answer yet"}
    assert took < 1.0
    assert soon(probe, "answers").is_right
    assert len(source.reads) == 1


def test_a_source_is_asked_again_when_its_answer_is_old() -> None:
    """It came back, or went away."""
    source = FakeSource(fault=Fault.DOWN)
    probe = source_probe(source, fresh_s=0.0)
    down = soon(probe, "known to be down")
    source.fault = Fault.NONE
    up = soon(probe, "answers")
    assert (down.is_right, up.is_right) == (False, True)
    assert "told to be down" in down.words


def test_a_source_is_not_asked_more_often_than_need_be() -> None:
    """We are guests there."""
    source = FakeSource()
    probe = source_probe(source)
    soon(probe, "answers")
    for _ in range(20):
        probe()
    assert len(source.reads) == 1


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_real_store_is_probed(tmp_path: Path, is_closed: bool) -> None:
    """Opened and migrated it is right; a file that is no database any more is not."""
    database = Database(tmp_path / "serinus.db")
    probe = store_probe(database.stores())
    assert probe().is_right
    if is_closed:
        database.close()
        (tmp_path / "serinus.db").write_bytes(b"no database at all" * 1000)
        for more in ("-wal", "-shm"):
            (tmp_path / f"serinus.db{more}").unlink(missing_ok=True)
        assert not probe().is_right
    database.close()
