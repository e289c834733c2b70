"""Topics of a Kafka, described and made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

from pipelines.topics.kafka_client import client_options, speaking
from pipelines.topics.port import Partition, Span, Topic
from pipelines.topics.settings import BrokerSettings

__all__ = ["KafkaAdmin"]


class KafkaAdmin:
    """`Admin` of a Kafka."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        with speaking(settings, "opening a client"):
            self._client = KafkaAdminClient(**client_options(settings))

    def describe(self, names: Collection[str]) -> Mapping[str, Topic]:
        """Those that exist, with the settings that are not the broker's own."""
        with speaking(self._settings, "describing topics"):
            found = [one for one in self._client.describe_topics(list(names)) if _exists(one)]
            resources = [ConfigResource(ConfigResourceType.TOPIC, one["name"]) for one in found]
            own = self._client.describe_configs(resources)["topic"] if resources else {}
        return {one["name"]: _topic(one, own[one["name"]]) for one in found}

    def create(self, topics: Sequence[Topic]) -> None:
        """One by one, so that an error tells which."""
        for topic in topics:
            with speaking(self._settings, f"making topic {topic.name}"):
                self._client.create_topics(
                    {
                        topic.name: {
                            "num_partitions": topic.partitions,
                            "replication_factor": topic.replication,
                            "configs": dict(topic.config),
                        }
                    },
                    wait_for_metadata=True,
                )

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """As the broker answers now."""
        asked = [TopicPartition(*partition) for partition in partitions]
        with speaking(self._settings, "asking what partitions hold"):
            starts, ends = (
                self._client.list_partition_offsets(dict.fromkeys(asked, spec))
                for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
            )
        return {
            Partition(*one): Span(start=starts[one].offset, end=ends[one].offset) for one in asked
        }

    def close(self) -> None:
        """Disconnect."""
        self._client.close()


def _exists(told: Mapping[str, Any]) -> bool:
    return not told["error_code"]


def _topic(told: Mapping[str, Any], own: Mapping[str, Mapping[str, str]]) -> Topic:
    return Topic(
        name=told["name"],
        partitions=len(told["partitions"]),
        replication=len(told["partitions"][0]["replica_nodes"]),
        config={name: one["value"] for name, one in sorted(own.items())},
    )
