"""The stream of a process as the gate asks it: over restarts, and when there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from detector.errors import StoreError
from detector.gate.course import Streamed, course
from detector.gate.memory import Memory
from detector.signals.packs import shipped_packs
from detector.stream.answering import streamed
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.stream import Stream
from pipelines.flows.stream_baselines import StreamBaselines
from pipelines.flows.stream_part import StreamPart
from pipelines.flows.tape import Remembered, TapeReader, TapeWriter
from pipelines.ingest.interning import Interner
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from tests.detector.stream.services import Pushed, counting, plan_of

PLAN = plan_of()


def opened(folder: Path) -> Stream:
    """A stream on a folder, as `serinus serve` opens it."""
    part = StreamPart(
        Database(folder / "stream.db"),
        "local",
        owners=Owners(shipped_packs()),
        settings=StreamSettings(),
        counting=counting(),
    )
    return Stream(part, Spool(folder / "spool"))


def push(stream: Stream, pushed: Pushed, minutes: int) -> None:
    """Some minutes of a service through the front of the stream."""
    names = stream.known("default")
    assert isinstance(names, Interner)
    for info in pushed.series:
        names.id_of(info.labels, info.kind)
    for columns in pushed.batches(minutes, errors=0.05):
        assert stream.put("default", columns, names)
    assert stream.drain(60)


def told(stream: Stream, until: float, tenant: str = "default") -> Streamed:
    """What the gate hears."""
    return StreamBaselines(lambda: stream).told(tenant, PLAN, until=until)


def test_what_was_pushed_is_told_and_survives_a_restart(tmp_path: Path) -> None:
    """Two weeks of learning are not lost by an upgrade."""
    pushed = Pushed().born("pod-old-1", "pod-old-2")
    stream = opened(tmp_path)
    push(stream, pushed, 150)
    before = told(stream, pushed.now)
    stream.close()
    again = opened(tmp_path)
    assert told(again, pushed.now) == before
    push(again, pushed, 60)
    after = told(again, pushed.now).of("error_rate")
    again.close()
    found = before.of("error_rate")
    assert found is not None
    assert after is not None
    assert found.table[1:] == pytest.approx(after.table[1:5])
    assert after.table[-1] == pytest.approx([3600.0, 180.0])


def test_a_stream_that_never_rests_finds_a_moment_for_the_gate(tmp_path: Path) -> None:
    """Hundreds of batches wait, and who asks about a rollout does not wait for all of them."""
    pushed = Pushed().born(*(f"pod-old-{n}" for n in range(20)))
    stream = opened(tmp_path)
    push(stream, pushed, 100)
    names = stream.known("default")
    for columns in list(pushed.batches(400)):
        assert stream.put("default", columns, names)
    waiting = stream.waiting
    found = told(stream, pushed.now - 400 * 60.0)
    stream.close()
    assert waiting
    assert found.signals


def test_another_tenant_s_past_is_not_told(tmp_path: Path) -> None:
    """Two teams may have a service of one name."""
    pushed = Pushed().born("pod-old-1")
    stream = opened(tmp_path)
    push(stream, pushed, 90)
    found = told(stream, pushed.now, "other")
    stream.close()
    assert set(found.why.values()) == {"nothing is pushed to it"}


def test_a_stream_that_stopped_is_a_reason_and_no_error(tmp_path: Path) -> None:
    """A verdict needs no stream."""
    stream = opened(tmp_path)
    stream.close()
    found = told(stream, 0.0)
    assert found.signals == {}
    assert all("the stream takes nothing" in why for why in found.why.values())


@dataclass
class Broken:
    """A stream that fails."""

    error: Exception

    def __call__(self) -> Stream:
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [(StoreError("it is not open"), "it is not open"), (IndexError("7"), "an error of serinus")],
    ids=["not open", "damaged"],
)
def test_whatever_goes_wrong_in_it_is_a_reason(error: Exception, words: str) -> None:
    """The gate looks for itself then."""
    found = StreamBaselines(Broken(error)).told("default", PLAN, until=0.0)
    assert found.signals == {}
    assert all(words in why for why in found.why.values())


def test_the_tape_keeps_what_it_told_to_the_bit() -> None:
    """A replay on another machine has no stream, and needs none."""
    pushed = Pushed().born("pod-old-1").push(200, errors=0.03)
    stream = streamed(pushed.tallies, pushed.series, PLAN, until=pushed.now)
    event = Remembered(at=1.0, memory=Memory(at=0.5, stream=stream))
    assert list(TapeReader().read(TapeWriter().write([event]))) == [event]
    none = Remembered(at=1.0, memory=Memory(at=0.5))
    assert list(TapeReader().read(TapeWriter().write([none]))) == [none]


def test_a_course_is_what_it_was_made_of() -> None:
    """Bytes on the tape, numbers for who compares them."""
    pushed = Pushed().born("pod-old-1").push(100)
    _, table = pushed.tallies.past([0, 1], 2**62)
    assert course(table.astype(np.float64)).table.tolist() == table.tolist()
