"""A real collector's Kafka exporter at a real Kafka: what a worker finds in its topic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest.protocol import Door, Format, form_of
from pipelines.topics.kafka_reader import KafkaReader
from pipelines.topics.port import Message
from pipelines.topics.settings import BrokerSettings
from tests.collector.collecting import running_collector
from tests.collector.test_collector import sent
from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.ingest.doorways import Doorway
from tests.pipelines.topics.brokers import OnKafka
from tests.pipelines.topics.heard import Heard
from tests.pipelines.topics.test_contract import read

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def kafka() -> Iterator[RunningKafka]:
    """A Kafka for the tests of this module."""
    with running_kafka() as running:
        yield running


def exporter(address: str, topic: str, encoding: str, **more: object) -> dict[str, dict[str, Any]]:
    """As docs/kafka.md says."""
    settings = {
        "brokers": [address],
        "metrics": {"topic": topic, "encoding": encoding},
        "partition_metrics_by_resource_attributes": True,
        "record_headers": [{"name": "X-Scope-OrgID", "value": "shop"}],
        "producer": {"compression": "zstd", "required_acks": -1},
        **more,
    }
    return {"kafka": settings}


def exported(kafka: RunningKafka, folder: Path, encoding: str, **more: object) -> Message:
    """What the exporter writes of one export."""
    with closing(OnKafka(kafka.address)) as broker:
        topic = broker.topic(partitions=3)
        with running_collector(folder, exporter(kafka.address, topic, encoding, **more)) as one:
            sent(one)
        settings = BrokerSettings(servers=(kafka.address,))
        with closing(KafkaReader(settings, f"of-{topic}", [topic], Heard())) as reader:
            return read(reader, 1)[0]


@pytest.mark.parametrize("written", [Format.OTLP_PROTO, Format.OTLP_JSON])
def test_what_the_exporter_writes_comes_in_by_its_door(
    kafka: RunningKafka, tmp_path: Path, written: Format
) -> None:
    """Counter, gauge and histograms, under the names of Prometheus."""
    message = exported(kafka, tmp_path, written.value)
    door, packing = form_of(written)
    assert door in {Door.OTLP, Door.OTLP_JSON}
    doorway = Doorway(behind_s=10**9, ahead_s=10**9)
    told = doorway.take(door, message.value or b"", packing)
    assert not told.refused.total
    shown = doorway.shown()
    assert (shown["http_requests_total"], shown["queue_waiting"]) == (3.0, 2.0)
    assert shown["latency_seconds_count"] == 4.0


def test_its_key_and_tenant_are_where_the_docs_say(kafka: RunningKafka, tmp_path: Path) -> None:
    """Without a key the series of a pod would be spread over partitions."""
    message = exported(kafka, tmp_path, "otlp_proto")
    assert message.key
    assert ("X-Scope-OrgID", b"shop") in message.headers


def test_without_being_told_it_writes_no_key(kafka: RunningKafka, tmp_path: Path) -> None:
    """The reason for the setting in docs/kafka.md: its default spreads what belongs together."""
    more = {"partition_metrics_by_resource_attributes": False}
    assert exported(kafka, tmp_path, "otlp_proto", **more).key is None
