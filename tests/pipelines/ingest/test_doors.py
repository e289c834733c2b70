"""The doors of a tenant: what is read first is kept first, also where two knock at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from detector.errors import StoreError
from detector.stream.columns import Columns
from detector.stream.ports import SeriesNames
from pipelines.ingest.doors import Doors
from pipelines.ingest.labels import NAME
from pipelines.ingest.protocol import Door, Packing
from pipelines.testing.remote_write import request
from pipelines.testing.sink import MemorySink
from tests.pipelines.ingest.doorways import NOW_MS, Doorway


class SlowSink(MemorySink):
    """Lets the first batch in only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reached, self.go_on = threading.Event(), threading.Event()

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """Wait, the first time."""
        if not self.is_reached.is_set():
            self.is_reached.set()
            self.go_on.wait(90)
        return super().put(tenant, columns, names, read_to=read_to)


def write(at: int) -> bytes:
    """A sample of the series, and one of a series that only this request has."""
    return request([({NAME: "up"}, [(1.0, at)]), ({NAME: f"m{at}"}, [(1.0, at)])])


def test_of_two_requests_at_once_what_was_read_first_is_kept_first() -> None:
    """A sample that was overtaken would be late, and not count; ids would be out of order."""
    sink = SlowSink()
    door = Doorway(sink)
    with ThreadPoolExecutor(2) as senders:
        first = senders.submit(door.take, Door.REMOTE_WRITE, write(NOW_MS))
        assert sink.is_reached.wait(90)
        second = senders.submit(door.take, Door.REMOTE_WRITE, write(NOW_MS + 1))
        # Were the door free meanwhile, the second would be through before the first.
        assert not _done_within(second, 0.2)
        sink.go_on.set()
        first.result(30)
        second.result(30)
    assert [at for at, _ in sink.of("up")] == [NOW_MS, NOW_MS + 1]
    assert [info.name for info in sink.series["default"]] == ["up", f"m{NOW_MS}", f"m{NOW_MS + 1}"]


def _done_within(job: object, seconds: float) -> bool:
    from concurrent.futures import Future, wait

    assert isinstance(job, Future)
    return bool(wait([job], timeout=seconds).done)


def test_another_tenant_does_not_wait_for_it() -> None:
    """One that is slow to be kept holds up its own samples alone."""
    sink = SlowSink()
    doors = Doors(sink, clock=lambda: NOW_MS / 1000)
    with ThreadPoolExecutor(1) as senders:
        slow = senders.submit(doors.take, Door.REMOTE_WRITE, "slow", write(NOW_MS), Packing.PLAIN)
        assert sink.is_reached.wait(90)
        doors.take(Door.REMOTE_WRITE, "quick", write(NOW_MS), Packing.PLAIN)
        assert len(sink.samples("quick")) == 2
        sink.go_on.set()
        slow.result(30)


class ShutSink(MemorySink):
    """A stream that is not open yet."""

    is_shut = True

    def known(self, tenant: str) -> SeriesNames | None:
        """Fail until it is open."""
        if self.is_shut:
            raise StoreError("the stream is not open yet")
        return super().known(tenant)


def test_doors_onto_a_stream_that_is_shut_open_with_it() -> None:
    """A tenant whose series could not be asked for must not begin at id 0."""
    sink = ShutSink()
    door = Doorway(sink)
    with pytest.raises(StoreError, match="not open yet"):
        door.take(Door.REMOTE_WRITE, write(NOW_MS))
    assert door.doors.series() == {}
    sink.is_shut = False
    door.take(Door.REMOTE_WRITE, write(NOW_MS))
    assert len(sink.samples()) == 2
