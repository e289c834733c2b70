"""A worker as a process, from a real Kafka to scored state in PostgreSQL; plain loops beside it.

What is counted is the CPU time of the whole process, all threads of it: reading, decoding, judging,
checkpoints each minute, telling how it is. It is stopped while messages are written, so that it
waits for nothing.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import psutil
from kafka import KafkaProducer

from bench.stream.pushed import AT, labels_of
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.kafka_reader import KafkaReader
from pipelines.topics.kafka_writer import KafkaWriter
from pipelines.topics.port import Outgoing, Partition, Topic
from pipelines.topics.settings import BrokerSettings

if TYPE_CHECKING:
    from tests.api.cli.workers import Fleet, Worker

__all__ = ["Shape", "Stand", "loop_rate", "standing", "worker_rate"]

# Takes a message, and tells how many samples it had.
Loop = Callable[[bytes], int]
STEP_MS, PARTITIONS = 15_000, 4
PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Messages of `series` series each, with `samples` of each, of `series_in_all` in all.

    `codec` packs batches of them, as the producer is told.
    """

    series: int
    samples: int
    series_in_all: int
    codec: str | None = None

    @property
    def size(self) -> int:
        """Samples of a message."""
        return self.series * self.samples

    @property
    def messages(self) -> int:
        """How many hold each series once."""
        return self.series_in_all // self.series


class Source:
    """Messages of gauges that stay what they are, as time goes on."""

    def __init__(self, shape: Shape, clock: Iterator[int]) -> None:
        self.shape, self._clock = shape, clock
        self._rng = np.random.default_rng(1)
        self._tables = [
            [
                SeriesInfo(labels=labels_of(n), kind=SeriesKind.GAUGE)
                for n in range(at, at + shape.series)
            ]
            for at in range(0, shape.series_in_all, shape.series)
        ]

    def round(self) -> Iterator[tuple[int, bytes, int]]:
        """One message of each part of the series: whose, what, and the log's time of it."""
        shape = self.shape
        times = np.array([next(self._clock) for _ in range(shape.samples)], dtype=np.int64)
        series = np.tile(np.arange(shape.series, dtype=np.int32), shape.samples)
        for number, table in enumerate(self._tables):
            values = 100.0 + 5.0 * self._rng.standard_normal(shape.size)
            columns = Columns(series=series, at=np.repeat(times, shape.series), value=values)
            yield number, packed(table, columns), int(times[-1])


def worker_rate(stand: Stand, shape: Shape, *, warm: int, rounds: int, repeats: int) -> float:
    """Samples a CPU second of a worker; the median of some spans, each of `rounds` rounds.

    `warm` samples of each series come before: past them no series is being learned any more.
    """
    source = Source(shape, stand.clock)
    worker = stand.fleet.start(stand.store, "bench")
    _until(lambda: worker.figure("partitions") == PARTITIONS, "its partitions")
    sent = _write(stand, source, -(-warm // shape.samples))
    _until(lambda: worker.figure("samples") >= sent, "what it warms up on")
    rates = []
    for _ in range(repeats):
        with _frozen(worker):
            new = _write(stand, source, rounds)
        sent += new
        rates.append(new / _spent(worker, sent))
    worker.stop()
    return statistics.median(rates)


def loop_rate(stand: Stand, loop: Loop, bodies: Sequence[bytes], *, repeats: int) -> float:
    """Samples a CPU second of this process, which reads messages and gives each to a loop."""
    settings = BrokerSettings(servers=(stand.fleet.kafka,))
    topic = f"plain-{type(loop).__name__}"
    with closing(KafkaAdmin(settings)) as admin:
        admin.create([Topic(name=topic, partitions=1, replication=1)])
    with closing(KafkaWriter(settings)) as writer:
        for body in (body for _ in range(repeats) for body in bodies):
            writer.send(Outgoing(topic=topic, key=None, value=body))
        writer.flush(60)
    with closing(KafkaReader(settings, topic, [topic], Early())) as reader:
        return _read(reader, loop, len(bodies), repeats)


def _read(reader: KafkaReader, loop: Loop, each: int, repeats: int) -> float:
    """The first round, in which all is new, does not count."""
    began = process_time()
    samples = messages = 0
    while messages < each * repeats:
        for some in reader.poll(1.0, each).values():
            for message in some:
                samples += loop(message.value or b"")
                messages += 1
                if messages == each:
                    began, samples = process_time(), 0
    return samples / (process_time() - began)


def _spent(worker: Worker, sent: int) -> float:
    """CPU seconds until it has judged all."""
    process = psutil.Process(worker.process.pid)
    before = sum(process.cpu_times()[:2])
    _until(lambda: worker.figure("samples") >= sent, "the rest")
    return sum(process.cpu_times()[:2]) - before


class Early:
    """A `Rebalance` that begins with what there is, and keeps nothing."""

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """From the earliest."""
        return {}

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """Nothing is kept."""

    lost = revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Workers that can be started, where they keep their state, and the times of scrapes."""

    fleet: Fleet
    store: str
    topic: str
    clock: Iterator[int]


@contextmanager
def standing() -> Iterator[Stand]:
    """A Kafka, a PostgreSQL, and the topics that a configuration names."""
    from tests.api.cli.workers import TOPIC, Fleet
    from tests.kafka import running_kafka
    from tests.servers import running_postgres

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="serinus-bench-")))
        kafka = stack.enter_context(running_kafka())
        postgres = stack.enter_context(running_postgres())
        fleet = Fleet(
            kafka=kafka.address,
            folder=folder,
            partitions=PARTITIONS,
            kafka_more={"session_s": 45.0, "request_s": 15.0},
            worker_more={"checkpoint_s": 60.0, "tell_s": 1.0},
        )
        stack.callback(fleet.close)
        store = postgres.database("bench")
        code, said = fleet.run(store, "topics", "create")
        assert code == 0, said
        yield Stand(fleet=fleet, store=store, topic=TOPIC, clock=count(AT, STEP_MS))


def _write(stand: Stand, source: Source, rounds: int) -> int:
    """So many rounds, each message in the partition of its series; how many samples."""
    producer = KafkaProducer(
        bootstrap_servers=[stand.fleet.kafka],
        compression_type=source.shape.codec,
        acks="all",
        linger_ms=50,
        batch_size=2**19,
    )
    for _ in range(rounds):
        for number, body, at in source.round():
            place = {"partition": number % PARTITIONS, "timestamp_ms": at}
            producer.send(stand.topic, body, key=b"%d" % number, **place)
    producer.flush(PATIENCE_S)
    producer.close(timeout=5)
    return rounds * source.shape.messages * source.shape.size


@contextmanager
def _frozen(worker: Worker) -> Iterator[None]:
    os.kill(worker.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker.process.pid, signal.SIGCONT)


def _until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError(f"the worker never had {what}")
        # Each look costs the worker some milliseconds.
        time.sleep(0.5)
