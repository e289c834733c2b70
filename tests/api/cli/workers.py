"""Workers as processes, the Kafka that they read, and what each of them leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.port import Topic
from pipelines.topics.settings import BrokerSettings
from tests.api.cli.served import serinus
from tests.servers import free_port

__all__ = [
    "Fleet",
    "Sender",
    "Worker",
    "bodies",
    "body_of",
    "eventually",
    "lag_of",
    "make_topics",
    "of_lines",
    "pods",
    "read_topic",
]

ROOT = Path(__file__).resolve().parents[3]
CODE = "from api.cli import main; main()"
TOPIC, ANOMALIES, LETTERS = "columns", "anomalies", "letters"
MINUTE = 60_000
NOT_KNOWN = 10**9
# A week, of each partition.
ALARMS = 0.1


def eventually(is_so: Callable[[], bool], within_s: float = 60.0, what: str = "") -> None:
    """Wait until something is so."""
    until = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until:
            raise AssertionError(f"it did not come to that: {what or is_so}")
        time.sleep(0.2)


@dataclass(slots=True)
class Worker:
    """One process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """What it answers; 0 where it does not."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def figure(self, name: str) -> float:
        """A figure of its own, count or level, summed over its labels."""
        lines = self.get("/metrics")[1].splitlines()
        wanted = re.compile(rf"serinus_worker_{name}(_total)?[ {{]")
        own = [one for one in lines if wanted.match(one)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in own)

    def stop(self) -> tuple[int, float]:
        """Tell it to end; its exit code, and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60), time.monotonic() - began

    def kill(self) -> None:
        """As a machine that fails."""
        self.process.kill()
        self.process.wait(timeout=60)


@dataclass(slots=True)
class Fleet:
    """Starts workers on a Kafka; each store is a database of its own."""

    kafka: str
    folder: Path
    partitions: int = 4
    kafka_more: Mapping[str, object] = field(default_factory=dict)
    worker_more: Mapping[str, object] = field(default_factory=dict)
    # A week, over all.
    alarms: float | None = None
    workers: list[Worker] = field(default_factory=list)

    def config(self, store: str, group: str) -> Path:
        """The file of a group."""
        path = self.folder / f"{group}.yaml"
        tree: dict[str, Any] = {
            "store": store,
            "data": str(self.folder / f"data-{group}"),
            "kafka": {
                "servers": [self.kafka],
                "group": group,
                "session_s": 3.0,
                "request_s": 5.0,
                "metrics": {TOPIC: _columns(self.partitions)},
                "logs": {},
                "traces": {},
                "anomalies": {"topic": ANOMALIES, "partitions": 2},
                "dead_letters": {"topic": LETTERS, "partitions": 1},
                **self.kafka_more,
            },
            "worker": {"checkpoint_s": 1.0, "tell_s": 0.5, **self.worker_more},
            "stream": {
                "alarms_a_week": self.alarms or ALARMS * self.partitions,
                "keep_days": 36_500,
            },
        }
        path.write_text(yaml.safe_dump(tree), encoding="utf-8")
        return path

    def run(self, store: str, *words: str, group: str = "serinus") -> tuple[int, str]:
        """A command to its end."""
        config = self.config(store, group)
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words, "--config", str(config)],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode()

    def start(self, store: str, name: str, group: str = "serinus") -> Worker:
        """A worker; it may not be ready yet."""
        port, log = free_port(), self.folder / f"{name}.log"
        words = ["worker", "--config", str(self.config(store, group))]
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", CODE, *words, "--name", name, "--port", str(port)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
        worker = Worker(name=name, port=port, process=process, log=log)
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        """End all that still run."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()


def of_lines(kafka: str, folder: Path, logs: str, traces: str) -> Fleet:
    """Workers of logs, in two partitions, and traces, in one, and of nothing else."""
    return Fleet(
        kafka=kafka,
        folder=folder,
        alarms=2.0,
        kafka_more={
            "metrics": {},
            "logs": {logs: {"format": "otlp_proto", "partitions": 2}},
            "traces": {traces: {"format": "otlp_proto", "partitions": 1}},
        },
    )


def make_topics(kafka: str, logs: str, traces: str) -> None:
    """Those of `of_lines`, whose messages have times of their own: a day goes by in seconds."""
    own = {
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(100 * 3_600_000),
        "retention.ms": "-1",
    }
    asked: tuple[tuple[str, int, Mapping[str, str]], ...] = (
        (logs, 2, own),
        (traces, 1, own),
        (ANOMALIES, 1, {}),
        (LETTERS, 1, {}),
    )
    with closing(KafkaAdmin(BrokerSettings(servers=(kafka,)))) as admin:
        admin.create(
            [
                Topic(name=name, partitions=partitions, replication=1, config=config)
                for name, partitions, config in asked
            ]
        )


def _columns(partitions: int) -> dict[str, object]:
    """Messages have times of their own, of long ago: none of them is deleted for its age."""
    return {"format": "columnar", "partitions": partitions, "retention_h": 100_000}


def _environment() -> dict[str, str]:
    """Without what tells serinus something in passing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SERINUS_")}


def bodies(
    start: int, minutes: int, partitions: int, *, series: int = 3, out: tuple[int, int] = (200, 220)
) -> list[list[bytes]]:
    """A message a minute of each partition; each has a service, which is out of its range once."""
    found = []
    for number in range(partitions):
        rng = np.random.default_rng(7 + number)
        value = 10 + rng.normal(size=(minutes, series))
        value[out[0] : out[1], :2] += 30
        table = pods(f"shop{number}", series)
        found.append([body_of(table, start + at * MINUTE, value[at]) for at in range(minutes)])
    return found


def pods(service: str, count: int) -> list[SeriesInfo]:
    """Gauges of some pods of a service."""
    return [
        SeriesInfo(
            labels=(("__name__", "queue"), ("pod", f"{service}-{n}"), ("service", service)),
            kind=SeriesKind.GAUGE,
        )
        for n in range(count)
    ]


def body_of(table: Sequence[SeriesInfo], at: int, value: Any) -> bytes:  # noqa: ANN401 - an array
    """A message with a sample of each series."""
    count = len(table)
    columns = Columns(
        series=np.arange(count, dtype=np.int32), at=np.full(count, at, np.int64), value=value
    )
    return packed(table, columns)


class Sender:
    """Sends messages to partitions with a time of their own."""

    def __init__(self, address: str) -> None:
        self._producer = KafkaProducer(
            bootstrap_servers=[address], acks="all", linger_ms=5, delivery_timeout_ms=120_000
        )

    def send(self, number: int, body: bytes, at: int) -> None:
        """One message."""
        self._producer.send(TOPIC, body, key=b"shop%d" % number, partition=number, timestamp_ms=at)

    def flush(self) -> None:
        """Wait until all are in the log."""
        self._producer.flush(timeout=30)

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(timeout=5)


def read_topic(address: str, topic: str) -> list[Any]:
    """All messages of a topic now."""
    consumer = KafkaConsumer(
        bootstrap_servers=[address], enable_auto_commit=False, consumer_timeout_ms=5000
    )
    try:
        every = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(every)
        consumer.seek_to_beginning(*every)
        left, found = sum(consumer.end_offsets(every).values()), []
        for record in consumer if left else ():
            found.append(record)
            if len(found) == left:
                break
        return found
    finally:
        consumer.close(autocommit=False)


def lag_of(fleet: Fleet, store: str, group: str = "serinus") -> int:
    """How far all partitions are behind; a high number while some are not known or not kept.

    Asked in this process: whoever waits asks often, and a process takes two seconds of a core.
    """
    config = fleet.config(store, group)
    answer = serinus("worker", "status", "--format", "json", "--config", str(config))
    if answer.exit_code not in {0, 1}:
        return NOT_KNOWN
    told = json.loads(answer.stdout)
    lags = [one["lag_messages"] for one in told["partitions"] if one["kept_s_ago"] is not None]
    is_whole = len(lags) == fleet.partitions and None not in lags
    return sum(lags) if is_whole else NOT_KNOWN
