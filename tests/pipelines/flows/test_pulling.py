"""Metrics pulled by a thread: each sample once over failures and deaths, and how that is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from detector.series import Answer, Query
from pipelines.flows.pulling import Pulling
from pipelines.flows.stream import Stream
from pipelines.flows.stream_part import Samples, read
from pipelines.ingest.doors import Doors
from pipelines.ingest.pull import Pull
from pipelines.ingest.selectors import selector_of
from pipelines.sources.open import Source, open_source
from pipelines.sources.settings import SourceSettings
from pipelines.stores.spool import Spool
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.test_stream import opened
from tests.pipelines.ingest.doorways import NOW_MS, Doorway
from tests.servers import running_prometheus, scrape_config

pytestmark = pytest.mark.usefixtures("plain_logs")

NOW = NOW_MS / 1000


def until(is_so: Callable[[], object]) -> None:
    """Return once another thread has made it so."""
    give_up = time.monotonic() + 45
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def filled() -> FakeSource:
    """A gauge each fifteen seconds, for an hour."""
    source = FakeSource()
    times = np.arange(NOW - 3_600, NOW, 15.0)
    source.store.add({"__name__": "load"}, times, times)
    return source


def pulling(source: FakeSource, doors: Doors, every_s: float = 0.001) -> Pulling:
    """A thread that reads the gauge; its clock stands still."""
    pull = Pull(source, source, doors, [selector_of("load")], first_s=1_800)
    return Pulling(pull, every_s=every_s, timeout_s=1, clock=lambda: NOW)


def test_all_that_is_due_is_read_at_once_and_then_nothing() -> None:
    """Half an hour in bounded stretches, without waiting for a round between them."""
    source, doorway = filled(), Doorway()
    thread = pulling(source, doorway.doors, every_s=60)
    thread.start()
    until(lambda: len(doorway.sink.of("load")) == 120)
    thread.close()
    assert thread.meters.samples == 120
    assert thread.meters.readings == len(source.reads) == 2
    assert thread.words == "has read up to 2025-11-24T15:59:45Z"


def test_a_source_that_fails_is_told_logged_once_and_asked_again() -> None:
    """Whoever looks sees what is missing, and since when."""
    source, doorway = filled(), Doorway()
    source.fault = Fault.DOWN
    thread = pulling(source, doorway.doors)
    with capture_logs() as logs:
        thread.start()
        until(lambda: thread.meters.failures >= 3)
        assert "told to be down" in thread.words
        source.fault = Fault.NONE
        until(lambda: thread.meters.readings)
        thread.close()
    assert "told to be down" not in thread.words
    assert [line["event"] for line in logs] == ["cannot pull", "pulls again"]
    assert len(doorway.sink.of("load")) == 120


def test_a_full_queue_is_waited_for() -> None:
    """What there was no room for is read again."""
    source, doorway = filled(), Doorway()
    doorway.sink.is_full = True
    thread = pulling(source, doorway.doors)
    thread.start()
    until(lambda: doorway.sink.refusals >= 2)
    assert "queue of samples is full" in thread.words
    doorway.sink.is_full = False
    until(lambda: len(doorway.sink.of("load")) == 120)
    thread.close()


class Broken(FakeSource):
    """Answers with what no source may answer."""

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Fail as nobody foresaw."""
        raise LookupError(start)


def test_an_error_that_nobody_foresaw_ends_no_thread() -> None:
    """A plug-in's mistake is told like a source that is down."""
    thread = pulling(Broken(), Doorway().doors)
    thread.start()
    until(lambda: thread.meters.failures >= 2)
    assert "of serinus itself" in thread.words
    thread.close()


class Hanging(FakeSource):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.leave = threading.Event(), threading.Event()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Hang, then answer."""
        self.is_asked.set()
        self.leave.wait(30)
        return super().read(queries, start, end, timeout_s=timeout_s)


def test_an_end_does_not_wait_for_an_answer() -> None:
    """An upgrade of serinus is not held up by somebody else's Prometheus."""
    source = Hanging()
    thread = pulling(source, Doorway().doors)
    thread.start()
    assert source.is_asked.wait(30)
    began = time.monotonic()
    thread.close()
    assert time.monotonic() - began < 10
    source.leave.set()


def life(folder: Path, source: FakeSource, until_now: float, *, is_killed: bool) -> Stream:
    """One process that pulls up to a moment; killed, it never writes a checkpoint."""
    stream, _ = opened(folder)
    doors = Doors(stream, clock=lambda: until_now)
    pull = Pull(source, source, doors, [selector_of("load")], first_s=1_800, settle_s=0.0)
    while pull.step(until_now, timeout_s=1) is not None:
        pass
    if not is_killed:
        stream.close()
    return stream


@pytest.mark.parametrize("deaths", [(True, True), (False, False), (True, False)])
def test_the_next_process_reads_on_where_the_samples_end(
    tmp_path: Path, deaths: tuple[bool, bool]
) -> None:
    """How far it is lies with the samples: in the spool, and then in the checkpoint."""
    source = filled()
    for at, is_killed in zip((NOW - 1_000, NOW - 400), deaths, strict=True):
        life(tmp_path, source, at, is_killed=is_killed)
    last = life(tmp_path, source, NOW, is_killed=True)
    asked = [(read.start, read.end) for read in source.reads]
    assert asked[0][0] == NOW - 2_800
    assert asked[-1][1] == NOW
    assert all(before[1] == after[0] for before, after in pairwise(asked))
    assert last.read_to("default") == NOW_MS


def held(folder: Path) -> dict[int, list[tuple[int, float]]]:
    """The samples in the spool by the number of their record, those of earlier lives among them."""
    found = {}
    for number, body in Spool(folder).after(0):
        arrived = read(body)
        assert isinstance(arrived, Samples)
        columns = arrived.columns()
        found[number] = list(zip(columns.at.tolist(), columns.value.tolist(), strict=True))
    return found


def pulled(folder: Path, source: Source) -> dict[int, list[tuple[int, float]]]:
    """What one life takes that reads until it has some samples and then dies."""
    stream, _ = opened(folder)
    pull = Pull(source, source, Doors(stream), [selector_of("up")], first_s=60, settle_s=1)
    thread = Pulling(pull, every_s=0.3, timeout_s=5)
    thread.start()
    until(lambda: thread.meters.samples >= 4)
    thread.close()
    return held(folder / "spool")


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("binary", ["prometheus2", "prometheus3"])
def test_a_real_prometheus_is_pulled_over_deaths(binary: str, tmp_path: Path) -> None:
    """Each sample that Prometheus has is in a spool once, under its own time."""
    config = scrape_config("127.0.0.1:1", interval="1s")
    with running_prometheus(binary, tmp_path / "prometheus", config=config) as server:
        source = open_source(SourceSettings(kind="prometheus", url=server.url))
        # The stream of each life is left as kill -9 would leave it.
        records = pulled(tmp_path, source) | pulled(tmp_path, source) | pulled(tmp_path, source)
        (answer,) = source.read([Query("up")], time.time() - 600, time.time(), timeout_s=5)
    (series,) = answer.series
    has = [
        (round(1000 * at), value)
        for at, value in zip(series.times.tolist(), series.values.tolist(), strict=True)
    ]
    spooled = [sample for _, samples in sorted(records.items()) for sample in samples]
    assert len(records) >= 3
    assert spooled == [sample for sample in has if sample[0] <= spooled[-1][0]]
