"""A member of a consumer group of Kafka."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from kafka import OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    CommitFailedError,
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
    RetriableError,
)

from detector.errors import OffsetGoneError
from pipelines.topics.kafka_client import client_options, refusal, speaking
from pipelines.topics.kafka_group import GroupConsumer
from pipelines.topics.kafka_rebalance import Listener
from pipelines.topics.port import Begin, Message, Partition, Rebalance, Span
from pipelines.topics.settings import BrokerSettings

__all__ = ["KafkaReader"]

_log = structlog.get_logger("kafka")
# So much of a partition is fetched at once, and of all: what waits in memory beside us. With four
# times as much each answer is new memory: 140,000 page faults for 240 MB, and 0.5 ms of CPU for a
# message of 120 KB instead of 0.3.
_PARTITION_BYTES, _FETCH_BYTES = 2**20, 8 * 2**20
# A broker answers a fetch that finds nothing after so long; a pause ends no later.
_WAIT_MS = 250
_HEARTBEATS = 15


class KafkaReader:
    """`Reader` of a Kafka; joins the group at its first `poll`."""

    def __init__(
        self,
        settings: BrokerSettings,
        group: str,
        topics: Sequence[str],
        rebalance: Rebalance,
        begin: Begin = Begin.EARLIEST,
    ) -> None:
        self._settings = settings
        with speaking(settings, f"joining group {group}"):
            self._consumer = GroupConsumer(**_options(settings, group))
        self._listener = Listener(self._consumer, rebalance, begin)
        self._consumer.subscribe(list(topics), listener=self._listener)

    @property
    def member(self) -> str:
        """The id that the broker gave us in the group; empty while we are in none."""
        return str(self._consumer.group_metadata().member_id)

    def poll(self, timeout_s: float, most: int) -> Mapping[Partition, Sequence[Message]]:
        """As the port says; a broker that is away is waited for."""
        until = time.monotonic() + timeout_s
        try:
            found = self._consumer.poll(timeout_ms=round(1000 * timeout_s), max_records=most)
        except KafkaError as error:
            self._raise(error)
            _log.warning("broker is waited for", error=str(error))
            time.sleep(max(min(until - time.monotonic(), 0.1), 0.0))
            return {}
        return {
            Partition(*partition): [_message(record) for record in records]
            for partition, records in found.items()
        }

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from an offset."""
        self._consumer.seek(TopicPartition(*partition), offset)

    def pause(self, partitions: Collection[Partition]) -> None:
        """Hold those that are ours."""
        self._consumer.pause(*self._own(partitions))

    def resume(self, partitions: Collection[Partition]) -> None:
        """Let those that are ours go on."""
        self._consumer.resume(*self._own(partitions))

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """As the broker answers now."""
        asked = [TopicPartition(*partition) for partition in partitions]
        with speaking(self._settings, "asking what partitions hold"):
            starts = self._consumer.beginning_offsets(asked)
            ends = self._consumer.end_offsets(asked)
        return {Partition(*one): Span(start=starts[one], end=ends[one]) for one in asked}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the group's offsets; where we are out of the group it does not matter."""
        told = {TopicPartition(*one): OffsetAndMetadata(at, "", -1) for one, at in offsets.items()}
        try:
            self._consumer.commit(told, timeout_ms=round(1000 * self._settings.request_s))
        except (CommitFailedError, RebalanceInProgressError) as error:
            _log.info("offsets were not taken for those who watch", error=str(error))
        except KafkaError as error:
            raise refusal(self._settings, "telling offsets", error) from error

    def close(self) -> None:
        """Give the partitions back, leave the group and disconnect."""
        try:
            self._consumer.close(
                autocommit=False, timeout_ms=round(1000 * self._settings.request_s)
            )
        except KafkaError as error:
            self._consumer._client.close()
            if self._listener.failed is not None:
                raise self._listener.failed from None
            raise refusal(self._settings, "leaving the group", error) from error
        finally:
            self._listener.close()

    def _own(self, partitions: Collection[Partition]) -> list[TopicPartition]:
        return [one for one in self._consumer.assignment() if one in partitions]

    def _raise(self, error: KafkaError) -> None:
        """Raise what waiting does not mend, in our words."""
        failed, self._listener.failed = self._listener.failed, None
        if failed is not None:
            raise failed from None
        if isinstance(error, OffsetOutOfRangeError):
            raise self._gone(error.args[0]) from error
        if isinstance(error, LogTruncationError):
            raise self._gone(dict.fromkeys(error.divergent_offsets, -1)) from error
        if not isinstance(error, RetriableError):
            raise refusal(self._settings, "reading", error) from error

    def _gone(self, offsets: Mapping[TopicPartition, int]) -> OffsetGoneError:
        told: dict[tuple[str, int], int] = {Partition(*one): at for one, at in offsets.items()}
        words = ", ".join(f"{topic}/{number} at {at}" for (topic, number), at in told.items())
        return OffsetGoneError(
            f"{self._settings.place} does not hold what is to be read next: {words}", offsets=told
        )


def _options(settings: BrokerSettings, group: str) -> dict[str, Any]:
    session_ms = round(1000 * settings.session_s)
    return {
        **client_options(settings),
        "group_id": group,
        "partition_assignment_strategy": [CooperativeStickyAssignor],
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": max(session_ms // _HEARTBEATS, 100),
        "max_poll_interval_ms": round(1000 * settings.pause_s),
        "enable_auto_commit": False,
        # Our offsets are kept with our state: one that the log does not hold is an error.
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "fetch_max_wait_ms": _WAIT_MS,
        "max_partition_fetch_bytes": _PARTITION_BYTES,
        "fetch_max_bytes": _FETCH_BYTES,
        # A third of its time for numbers that we do not read (docs/kafka.md).
        "metrics_enabled": False,
    }


def _message(record: Any) -> Message:  # noqa: ANN401 - the library has no types
    return Message(
        partition=Partition(record.topic, record.partition),
        offset=record.offset,
        at=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple((name, value or b"") for name, value in record.headers),
    )
