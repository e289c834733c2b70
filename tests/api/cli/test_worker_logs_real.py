"""Workers on topics of logs and traces, with a real Kafka and PostgreSQL: one dies in the midst."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from kafka import KafkaProducer

from pipelines.stores import schema
from pipelines.stores.codec import unpack
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.worker_parts import progress_of
from tests.api.cli.workers import (
    LETTERS,
    Worker,
    eventually,
    make_topics,
    of_lines,
    read_topic,
)
from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.flows.counting import ERROR, INFO, logs_of, readings, spans_of
from tests.servers import RunningPostgres, running_postgres

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]
# A message each three minutes for a day and two hours, and of traces each step of counters.
EVERY, STEP, MANY, BROKEN = 180_000, 15_000, 520, 240
NEW, PATIENCE_S = 490, 180
LOGS, TRACES = "otlp_logs", "otlp_spans"
_numbers = count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[RunningPostgres]:
    """A server for the module."""
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def kafka() -> Iterator[RunningKafka]:
    """One for the module."""
    with running_kafka() as running:
        yield running


def said_at(nth: int) -> list[tuple[int, str]]:
    """What a message has: after a day there is an error that nobody has seen."""
    found = [(INFO, f"order {7 * nth + n} was placed") for n in range(3)]
    found += [(ERROR, f"no answer of the database within {nth} ms")] if nth >= NEW else []
    return found


def send(kafka: RunningKafka, start: int, first: int, upto: int) -> None:
    """What happens from one message of each partition to before another."""
    producer = KafkaProducer(bootstrap_servers=[kafka.address], acks="all", linger_ms=20)
    for nth in range(first, upto):
        at = start + nth * EVERY
        for number in (0, 1):
            body = logs_of(said_at(nth), at, f"shop{number}")
            body = b"\xff\xff" if nth == BROKEN else body
            producer.send(LOGS, body, partition=number, timestamp_ms=at)
        at, traces = start + nth * STEP, range(2 * nth + 1, 2 * nth + 3)
        producer.send(TRACES, spans_of(traces, at), partition=0, timestamp_ms=at)
    producer.flush(timeout=60)
    producer.close(timeout=5)


def have_all(one: Worker, other: Worker) -> bool:
    """Whether each partition is somebody's."""
    return one.figure("partitions") + other.figure("partitions") == 3


def is_done(store: str) -> bool:
    """Whether a checkpoint of each partition has all of its messages."""
    with closing(PostgresDatabase(store)) as database:
        return [one.position for one in progress_of(database)] == [MANY - 1] * 3


def found(store: str, start: int) -> dict[str, Any]:
    """Counters as they are read; they, templates, anomalies and events as they are kept."""
    kept: dict[str, Any] = {}
    with closing(PostgresDatabase(store)) as database, database.built() as connection:
        for table, but in (
            (schema.own_series, ()),
            (schema.log_templates, ()),
            (schema.log_days, ()),
            (schema.anomalies, ()),
            (schema.stream_events, ("number", "kept_at", "sent")),
        ):
            columns = [column for column in table.c if column.name not in but]
            rows = connection.execute(sa.select(*columns))
            kept[table.name] = sorted(tuple(row) for row in rows)
        kept["readings"] = readings(database, start, start + MANY * EVERY)
    return kept


def totals(kept: Mapping[str, Any], metric: str) -> Counter[str]:
    """What counters of a metric stand at, by level, or by service."""
    summed: Counter[str] = Counter()
    names = [column.name for column in schema.own_series.c]
    for row in kept["own_series"]:
        one = dict(zip(names, row, strict=True))
        labels = dict(unpack(tuple[tuple[str, str], ...], one["labels"]))
        if labels["__name__"] == metric and "template" not in labels:
            summed[labels.get("level") or labels["service_name"]] += int(one["total"])
    return summed


def test_workers_of_which_one_is_killed_count_and_tell_what_an_undisturbed_one_does(
    kafka: RunningKafka, postgres: RunningPostgres, tmp_path: Path
) -> None:
    """A machine that fails would lose lines and spans, count them twice, or tell another story."""
    make_topics(kafka.address, LOGS, TRACES)
    fleet = of_lines(kafka.address, tmp_path, LOGS, TRACES)
    store = postgres.database(f"logs{next(_numbers)}")
    # Ahead of every clock: while nothing comes it is as late as the last message says.
    start = (round(time.time()) + 2 * 3600) // 3600 * 3_600_000
    try:
        first, second = (fleet.start(store, name) for name in ("first", "second"))
        send(kafka, start, 0, 200)
        eventually(
            lambda: first.figure("partitions") + second.figure("partitions") == 3, PATIENCE_S
        )
        eventually(lambda: first.figure("messages") > 100, PATIENCE_S)
        first.kill()
        send(kafka, start, 200, 400)
        third = fleet.start(store, "third")
        eventually(
            lambda: second.figure("partitions") + third.figure("partitions") == 3, PATIENCE_S
        )
        code, took = second.stop()
        send(kafka, start, 400, MANY)
        eventually(lambda: is_done(store), PATIENCE_S)
        third.stop()
        alone = postgres.database(f"alone{next(_numbers)}")
        reference = fleet.start(alone, "reference", group="alone")
        eventually(lambda: is_done(alone), PATIENCE_S)
        taken = {unit: int(reference.figure(unit)) for unit in ("lines", "spans")}
        reference.stop()
    finally:
        fleet.close()

    kept, expected = found(store, start), found(alone, start)
    whole, new = 2 * (MANY - 1), 2 * (MANY - NEW)
    assert (code, took < 25) == (0, True)
    assert taken == {"lines": 3 * whole + new, "spans": 6 * MANY}
    assert totals(expected, "serinus_log_lines_total") == {"info": 3 * whole, "error": new}
    assert {row[3] for row in expected["anomalies"]} == {"log_novelty"}
    for name, rows in expected.items():
        assert kept[name] == rows, name
    letters = {dict(one.headers)["serinus-offset"] for one in read_topic(kafka.address, LETTERS)}
    assert letters == {b"%d" % BROKEN}
