"""Workers are killed while they work, and Kafka and PostgreSQL with them: what is left of it?

Three `serinus worker` processes read one group of a real Kafka and keep their state in a real
PostgreSQL, while a sender goes on sending. One after the other they are ended with kill -9 at
random moments and started again; now and then the broker is killed, or the database stopped at
once. When all is judged, another worker reads the same topic in a group and a database of its own,
and nothing comes between. What both keep is compared to the bit.

`lost` and `doubled` count messages that no checkpoint covers, and events, anomalies and dead
letters that one of the two has and the other has not; `state_differs` counts arrays of the state.
As a control, the same messages are judged by a process that keeps its offset in a transaction after
that of its state, and dies between the two as often: that comparison has to find differences.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from kafka.errors import KafkaTimeoutError

from bench.ending import concluded
from pipelines.ingest.warm import warm
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.worker_parts import progress_of
from tests.api.cli.workers import (
    ANOMALIES,
    LETTERS,
    MINUTE,
    TOPIC,
    Fleet,
    Sender,
    Worker,
    body_of,
    eventually,
    pods,
    read_topic,
)
from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.flows.working import kept
from tests.servers import RunningPostgres, running_postgres

NAMES = ("red", "green", "blue")
POISON_EVERY, POISON = 97, b"\xc1 no message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done: faults of each kind, and the load meanwhile."""

    kills: int
    brokers: int
    databases: int
    partitions: int
    series: int
    rounds_s: float
    pause_s: float


WHOLE = Plan(kills=50, brokers=4, databases=4, partitions=6, series=40, rounds_s=12.0, pause_s=8.0)
QUICK = Plan(kills=2, brokers=0, databases=1, partitions=3, series=10, rounds_s=12.0, pause_s=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What is in the topic: what was acknowledged, and what the sender gave up and was written."""

    ends: Mapping[str, int]
    letters: int

    @classmethod
    def read(cls, address: str) -> Log:
        """All of it."""
        every = read_topic(address, TOPIC)
        ends = Counter(f"{TOPIC}/{one.partition}" for one in every)
        return cls(ends=ends, letters=sum(one.value == POISON for one in every))

    @property
    def messages(self) -> int:
        """How many."""
        return sum(self.ends.values())

    def covered(self, found: Mapping[str, Any]) -> int:
        """Messages that checkpoints cover."""
        return sum(found[part][0] + 1 for part in self.ends if part in found)

    def is_kept(self, store: str) -> bool:
        """Whether checkpoints cover every message."""
        with closing(PostgresDatabase(store)) as database:
            return {one.part: one.position + 1 for one in progress_of(database)} == self.ends


class Load(threading.Thread):
    """Sends a message to each partition, round after round: a minute of the data's time each.

    Some series leave their range now and then, and some messages are none.
    """

    def __init__(self, address: str, plan: Plan, seed: int) -> None:
        super().__init__(daemon=True)
        self._sender, self._plan = Sender(address), plan
        self._rng = np.random.default_rng(seed)
        now = round(1000 * time.time())
        self._start = now - now % 3_600_000 - 40 * 86_400_000
        self._done = threading.Event()
        self.rounds = 0

    def run(self) -> None:
        """Until it is told to end."""
        tables = [pods(f"shop{n}", self._plan.series) for n in range(self._plan.partitions)]
        while not self._done.wait(1.0 / self._plan.rounds_s):
            at = self._start + self.rounds * MINUTE
            for number, table in enumerate(tables):
                body = body_of(table, at, self._values(number))
                if (self.rounds + number) % POISON_EVERY == POISON_EVERY - 1:
                    body = POISON
                self._sender.send(number, body, at)
            self.rounds += 1
        # A client that lost its broker may never be done: what counts is what is in the log.
        with contextlib.suppress(KafkaTimeoutError):
            self._sender.flush()

    def _values(self, number: int) -> Any:  # noqa: ANN401 - an array
        value = 10 + self._rng.normal(size=self._plan.series)
        if self.rounds % 240 in range(200, 220):
            value[: 1 + number % 3] += 40
        return value

    def end(self) -> None:
        """Wait until all that was sent is in the log."""
        self._done.set()
        self.join(180)
        self._sender.close()


@dataclass(slots=True, kw_only=True)
class Trial:
    """The servers, the workers, and what was done to them."""

    plan: Plan
    fleet: Fleet
    store: str
    kafka: RunningKafka
    postgres: RunningPostgres
    draw: random.Random
    alive: dict[str, Worker] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """All three."""
        self.alive = {name: self.fleet.start(self.store, name) for name in NAMES}
        try:
            eventually(lambda: self.judged() > 0, 400)
        except AssertionError as error:
            told = [worker.log.read_text("utf-8")[-2000:] for worker in self.alive.values()]
            raise RuntimeError("no worker judges: " + "\n".join(told)) from error

    def judged(self) -> float:
        """Messages judged by those that live now, since each of them started."""
        return sum(worker.figure("messages") for worker in self.alive.values())

    def disturb(self) -> None:
        """All faults of the plan in a random order, at random moments."""
        faults = ["kill"] * self.plan.kills
        faults += ["broker"] * self.plan.brokers + ["database"] * self.plan.databases
        self.draw.shuffle(faults)
        for number, fault in enumerate(faults, 1):
            time.sleep(self.draw.uniform(0.3, self.plan.pause_s))
            getattr(self, fault)()
            self.done[fault] += 1
            print(f"  {number}/{len(faults)} {fault}", file=sys.stderr, flush=True)

    def kill(self) -> None:
        """One of the three dies and is started again."""
        name = self.draw.choice(NAMES)
        self.alive[name].kill()
        self.alive[name] = self.fleet.start(self.store, name)

    def broker(self) -> None:
        """Kafka dies and is started again."""
        self.kafka.kill()
        time.sleep(self.draw.uniform(0.0, 3.0))
        self.kafka.start()

    def database(self) -> None:
        """PostgreSQL stops at once and is started again."""
        self.postgres.stop()
        time.sleep(self.draw.uniform(0.0, 3.0))
        self.postgres.start()

    def finish(self, log: Log) -> dict[str, int]:
        """Wait until all is judged, and end all in an orderly way; their exit codes."""
        eventually(lambda: log.is_kept(self.store), 300, "all is judged")
        # One that was started a moment ago does not hear a signal yet.
        alive = self.alive.values()
        eventually(lambda: all(one.get("/readyz")[0] == 200 for one in alive), 120, "all are ready")
        return {name: worker.stop()[0] for name, worker in self.alive.items()}


@contextmanager
def _trial(plan: Plan, seed: int) -> Iterator[Trial]:
    with (
        running_kafka() as kafka,
        running_postgres() as postgres,
        tempfile.TemporaryDirectory(prefix="serinus-faults-") as folder,
    ):
        fleet = Fleet(kafka=kafka.address, folder=Path(folder), partitions=plan.partitions)
        store = postgres.database("disturbed")
        code, said = fleet.run(store, "topics", "create")
        if code:
            raise RuntimeError(said)
        try:
            yield Trial(
                plan=plan,
                fleet=fleet,
                store=store,
                kafka=kafka,
                postgres=postgres,
                draw=random.Random(seed),
            )
        finally:
            fleet.close()


def _kept(store: str) -> dict[str, Any]:
    with closing(PostgresDatabase(store)) as database:
        return kept(database)


def _undisturbed(trial: Trial, log: Log) -> dict[str, Any]:
    """What one worker keeps that reads the same topic, and that nothing comes between."""
    store = trial.postgres.database("undisturbed")
    worker = trial.fleet.start(store, "alone", group="alone")
    eventually(lambda: log.is_kept(store), 600, "all is judged again")
    worker.stop()
    return _kept(store)


def differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    """Arrays of the state, and offsets, that are not the same to the bit."""
    flat, other = dict(_flat(found)), dict(_flat(wanted))
    return sum(flat.get(name) != other.get(name) for name in flat.keys() | other.keys())


def _flat(kept_by: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    for part, value in kept_by.items():
        if part in {"anomalies", "stream_events"}:
            continue
        position, newest, tenants = value
        yield (part, "position"), (position, newest)
        for tenant, (arrays, names) in tenants.items():
            yield (part, tenant, "names"), names
            yield from (((part, tenant, name), array) for name, array in arrays.items())


def only_in(found: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Events and anomalies that one has and another has not, or has otherwise."""
    return sum(
        sum((Counter(found[table]) - Counter(other[table])).values())
        for table in ("anomalies", "stream_events")
    )


def _letters(address: str) -> tuple[int, int]:
    """Messages that were put aside, and how many more times."""
    places = Counter(
        (headers["serinus-partition"], headers["serinus-offset"])
        for headers in (dict(one.headers) for one in read_topic(address, LETTERS))
    )
    return len(places), sum(places.values()) - len(places)


def _told(address: str) -> tuple[set[str], int, int]:
    """Ids of events in their topic, how many were repeated, and how many of those otherwise."""
    by_id: dict[str, Counter[bytes]] = {}
    for one in read_topic(address, ANOMALIES):
        id = dict(one.headers)["ce_id"].decode()
        by_id.setdefault(id, Counter())[one.value] += 1
    repeated = sum(sum(bodies.values()) - 1 for bodies in by_id.values())
    return set(by_id), repeated, sum(len(bodies) - 1 for bodies in by_id.values())


def main() -> int:
    """Run the trial, print a table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    plan = QUICK if asked.quick else WHOLE
    # Compiled once, on the disk, and not by three processes at a time.
    warm()
    began = time.monotonic()
    with _trial(plan, asked.seed) as trial:
        load = Load(trial.kafka.address, plan, asked.seed)
        load.start()
        trial.begin()
        trial.disturb()
        load.end()
        log = Log.read(trial.kafka.address)
        codes = trial.finish(log)
        # What the workers told, before the one that is alone tells it once more.
        ids, repeats, otherwise = _told(trial.kafka.address)
        letters, letters_again = _letters(trial.kafka.address)
        found, wanted = _kept(trial.store), _undisturbed(trial, log)
        control = controlled(trial, wanted)
    events = {f"{part}/{at}/{nth}" for part, at, nth, _ in found["stream_events"]}
    missing = {
        "messages": log.messages - log.covered(found),
        "events and anomalies": only_in(wanted, found),
        "dead letters": log.letters - letters,
        "events in their topic": len(events - ids),
    }
    figures: dict[str, float] = {
        "faults": sum(trial.done.values()),
        "lost": sum(missing.values()),
        "doubled": only_in(found, wanted) + otherwise,
        "state_differs": differing(found, wanted),
        "repeats_with_the_same_id": repeats + letters_again,
        "orderly_ends": sum(code == 0 for code in codes.values()),
        "took_s": round(time.monotonic() - began, 1),
    }
    setup = {
        "kills": trial.done["kill"],
        "broker_restarts": trial.done["broker"],
        "database_restarts": trial.done["database"],
        "messages": log.messages,
        "samples": (log.messages - log.letters) * plan.series,
        "series": plan.partitions * plan.series,
        "anomalies": len(found["anomalies"]),
        "events": len(found["stream_events"]),
        "letters": log.letters,
        "missing": missing,
        "seed": asked.seed,
        "quick": asked.quick,
    }
    peers = {"offset in a transaction of its own": control}
    _print(figures, peers, setup)
    least = plan.kills + plan.brokers + plan.databases
    bounds = {
        "faults": (">=", float(least)),
        "lost": ("<=", 0.0),
        "doubled": ("<=", 0.0),
        "state_differs": ("<=", 0.0),
        "orderly_ends": (">=", float(len(NAMES))),
    }
    return concluded(figures, peers, bounds, setup, asked.json)


def controlled(trial: Trial, wanted: Mapping[str, Any]) -> dict[str, float]:
    """The control: the same messages, but state and offset in two transactions."""
    from bench.stream.torn import torn_run

    with tempfile.TemporaryDirectory(prefix="serinus-torn-") as folder:
        found = torn_run(
            trial.kafka.address,
            Path(folder),
            partitions=trial.plan.partitions,
            deaths=max(trial.plan.kills // 2, 2),
            seed=1,
        )
    return {
        "state_differs": differing(found, wanted),
        "lost": only_in(wanted, found),
        "doubled": only_in(found, wanted),
    }


def _print(
    figures: Mapping[str, float],
    peers: Mapping[str, Mapping[str, float]],
    setup: Mapping[str, object],
) -> None:
    print(", ".join(f"{name} {value}" for name, value in setup.items()))
    rows = {"serinus worker": figures, **peers}
    names = ("faults", "lost", "doubled", "state_differs")
    print(f"{'':36}" + "".join(f"{name:>15}" for name in names))
    for row, told in rows.items():
        print(f"{row:36}" + "".join(f"{told.get(name, float('nan')):>15g}" for name in names))


if __name__ == "__main__":
    sys.exit(main())
