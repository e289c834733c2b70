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


def test_what_happens_after_a_number_is_told_once(database: Database) -> None:
    """Who follows would hear the anomalies of last week again, or each twice."""
    told: list[tuple[int, Happened]] = []
    judge(database, 201)
    before = SqlEvents(database).newest()
    following = Following(SqlEvents(database), lambda *one: told.append(one), after=before)
    first = following.look()
    judge(database, 260)

    second, third = following.look(), following.look()

    assert before > 0
    assert (first, third) == (0, 0)
    assert second == len(told) > 0
    assert [number for number, _ in told] == [before + 1 + n for n in range(len(told))]
    assert told[-1][1].anomaly.state.value == "closed"


def test_it_looks_by_itself_until_it_is_closed(database: Database) -> None:
    """Nothing would be told until somebody asks."""
    is_told = threading.Event()
    following = Following(SqlEvents(database), lambda *_: is_told.set(), after=0, every_s=0.01)

    following.start()
    judge(database, 260)

    assert is_told.wait(20)
    following.close()
