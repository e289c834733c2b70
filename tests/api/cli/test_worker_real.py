"""Workers as processes on a real Kafka and PostgreSQL: killed, ended, refused and looked at."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pipelines.stores.postgres import PostgresDatabase
from tests.api.cli.process import served
from tests.api.cli.served import serinus
from tests.api.cli.workers import (
    ANOMALIES,
    LETTERS,
    MINUTE,
    Fleet,
    Sender,
    Worker,
    bodies,
    eventually,
    lag_of,
    read_topic,
)
from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.flows.working import kept
from tests.servers import RunningPostgres, free_port, running_postgres

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]
PARTITIONS, MINUTES = 4, 260
_numbers = count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[RunningPostgres]:
    """A server for the module."""
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def broker() -> Iterator[RunningKafka]:
    """A Kafka for the module."""
    with running_kafka() as running:
        yield running


@pytest.fixture
def kafka(broker: RunningKafka) -> Iterator[RunningKafka]:
    """It without topics: those of one test are not those of another."""
    yield broker
    broker.forget()


@pytest.fixture
def store(postgres: RunningPostgres) -> str:
    """An empty database."""
    return postgres.database(f"worker{next(_numbers)}")


@pytest.fixture
def fleet(kafka: RunningKafka, store: str, tmp_path: Path) -> Iterator[Fleet]:
    """Nobody works yet, the topics are there."""
    made = Fleet(kafka=kafka.address, folder=tmp_path, partitions=PARTITIONS)
    told = serinus("topics", "create", "--config", str(made.config(store, "serinus")))
    assert told.exit_code == 0, told.output
    yield made
    made.close()


def begin() -> int:
    """Some hours ago: no sample lies in the future."""
    now = round(time.time() * 1000) - 10 * 3_600_000
    return now - now % 3_600_000


def send(kafka: RunningKafka, start: int, first: int, upto: int, *, poison: bool = False) -> None:
    """What happens in all partitions from one minute to before another."""
    every = bodies(start, MINUTES, PARTITIONS)
    with closing(Sender(kafka.address)) as sender:
        for minute in range(first, upto):
            for number, own in enumerate(every):
                sender.send(number, own[minute], start + minute * MINUTE)
        if poison:
            sender.send(0, b"\xc1 no message", start + upto * MINUTE)
        sender.flush()


def found(store: str) -> dict[str, Any]:
    """All that is kept."""
    with closing(PostgresDatabase(store)) as database:
        return kept(database)


def is_ready(worker: Worker) -> bool:
    """Whether it says so."""
    return worker.get("/readyz")[0] == 200


def test_killed_and_ended_workers_leave_what_an_undisturbed_one_does(
    fleet: Fleet, kafka: RunningKafka, postgres: RunningPostgres, store: str
) -> None:
    """A machine that fails, or a rollout of a new version, would lose samples or double them."""
    start = begin()
    first, second = (fleet.start(store, name) for name in ("first", "second"))
    send(kafka, start, 0, 150)
    eventually(lambda: first.figure("partitions") == second.figure("partitions") == 2)
    first.kill()
    send(kafka, start, 150, 230)
    third = fleet.start(store, "third")
    eventually(lambda: second.figure("partitions") == third.figure("partitions") == 2)
    code, took = second.stop()
    send(kafka, start, 230, MINUTES)
    eventually(lambda: lag_of(fleet, store) == 0)
    third.stop()

    alone = postgres.database(f"alone{next(_numbers)}")
    reference = fleet.start(alone, "reference", group="alone")
    eventually(lambda: lag_of(fleet, alone, "alone") == 0)
    reference.stop()

    assert (code, took < 25) == (0, True)
    assert len(found(alone)["anomalies"]) == PARTITIONS
    assert found(store) == found(alone)
    told = {dict(one.headers)["ce_id"].decode() for one in read_topic(kafka.address, ANOMALIES)}
    kept_events = {f"{part}/{position}/{nth}" for part, position, nth, _ in _events(store)}
    assert kept_events <= told


def _events(store: str) -> list[tuple[Any, ...]]:
    return list(found(store)["stream_events"])


def test_a_worker_says_how_it_is_and_puts_aside_what_is_no_message(
    fleet: Fleet, kafka: RunningKafka, store: str
) -> None:
    """Nobody could see what a worker does, or what it did not take."""
    send(kafka, begin(), 0, 20, poison=True)
    nobody = fleet.run(store, "worker", "status")
    worker = fleet.start(store, "one")
    eventually(lambda: worker.figure("dead_letters") == 1)
    eventually(lambda: lag_of(fleet, store) == 0)
    eventually(lambda: worker.figure("lag_messages") == 0 and is_ready(worker))
    status = fleet.run(store, "worker", "status")
    healthy, other = worker.get("/healthz"), worker.get("/secrets")
    worker.stop()

    assert nobody[0] == 1
    assert "nobody has taken it" in nobody[1]
    assert status[0] == 0, status[1]
    assert "columns/3  one " in status[1]
    assert (healthy[0], other[0]) == (200, 404)
    [letter] = read_topic(kafka.address, LETTERS)
    assert letter.value == b"\xc1 no message"
    assert dict(letter.headers)["serinus-offset"] == b"20"


def test_a_worker_waits_for_its_database_and_its_broker_and_says_so(
    fleet: Fleet, kafka: RunningKafka, postgres: RunningPostgres, store: str
) -> None:
    """A restart of either would end all workers, or go unseen."""
    start = begin()
    worker = fleet.start(store, "patient")
    send(kafka, start, 0, 50)
    eventually(lambda: lag_of(fleet, store) == 0)

    postgres.stop()
    send(kafka, start, 50, 100)
    eventually(lambda: worker.get("/readyz")[0] == 503)
    without_database = worker.get("/readyz")[1]
    postgres.start()
    eventually(lambda: is_ready(worker) and lag_of(fleet, store) == 0)
    kafka.kill()
    eventually(lambda: worker.get("/readyz")[0] == 503)
    without_broker = worker.get("/readyz")[1]
    kafka.start()
    send(kafka, start, 100, 150)
    eventually(lambda: is_ready(worker) and lag_of(fleet, store) == 0)
    code, _ = worker.stop()

    assert "waits for its database" in without_database
    assert "waits for the broker" in without_broker
    assert code == 0


@pytest.mark.parametrize("absent", ["kafka", "postgres"])
def test_what_is_not_there_at_the_start_is_named_and_not_waited_for_for_ever(
    absent: str, kafka: RunningKafka, store: str, tmp_path: Path
) -> None:
    """A wrong address would look like a worker that has nothing to do."""
    nowhere = f"127.0.0.1:{free_port()}"
    fleet = Fleet(
        kafka=nowhere if absent == "kafka" else kafka.address,
        folder=tmp_path,
        worker_more={"start_s": 3.0},
        kafka_more={"request_s": 1.0},
    )
    address = store if absent == "kafka" else f"postgresql://nobody@{nowhere}/x"

    worker = fleet.start(address, "lost")
    code = worker.process.wait(timeout=60)

    said = worker.log.read_text(encoding="utf-8")
    assert code == 4
    assert nowhere.rsplit(":", 1)[1] in said
    assert "Traceback" not in said


def test_without_topics_a_worker_says_what_to_do(
    kafka: RunningKafka, store: str, tmp_path: Path
) -> None:
    """Somebody would wait for samples from topics that are not there."""
    fleet = Fleet(kafka=kafka.address, folder=tmp_path)

    code, said = fleet.run(store, "worker", "--port", str(free_port()))

    assert code == 2
    assert "serinus topics create" in said


def test_serve_shows_what_workers_find_as_it_happens_and_brings_them_what_people_say(
    fleet: Fleet, kafka: RunningKafka, store: str, tmp_path: Path
) -> None:
    """People would look at a machine that found nothing, and press its buttons in vain."""
    start = begin()
    worker = fleet.start(store, "one")
    config = fleet.config(store, "serinus")
    with served("--config", str(config)) as process, httpx2.Client(timeout=30) as client:
        eventually(lambda: "not open" not in client.get(f"{process.url}/readyz").text)
        events = list[str]()
        threading.Thread(
            target=_follow, args=(f"{process.url}/v1/anomalies/stream", events), daemon=True
        ).start()
        send(kafka, start, 0, 210)
        url = f"{process.url}/v1/anomalies"
        eventually(lambda: len(client.get(url).json()["anomalies"]) == PARTITIONS)
        eventually(lambda: len([one for one in events if '"event":"opened"' in one]) >= 1)
        one = client.get(url).json()["anomalies"][0]
        body = {"verdict": "normal", "person": "ada"}
        said = client.post(f"{url}/{one['id']}/feedback", json=body)
        eventually(lambda: client.get(f"{url}/{one['id']}").json()["state"] == "closed")
        after = client.get(f"{url}/{one['id']}").json()
    worker.stop()

    assert said.status_code in {201, 503}, said.text
    assert (after["ended"], after["feedback"][0]["person"]) == ("feedback", "ada")
    assert after["peak"]["tuning"]["shift"] > 0


def _follow(url: str, events: list[str]) -> None:
    """Keep every line of a stream of events, until it ends."""
    with (
        contextlib.suppress(httpx2.TransportError),
        httpx2.stream("GET", url, timeout=None) as answer,
    ):
        for line in answer.iter_lines():
            events.append(line)  # noqa: PERF402 - each as it comes
