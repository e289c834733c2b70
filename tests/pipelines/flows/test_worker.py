"""A worker with its threads: it reads, pauses, hands over and ends, and loses nothing by it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from detector.errors import BrokerError
from pipelines.flows.stream_meters import Patience
from pipelines.flows.worker import Pace, Worker
from pipelines.flows.worker_outbox import Outbox
from pipelines.flows.worker_part import Letter, WorkerPart
from pipelines.flows.worker_share import Share
from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.events import KeptEvent, SqlEvents
from pipelines.stores.sqlite import Database
from pipelines.stores.statements import compiled
from pipelines.stores.worker_parts import progress_of
from pipelines.testing.topics import MemoryBroker, MemoryReader
from pipelines.topics.outgoing import anomaly_event, dead_letter
from pipelines.topics.port import Outgoing, Partition, Rebalance, Topic
from tests.pipelines.flows.working import TOPIC, kept, messages, part_of
from tests.pipelines.stores.away import AwayDatabase

QUICK = Patience(first_s=0.01, longest_s=0.05, at_end_s=0.3)
SOON_S = 20.0
LETTERS = "letters"


@dataclass
class Clock:
    """The broker's: what is sent has the time of its samples."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class World:
    """A broker with a topic of two partitions, and its workers."""

    database: Connections
    clock: Clock = field(default_factory=Clock)
    names: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(self.clock)
        for name, partitions in ((TOPIC, 2), (LETTERS, 1), ("anomalies", 1)):
            self.broker.make(Topic(name=name, partitions=partitions, replication=1))
        self.readers: list[MemoryReader] = []

    def send(self, count: int = 260, first: int = 0, *, poison: tuple[int, ...] = ()) -> None:
        """What happens in both partitions, in turn: without a key that is where they go."""
        pairs = zip(messages(number=0, poison=poison), messages(number=1), strict=True)
        for one in itertools.chain.from_iterable(list(pairs)[first : first + count]):
            self.clock.now = one.at / 1000
            assert one.value is not None
            self.broker.append(Outgoing(topic=TOPIC, key=None, value=one.value))

    def share(self, database: Connections | None = None) -> Share:
        """The share of a new worker."""
        letters, name = self.broker.writer(), f"w{next(self.names)}"

        def deliver(letter: Letter) -> None:
            letters.send(dead_letter(LETTERS, letter.message, letter.reason, most_bytes=2**20))

        def part(partition: Partition) -> WorkerPart:
            return part_of(database or self.database, partition, name)

        return Share(
            open_part=part,
            spans=self.broker.spans,
            deliver=deliver,
            flush=lambda: letters.flush(1.0),
        )

    def reader(self, rebalance: Rebalance) -> MemoryReader:
        """A new member."""
        self.readers.append(self.broker.reader("g", [TOPIC], rebalance))
        return self.readers[-1]

    def at(self) -> dict[str, int]:
        """How far each partition is kept."""
        return {one.part: one.position for one in progress_of(self.database)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A broker and an empty database."""
    database = Database(tmp_path / "stream.db")
    yield World(database)
    database.close()


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """A worker that works meanwhile, and is told to end."""
    stop, failed = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            worker.run(stop)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SOON_S)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


def soon(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


def worker_of(world: World, share: Share | None = None, **pace: float) -> Worker:
    """A worker that is quick to try again."""
    given = {"checkpoint_s": 0.05, "tell_s": 0.02, **pace}
    return Worker(
        share or world.share(),
        world.reader,
        pace=Pace(patience=QUICK, **given),  # type: ignore[arg-type]
    )


BOTH = {f"{TOPIC}/0": 259, f"{TOPIC}/1": 259}


def reference(tmp_path: Path) -> dict[str, Any]:
    """What is kept by a worker that nothing comes between."""
    database = Database(tmp_path / "reference.db")
    world = World(database)
    world.send()
    with working(worker_of(world)):
        soon(lambda: world.at() == BOTH)
    found = kept(database)
    database.close()
    return found


def test_two_workers_that_come_and_go_keep_what_one_does(world: World, tmp_path: Path) -> None:
    """A deployment of a new version would lose samples, or count some twice."""
    world.send(150)
    with working(worker_of(world)):
        soon(lambda: sum(world.at().values()) > 60)
        with working(worker_of(world)):
            world.send(110, first=150)
            soon(lambda: len({one.worker for one in progress_of(world.database)}) == 2)
        soon(lambda: world.at() == BOTH)

    assert kept(world.database) == reference(tmp_path)


def test_a_worker_that_is_told_to_end_keeps_what_it_has_and_leaves(world: World) -> None:
    """The next one would judge up to a minute of samples again."""
    world.send(100)
    worker = worker_of(world, checkpoint_s=3600.0)

    with working(worker):
        soon(lambda: worker.meters.messages == 200)

    assert world.at() == {f"{TOPIC}/0": 99, f"{TOPIC}/1": 99}
    assert not world.readers[0].group.knows(world.readers[0])


def test_a_worker_that_was_thought_dead_writes_nothing_and_begins_anew(
    world: World, tmp_path: Path
) -> None:
    """A long pause of a machine would leave two workers on one partition."""
    world.send(130)
    worker = worker_of(world)
    with working(worker):
        soon(lambda: worker.meters.messages >= 100)
        world.broker.expire(world.readers[0])
        world.send(130, first=130)
        soon(lambda: world.at() == BOTH)

    assert kept(world.database) == reference(tmp_path)


def test_where_the_queue_is_full_reading_pauses_and_goes_on_when_there_is_room(
    world: World,
) -> None:
    """A worker that catches up would fill its memory, or lose its partitions."""
    away = AwayDatabase(world.database)
    worker = worker_of(world, world.share(away), room_bytes=20_000)
    with working(worker):
        soon(lambda: len(progress_of(world.database)) == 2)
        away.is_away = True
        world.send()
        soon(lambda: worker.meters.pauses > 0)
        held = worker.waiting_bytes
        away.is_away = False
        soon(lambda: world.at() == BOTH)

    assert held < 300_000


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(
    world: World, tmp_path: Path
) -> None:
    """A restart of PostgreSQL would end all workers, or leave a gap."""
    away = AwayDatabase(world.database)
    worker = worker_of(world, world.share(away))
    with working(worker):
        world.send(200)
        soon(lambda: worker.meters.messages > 50)
        away.is_away = True
        soon(lambda: "its database" in worker.meters.waits)
        is_ready = worker.meters.is_ready
        world.send(60, first=200)
        away.is_away = False
        soon(lambda: world.at() == BOTH and worker.meters.is_ready)

    assert not is_ready
    assert kept(world.database) == reference(tmp_path)


def test_a_worker_whose_database_stays_away_ends_in_time(world: World) -> None:
    """A pod would be killed in the middle, after having held up a rollout for minutes."""
    away = AwayDatabase(world.database)
    worker = worker_of(world, world.share(away))
    with working(worker):
        world.send(50)
        soon(lambda: worker.meters.messages == 100)
        away.is_away = True
        began = time.monotonic()

    assert time.monotonic() - began < 5.0


def test_a_broker_that_comes_later_is_waited_for(world: World) -> None:
    """The order in which machines start would matter."""
    answers = iter([BrokerError("it does not answer"), BrokerError("it does not answer")])

    def late(rebalance: Rebalance) -> MemoryReader:
        for error in answers:
            raise error
        return world.reader(rebalance)

    world.send(10)
    worker = Worker(world.share(), late, pace=Pace(patience=QUICK, checkpoint_s=0.05))

    with working(worker):
        soon(lambda: worker.meters.messages == 20)

    assert worker.meters.retries == 2


@pytest.mark.parametrize("retryable", [True, False])
def test_a_broker_that_does_not_come_ends_the_worker_with_its_words(
    world: World, retryable: bool
) -> None:
    """A wrong address would be waited for until someone looks."""

    def absent(_: Rebalance) -> MemoryReader:
        raise BrokerError("nobody listens at kafka:9092", retryable=retryable)

    worker = Worker(world.share(), absent, pace=Pace(patience=QUICK, start_s=0.1))

    with pytest.raises(BrokerError, match="nobody listens"):
        worker.run(threading.Event())


def test_messages_that_are_none_are_in_the_dead_letters_and_the_group_sees_how_far_we_are(
    world: World,
) -> None:
    """Nobody could see what was put aside; tools that show lag would show none."""
    world.send(120, poison=(50,))
    worker = worker_of(world)
    with working(worker):
        soon(lambda: set(world.at().values()) == {119})
        soon(lambda: set(world.broker.committed.get("g", {}).values()) == {120})

    [letter] = world.broker.messages(LETTERS)
    headers = dict(letter.headers)
    assert headers["serinus-offset"] == b"50"
    assert b"no columnar message" in headers["serinus-reason"]


def test_what_the_log_has_deleted_is_passed_over_and_counted(world: World) -> None:
    """A worker that was away for too long would stand still for ever."""
    world.send(30)
    with working(worker_of(world)):
        soon(lambda: set(world.at().values()) == {29})
    world.send(70, first=30)
    world.broker.trim(Partition(TOPIC, 0), 60)
    worker = worker_of(world)

    with working(worker):
        soon(lambda: set(world.at().values()) == {99})

    assert worker.meters.gone == 30


def test_events_reach_their_topic_in_order_and_again_under_the_same_id(world: World) -> None:
    """Who reads the topic could not tell a repeat from another anomaly."""
    world.send()
    worker = worker_of(world)
    with working(worker):
        soon(lambda: world.at() == BOTH)
    outbox = outbox_of(world, worker)

    first = outbox.round()
    with world.database.write() as transaction:
        transaction.run(compiled(schema.stream_events.update().values(sent=0)))
    again = outbox.round()

    ids = [dict(one.headers)["ce_id"] for one in world.broker.messages("anomalies")]
    assert first == again == len(ids) / 2 > 0
    assert ids[:first] == ids[first:]
    assert outbox.round() == 0


def test_events_wait_for_a_topic_that_is_away(world: World) -> None:
    """An anomaly would never be heard of because of a restart of the broker."""
    world.send()
    worker = worker_of(world)
    with working(worker):
        soon(lambda: world.at() == BOTH)
    outbox, stop = outbox_of(world, worker), threading.Event()
    world.broker.is_down = True
    thread = threading.Thread(target=outbox.run, args=(stop,))
    thread.start()
    soon(lambda: "the topic of anomalies" in worker.meters.waits)

    world.broker.is_down = False
    soon(lambda: len(world.broker.messages("anomalies")) > 0)
    stop.set()
    thread.join(SOON_S)

    assert outbox.round() == 0


def test_events_are_kept_for_an_hour_after_they_were_sent_and_then_no_more(world: World) -> None:
    """The table would grow for ever, or who follows it would miss some."""
    world.send()
    worker = worker_of(world)
    with working(worker):
        soon(lambda: world.at() == BOTH)
    events = SqlEvents(world.database)

    sent = outbox_of(world, worker).round()
    after_sending = len(events.after(0, 100))
    outbox_of(world, worker, now=4000.0).round()

    assert sent == after_sending > 0
    assert events.after(0, 100) == []


def test_what_is_old_is_deleted_now_and_then(world: World) -> None:
    """Anomalies of years would fill the database of a fleet."""
    asked: list[float] = []
    outbox = replace(outbox_of(world, worker_of(world), now=5000.0), forget=asked.append)

    outbox.round()
    outbox.round()

    assert asked == [5000.0]


def outbox_of(world: World, worker: Worker, now: float = 2.0) -> Outbox:
    """What sends the events of both partitions."""

    def written(event: KeptEvent) -> Outgoing:
        told = event.told
        return anomaly_event(
            "anomalies",
            told.happened,
            part=event.part,
            offset=told.position,
            nth=told.nth,
            body=b"{}",
        )

    return Outbox(
        events=SqlEvents(world.database),
        writer=world.broker.writer(),
        written=written,
        parts=lambda: list(BOTH),
        meters=worker.meters,
        every_s=0.01,
        clock=lambda: now,
    )
