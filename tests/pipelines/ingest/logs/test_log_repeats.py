"""A message that comes once more: its lines are counted once, and its sender hears the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from detector.errors import InputError, StoreError
from detector.logs.lines import LogLines
from pipelines.ingest.decoded import FullError
from pipelines.ingest.limits import Limits
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.log_repeats import Repeats
from pipelines.ingest.logs.taken import TakenLines, no_lines
from pipelines.ingest.protocol import LogDoor, Packing
from pipelines.ingest.records.flaws import Flaw
from pipelines.testing.log_sink import MemoryLogSink
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, LogExport, Logway

HOUR_NS = 3_600 * 10**9


def said(*texts: str, at: int = NOW_NS) -> bytes:
    """A request."""
    export = LogExport(service_name="shop")
    for text in texts:
        export.record(text, at=at)
    return export.body


def test_the_same_bytes_are_counted_once() -> None:
    """A sender that heard nothing comes again, and must not make a burst."""
    way, body = Logway(), said("a", "b")
    assert way.take(body).taken == 2
    again = way.take(body)
    assert (again.taken, again.dropped) == (0, {Flaw.REPEATED: 2})
    assert way.sink.messages() == ["a", "b"]
    assert way.doors.tally.taken["default", "otlp"] == 2
    assert way.doors.tally.dropped["default", "otlp", "repeated"] == 2


def test_what_was_refused_is_told_again_and_counted_once() -> None:
    """It is the same answer, but nothing new was refused."""
    way, export = Logway(behind_s=60), LogExport()
    export.record("old", at=NOW_NS - HOUR_NS)
    export.record("new")
    told = [way.take(export.body).refused.told() for _ in range(2)]
    assert told[0] == told[1]
    assert way.doors.tally.refused["default", "otlp", "too_old"] == 1


def test_lines_without_times_may_be_the_same_by_chance() -> None:
    """Two messages of a program that tells no time are two."""
    way, body = Logway(), said("a", at=0)
    assert [way.take(body).taken for _ in range(2)] == [1, 1]


def test_tenants_and_doors_are_kept_apart() -> None:
    """The same line of two teams is two lines."""
    way, body = Logway(), said("a")
    way.take(body)
    assert way.doors.take(LogDoor.OTLP, "team-b", body, Packing.PLAIN).taken == 1


@pytest.mark.parametrize("trouble", ["full", "down"])
def test_what_was_not_taken_is_taken_when_it_comes_again(trouble: str) -> None:
    """An error is no answer that may be repeated."""
    way, body = Logway(), said("a")
    way.sink.is_full, way.sink.is_down = trouble == "full", trouble == "down"
    with pytest.raises((FullError, StoreError)):
        way.take(body)
    way.sink.is_full = way.sink.is_down = False
    assert way.take(body).taken == 1


def test_a_message_that_cannot_be_read_is_an_error_each_time() -> None:
    """Nothing is under way after it."""
    way = Logway()
    for _ in range(2):
        with pytest.raises(InputError):
            way.take(b"\xff\xff")


class Waiting(MemoryLogSink):
    """Takes a batch when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_go = threading.Event(), threading.Event()

    def put(self, tenant: str, lines: LogLines) -> bool:
        """Wait, and take."""
        self.is_asked.set()
        assert self.may_go.wait(20)
        return super().put(tenant, lines)


def test_the_same_message_while_it_is_taken_is_put_off() -> None:
    """A sender whose patience ended before our work did."""
    sink, body = Waiting(), said("a")
    doors = LogDoors(sink, Limits(), clock=lambda: NOW_MS / 1000)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(doors.take, LogDoor.OTLP, "default", body, Packing.PLAIN)
        assert sink.is_asked.wait(20)
        with pytest.raises(FullError, match="being taken"):
            doors.take(LogDoor.OTLP, "default", body, Packing.PLAIN)
        sink.may_go.set()
        assert first.result(20).taken == 1
    assert doors.take(LogDoor.OTLP, "default", body, Packing.PLAIN).taken == 0


def test_only_so_many_are_known_and_not_for_ever() -> None:
    """Memory is bounded, by number and by time."""
    now = [0.0]
    repeats = Repeats(lambda: now[0], most=2, keep_s=10)

    def is_known(body: bytes) -> bool:
        taken = TakenLines(lines=no_lines(), is_timed=True)
        return repeats.once("default", LogDoor.LOKI, body, lambda: taken)[1]

    assert [is_known(body) for body in (b"a", b"b", b"a")] == [False, False, True]
    assert [is_known(body) for body in (b"c", b"a", b"c")] == [False, False, True]
    now[0] = 11.0
    assert not is_known(b"c")
