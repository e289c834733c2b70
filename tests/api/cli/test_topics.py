"""`serinus topics create`, on a real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.settings import BrokerSettings
from tests.api.cli.served import serinus
from tests.kafka import RunningKafka, running_kafka
from tests.servers import free_port

real = pytest.mark.real


@pytest.fixture(scope="module")
def kafka() -> Iterator[RunningKafka]:
    """A Kafka for the tests of this module."""
    with running_kafka() as running:
        yield running


def configured(folder: Path, name: str, *, partitions: int = 2, retention_h: int = 1) -> str:
    """A configuration with topics of that name."""
    metrics = {"format": "columnar", "partitions": partitions, "retention_h": retention_h}
    own = {
        use: {"topic": f"{name}-{use}", "partitions": 1} for use in ("anomalies", "dead_letters")
    }
    read = {
        "metrics": {name: metrics},
        "logs": {f"{name}-logs": {"format": "fluent_bit", "partitions": 1}},
        "traces": {f"{name}-spans": {"format": "otlp_proto", "partitions": 1}},
    }
    file = folder / "serinus.yaml"
    file.write_text(json.dumps({"kafka": {**read, **own}}), encoding="utf-8")
    return str(file)


@real
def test_topics_are_made_once(kafka: RunningKafka, tmp_path: Path) -> None:
    """A job may run it at every start."""
    words = ["topics", "create", "--config", configured(tmp_path, "once"), "--kafka", kafka.address]
    first, second = serinus(*words), serinus(*words)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert [line.split()[-1] for line in first.stdout.splitlines()] == ["made"] * 5
    assert all(line.endswith("there, as asked") for line in second.stdout.splitlines())


@real
def test_a_dry_run_tells_what_is_absent_and_makes_nothing(
    kafka: RunningKafka, tmp_path: Path
) -> None:
    """Where another team makes topics, this is what they are asked for."""
    config = configured(tmp_path, "dry")
    words = ["topics", "create", "--config", config, "--kafka", kafka.address, "--dry-run"]
    told = serinus(*words, "--format", "json")
    topics = json.loads(told.stdout)["topics"]
    assert told.exit_code == 1
    assert {one["standing"] for one in topics} == {"absent"}
    admin = KafkaAdmin(BrokerSettings(servers=(kafka.address,)))
    assert admin.describe(["dry"]) == {}
    admin.close()


@real
def test_what_differs_is_told_and_left_alone(kafka: RunningKafka, tmp_path: Path) -> None:
    """Whoever changed the file hears that the topic did not change."""
    brokers = ["--kafka", kafka.address]
    serinus("topics", "create", "--config", configured(tmp_path, "other"), *brokers)
    changed = configured(tmp_path, "other", partitions=5, retention_h=2)
    told = serinus("topics", "create", "--config", changed, *brokers)
    assert told.exit_code == 1
    assert "2 partitions, asked are 5" in told.stdout
    assert "retention.ms is 3600000, asked is 7200000" in told.stdout


def test_without_a_broker_in_the_configuration_it_says_so() -> None:
    """The first thing that a person forgets."""
    told = serinus("topics", "create")
    assert told.exit_code == 2
    assert "kafka servers" in told.stderr


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Which address, and within a bounded time."""
    file = tmp_path / "serinus.yaml"
    address = f"127.0.0.1:{free_port()}"
    file.write_text(f"kafka: {{servers: ['{address}'], request_s: 1}}", encoding="utf-8")
    told = serinus("topics", "create", "--config", str(file))
    assert told.exit_code == 4
    assert address in told.stderr
