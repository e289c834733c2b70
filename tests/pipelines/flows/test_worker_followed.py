"""Events of workers are told to who follows them here: each once, and none is passed over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.stream.anomaly import Happened
from pipelines.flows.worker_followed import Following
from pipelines.stores.events import SqlEvents
from pipelines.stores.sqlite import Database
from pipelines.stores.statements import Statement
from pipelines.topics.port import Partition
from tests.pipelines.flows.working import TOPIC, Log, messages, share_on

P0 = Partition(TOPIC, 0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(tmp_path / "stream.db")
    yield opened
    opened.close()


def judge(database: Database, upto: int) -> None:
    """A worker goes on from its checkpoint to before an offset."""
    share = share_on(database, Log({P0: messages()}))
    offset = share.assigned([P0])[P0]
    for message in messages()[offset:upto]:
        share.apply(message)
    share.checkpoint()


def test_what_happens_from_now_on_is_told_once(database: Database) -> None:
    """Who follows would hear the anomalies of last week again, or each twice."""
    told: list[Happened] = []
    judge(database, 201)
    before = SqlEvents(database).newest()
    following = Following(SqlEvents(database), told.append)
    first = following.look()
    judge(database, 260)

    second, third = following.look(), following.look()

    assert before > 0
    assert (first, third) == (0, 0)
    assert second == len(told) > 0
    assert told[-1].anomaly.state.value == "closed"


def test_an_event_that_was_written_late_under_a_lower_number_is_told_too(
    database: Database,
) -> None:
    """Of two workers that write at once one would never be heard."""
    told: list[Happened] = []
    following = Following(SqlEvents(database), told.append)
    following.look()
    judge(database, 260)
    following.look()
    count = len(told)
    late = Statement(
        "insert into stream_events select -5, part, -99, nth, kept_at, sent, body"
        " from stream_events limit 1",
        {},
    )
    with database.write() as transaction:
        transaction.run(late)

    following.look()

    assert len(told) == count + 1


def test_it_looks_by_itself_until_it_is_closed(database: Database) -> None:
    """Nothing would be told until somebody asks."""
    is_told = threading.Event()
    following = Following(SqlEvents(database), lambda _: is_told.set(), every_s=0.01)
    following.look()

    following.start()
    judge(database, 260)

    assert is_told.wait(20)
    following.close()
