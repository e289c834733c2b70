"""Puts the parts of a worker together: a group of Kafka, a database, and the operators between."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from api.bodies.anomaly import topic_body
from api.settings import Settings
from api.worker_judges import Judges, topics_read
from api.worker_warm import warm_counted
from detector.errors import ConfigError
from pipelines.flows.stream_meters import Patience
from pipelines.flows.worker import START, Worker
from pipelines.flows.worker_meters import WorkerMeters
from pipelines.flows.worker_outbox import Outbox
from pipelines.flows.worker_part import Letter, WorkerPart
from pipelines.flows.worker_share import Share
from pipelines.flows.worker_start import Start
from pipelines.ingest.tally import Tally
from pipelines.ingest.warm import warm
from pipelines.packs import load_packs
from pipelines.stores.events import KeptEvent, SqlEvents
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.retention import Retention
from pipelines.stores.worker_parts import WorkerPartStore
from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.kafka_reader import KafkaReader
from pipelines.topics.kafka_writer import KafkaWriter
from pipelines.topics.outgoing import anomaly_event, dead_letter
from pipelines.topics.port import Admin, Outgoing, Partition, Rebalance, Writer
from pipelines.topics.reopened import ReopenedWriter

if TYPE_CHECKING:
    from pipelines.stores.connections import Connections

__all__ = ["Working", "part_name", "worker_name"]

# Judging waits for letters that long.
_FLUSH_S, _LETTERS_S = 10.0, 3.0
_STORE, _BROKER = "its database", "the broker"
# Anomalies that one worker deletes in a round, each ten minutes.
_MOST_OLD = 2_000


class Working:
    """A worker of some settings. `run` it once; `meters` and `tally` tell how it is."""

    def __init__(self, settings: Settings) -> None:
        if settings.store is None:
            raise ConfigError(
                "a worker keeps its state in PostgreSQL: set store to postgresql://user@host/name"
            )
        self._settings, self._store = settings, settings.store.get_secret_value()
        self._broker = settings.kafka.native()
        self.name = settings.worker.name or worker_name()
        self.meters, self.tally = WorkerMeters(waits={START: "it connects"}), Tally()
        self._judges = Judges(settings, load_packs(settings.packs), self.tally)
        self._worker: Worker | None = None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that were read and are not judged yet."""
        return self._worker.waiting_bytes if self._worker is not None else 0

    @property
    def partitions(self) -> int:
        """How many are this worker's, and are judged."""
        return len(self._worker.partitions) if self._worker is not None else 0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; `StoreError`, `BrokerError` where something stays away at first."""
        start = Start(
            within_s=self._settings.worker.start_s,
            stop=stop,
            meters=self.meters,
            patience=Patience(),
        )
        with ExitStack() as held:
            database = start.waited(_STORE, lambda: PostgresDatabase(self._store))
            if database is None:
                return
            held.enter_context(closing(database))
            clients = start.waited(_BROKER, self._clients)
            if clients is None:
                return
            for client in clients:
                held.enter_context(closing(client))
            admin, letters, events = clients
            partitions = self._partitions(admin)
            warm()
            if set(partitions) - set(self._settings.kafka.metrics):
                warm_counted(self._judges)
            self._work(stop, database, admin, (letters, events), partitions)

    def _clients(self) -> tuple[KafkaAdmin, ReopenedWriter, ReopenedWriter]:
        with ExitStack() as made:
            admin = made.enter_context(closing(KafkaAdmin(self._broker)))
            letters = made.enter_context(closing(self._writer()))
            events = self._writer()
            made.pop_all()
        return admin, letters, events

    def _writer(self) -> ReopenedWriter:
        return ReopenedWriter(lambda: KafkaWriter(self._broker))

    def _partitions(self, admin: Admin) -> Mapping[str, int]:
        """How many partitions each topic that is read has; `ConfigError` where none is there."""
        names = topics_read(self._settings)
        found = {one.name: one.partitions for one in admin.describe(names).values()}
        if not found:
            raise ConfigError(
                f"none of the topics {', '.join(names)} is there: run `serinus topics create`"
            )
        return found

    def _work(
        self,
        stop: threading.Event,
        database: Connections,
        admin: Admin,
        writers: tuple[Writer, Writer],
        partitions: Mapping[str, int],
    ) -> None:
        share = self._share(database, admin, writers[0], partitions)
        worker = Worker(
            share,
            lambda rebalance: self._reader(rebalance, list(partitions)),
            pace=self._settings.worker.pace(),
        )
        self._worker = worker
        retention = Retention(database, keep_s=86_400 * self._settings.stream.keep_days)
        outbox = Outbox(
            events=SqlEvents(database),
            writer=writers[1],
            written=self._written,
            parts=lambda: [part_name(one) for one in list(share.parts)],
            meters=self.meters,
            forget=lambda now: self._forget(database, retention, now),
        )
        with _beside(outbox.run):
            worker.run(stop)

    def _forget(self, database: Connections, retention: Retention, now: float) -> None:
        """Delete what is old, of whichever part."""
        retention.forget(now, most=_MOST_OLD)
        if self._settings.logs.enabled:
            from pipelines.flows.worker_forget import forget_counted

            forget_counted(database, self._settings.logs.native(), now)

    def _share(
        self,
        database: Connections,
        admin: Admin,
        letters: Writer,
        partitions: Mapping[str, int],
    ) -> Share:
        own = self._settings.kafka

        def deliver(letter: Letter) -> None:
            most = own.message_kb * 1024
            letters.send(
                dead_letter(own.dead_letters.topic, letter.message, letter.reason, most_bytes=most)
            )

        return Share(
            open_part=lambda one: self._part(database, one, partitions),
            spans=admin.spans,
            deliver=deliver,
            flush=lambda: letters.flush(_LETTERS_S),
            settings=self._settings.worker.share(),
            meters=self.meters,
        )

    def _part(
        self, database: Connections, partition: Partition, partitions: Mapping[str, int]
    ) -> WorkerPart:
        store = WorkerPartStore(database, part_name(partition), self.name)
        return WorkerPart(store, self._judges.of(partition, store, database, partitions))

    def _reader(self, rebalance: Rebalance, topics: list[str]) -> KafkaReader:
        return KafkaReader(self._broker, self._settings.kafka.group, topics, rebalance)

    def _written(self, event: KeptEvent) -> Outgoing:
        told = event.told
        return anomaly_event(
            self._settings.kafka.anomalies.topic,
            told.happened,
            part=event.part,
            offset=told.position,
            nth=told.nth,
            body=topic_body(told.happened, told.series, self._settings.traces.link),
        )


def part_name(partition: Partition) -> str:
    """How a partition is called in the database."""
    return f"{partition.topic}/{partition.number}"


def worker_name() -> str:
    """The machine and the process."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextmanager
def _beside(run: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run something in a thread of its own meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name="outbox", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_FLUSH_S)
