"""A database that is away for a while: the stream waits, and judges all of it once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from detector.errors import StoreError
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns
from detector.stream.settings import StreamSettings
from pipelines.flows.stream import Stream
from pipelines.flows.stream_meters import Patience
from pipelines.flows.stream_part import StreamPart
from pipelines.stores.checkpoints import Checkpoints
from pipelines.stores.connections import Connections
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.test_stream import OWNERS, batches, found, named
from tests.pipelines.stores.away import AwayDatabase

pytestmark = pytest.mark.usefixtures("plain_logs")

SOON = Patience(first_s=0.001, longest_s=0.004, at_end_s=0.2)


def part_on(database: Connections) -> StreamPart:
    """The operators of a stream on any database."""
    return StreamPart(database, "local", owners=OWNERS, settings=StreamSettings(alarms_a_week=0.01))


def opened(folder: Path, database: Connections, checkpoint_s: float = 60.0) -> Stream:
    """A stream that does not wait long."""
    spool = Spool(folder / "spool")
    return Stream(part_on(database), spool, patience=SOON, checkpoint_s=checkpoint_s, room=400)


def fed(stream: Stream, every: list[Columns]) -> list[tuple[int, Happened]]:
    """Put all of it, as fast as there is room; what was told."""
    told: list[tuple[int, Happened]] = []
    stream.watch = lambda number, one: told.append((number, one))
    for batch in every:
        until(partial(stream.put, "default", batch, named(stream, 4)))
    assert stream.drain(60)
    return told


def until(is_so: Callable[[], object]) -> None:
    """Return once it is so."""
    give_up = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def held(database: Connections) -> dict[str, bytes]:
    """The arrays of the newest checkpoint, to the bit."""
    arrays = Checkpoints(database, "local").take().tenants["default"].arrays
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("seed", range(3))
def test_writes_that_fail_now_and_then_change_nothing(tmp_path: Path, seed: int) -> None:
    """Judged twice, a sample would move its baseline twice; not at all, an anomaly would be lost.

    Half of all checkpoints fail, and of each write of anomalies the first two tries: some of them
    after all was written, so that the answer alone was lost.
    """
    calm = Database(tmp_path / "calm.db")
    whole = opened(tmp_path / "calm", calm)
    expected = fed(whole, batches())
    whole.close()
    chance = np.random.default_rng(seed)
    plan = ["", *chance.choice(["", "", "before", "after"], 300).tolist()]
    kept = Database(tmp_path / "away.db")
    light = cycle([["before", "after", ""], ["after", "before", ""], ["after", "after", ""]][seed])
    stream = opened(tmp_path / "away", AwayDatabase(kept, plan, light), checkpoint_s=0.02)
    told = fed(stream, batches())
    until(lambda: stream.meters.retries > 0)
    stream.close()
    assert (stream.meters.samples, stream.meters.failed) == (1200, "")
    assert told == expected
    assert found(kept) == found(calm)
    assert held(kept) == held(calm)


def test_the_queue_fills_while_the_database_is_away_and_all_is_judged_after(
    tmp_path: Path,
) -> None:
    """Senders hear "later" and send it again; a stream that stopped would need a person."""
    kept = Database(tmp_path / "stream.db")
    away = AwayDatabase(kept)
    stream = opened(tmp_path, away, checkpoint_s=0.01)
    away.is_away = True
    assert away.missed.acquire(timeout=30)
    every = batches(101)
    with capture_logs() as logs:
        assert all(stream.put("default", batch, named(stream, 4)) for batch in every[:100])
        assert not stream.put("default", every[100], named(stream, 4))
        for _ in range(5):
            assert away.missed.acquire(timeout=30)
        assert (stream.waiting, stream.meters.refused) == (400, 4)
        assert "locked" in stream.meters.retrying
        away.is_away = False
        assert stream.drain(30)
        until(lambda: not stream.meters.retrying)
    assert (stream.meters.samples, stream.meters.failed) == (400, "")
    assert [line["event"] for line in logs] == ["the stream goes on"]
    stream.close()


def test_that_it_waits_is_logged_once(tmp_path: Path) -> None:
    """A line a second all night would bury what else is in the log."""
    away = AwayDatabase(Database(tmp_path / "stream.db"))
    with capture_logs() as logs:
        stream = opened(tmp_path, away, checkpoint_s=0.01)
        away.is_away = True
        for _ in range(6):
            assert away.missed.acquire(timeout=30)
        away.is_away = False
        until(lambda: stream.meters.retries > 0 and not stream.meters.retrying)
        stream.close()
    assert [line["log_level"] for line in logs] == ["warning", "info"]
    assert "locked" in logs[0]["error"]


def test_an_end_while_the_database_is_away_loses_nothing(tmp_path: Path) -> None:
    """The process must end in time, and the next one judges the same samples, once."""
    calm, kept = Database(tmp_path / "calm.db"), Database(tmp_path / "away.db")
    whole = opened(tmp_path / "calm", calm)
    fed(whole, batches())
    whole.close()
    away = AwayDatabase(kept)
    stream = opened(tmp_path / "away", away)
    fed(stream, batches()[:190])
    away.is_away = True
    assert all(stream.put("default", batch, named(stream, 4)) for batch in batches()[190:250])
    assert away.missed.acquire(timeout=30)
    stream.close()
    assert "locked" in stream.meters.failed
    again = opened(tmp_path / "away", kept)
    fed(again, batches()[250:])
    again.close()
    assert found(kept) == found(calm)
    assert held(kept) == held(calm)


def test_a_file_that_another_program_locks_is_waited_for(tmp_path: Path) -> None:
    """A backup that holds SQLite's lock for longer than its busy time stopped it for good."""
    database = Database(tmp_path / "stream.db")
    stream = opened(tmp_path, database, checkpoint_s=0.01)
    other = sqlite3.connect(tmp_path / "stream.db", isolation_level=None, timeout=30)
    other.execute("begin immediate")
    until(lambda: stream.meters.retrying)
    assert "database is locked" in stream.meters.retrying
    other.execute("rollback")
    until(lambda: not stream.meters.retrying)
    assert stream.put("default", batches(1)[0], named(stream, 4))
    stream.close()
    assert (stream.meters.samples, stream.meters.failed) == (4, "")


def test_who_lost_the_part_to_another_stops_at_once(tmp_path: Path) -> None:
    """That does not pass: to try again for ever would hide that two processes run."""
    database = Database(tmp_path / "stream.db")
    stream = opened(tmp_path, database, checkpoint_s=0.01)
    part_on(database).take()
    until(lambda: stream.meters.failed)
    assert "another process" in stream.meters.failed
    assert stream.meters.retries == 0
    stream.close()


def test_an_error_of_our_own_stops_it_and_is_not_tried_again(tmp_path: Path) -> None:
    """What goes wrong once in a moved state goes wrong always; the spool keeps it."""
    stream = opened(tmp_path, Database(tmp_path / "stream.db"))
    fed(stream, batches()[:190])

    def broken(number: int, happened: Happened) -> None:
        raise LookupError(happened.anomaly.id, number)

    stream.watch = broken
    with suppress(StoreError):
        for batch in batches()[190:220]:
            stream.put("default", batch, named(stream, 4))
    until(lambda: stream.meters.failed)
    assert "of serinus itself" in stream.meters.failed
    assert stream.meters.retries == 0
    with pytest.raises(StoreError, match="takes nothing"):
        stream.put("default", batches(1)[0], named(stream, 4))
    stream.close()
