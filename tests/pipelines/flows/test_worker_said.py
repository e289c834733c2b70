"""What people say of a worker's anomalies reaches it once, wherever its partition is by then."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from detector.stream.anomaly import AnomalyState, Ending, Judged
from detector.stream.feedback import Feedback
from detector.stream.record import AnomalyFilter, KeptAnomaly
from pipelines.flows.worker_share import Share
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.events import SqlEvents
from pipelines.stores.said import SqlSaid
from pipelines.stores.sqlite import Database
from pipelines.topics.port import Message, Partition
from tests.pipelines.flows.working import TOPIC, Log, messages, operators_of, share_on

P0 = Partition(TOPIC, 0)
PART = f"{TOPIC}/0"


@cache
def log() -> list[Message]:
    """One partition, with twenty odd minutes."""
    return messages()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(tmp_path / "stream.db")
    yield opened
    opened.close()


def reading(database: Database, upto: int, worker: str = "w1") -> Share:
    """A worker that has judged all before an offset, from its checkpoint on."""
    share = share_on(database, Log({P0: log()}), worker)
    offset = share.assigned([P0])[P0]
    for message in log()[offset:upto]:
        share.apply(message)
    return share


def only(database: Database) -> KeptAnomaly:
    """The anomaly."""
    [found] = SqlAnomalies(database).list(AnomalyFilter(tenant="default")).anomalies
    return found


def say(database: Database) -> int:
    """A person calls it normal."""
    anomaly = only(database).anomaly
    feedback = Feedback(
        anomaly=anomaly.id,
        judged=Judged.NORMAL,
        at=log()[210].at,
        series=tuple(one.series for one in anomaly.contributions),
        surprise=tuple(one.surprise for one in anomaly.contributions),
    )
    return SqlSaid(database).say(PART, "default", feedback)


def test_what_is_said_ends_the_anomaly_and_changes_what_its_series_need(
    database: Database,
) -> None:
    """Somebody would press the button, and nothing would come of it."""
    share = reading(database, 210)
    share.tell()
    number = say(database)
    before = SqlSaid(database).is_applied(number)

    share.tell()

    told = SqlEvents(database).after(0, 100)[-1].told
    assert (before, SqlSaid(database).is_applied(number)) == (False, True)
    assert only(database).anomaly.state is AnomalyState.CLOSED
    assert (told.happened.anomaly.ending, told.position) == (Ending.FEEDBACK, -1 - number)


def test_it_is_in_the_state_of_the_next_checkpoint_and_is_not_applied_again(
    database: Database,
) -> None:
    """After a rebalance the threshold of its series would be raised once more, or not at all."""
    share = reading(database, 210)
    share.tell()
    say(database)
    share.tell()
    share.checkpoint()
    shift = _shifts(share)

    again = reading(database, 210, "w2")
    again.tell()

    assert max(shift) > 0
    assert _shifts(again) == shift


def test_a_worker_that_died_before_its_checkpoint_leaves_it_to_the_next(
    database: Database,
) -> None:
    """What a person said would be gone with the process that heard it."""
    share = reading(database, 150)
    share.checkpoint()
    share = reading(database, 210)
    share.tell()
    say(database)
    share.tell()
    shift = _shifts(share)

    again = reading(database, 210, "w2")
    forgotten = _shifts(again)
    again.tell()

    assert forgotten == [0.0] * len(shift)
    assert max(_shifts(again)) > 0


def _shifts(share: Share) -> list[float]:
    """What feedback added to what each series needs."""
    held = operators_of(share.parts[P0]).held()["default"]
    return [float(one) for one in held.arrays["track.shift"]]
