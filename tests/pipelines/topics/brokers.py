"""Brokers of every kind behind one face, for the tests that hold for all."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import count
from typing import TypeVar

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import MemberToRemove

from pipelines.testing.topics import MemoryBroker, MemoryReader
from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.kafka_reader import KafkaReader
from pipelines.topics.kafka_writer import KafkaWriter
from pipelines.topics.port import (
    Admin,
    Begin,
    Outgoing,
    Partition,
    Reader,
    Rebalance,
    Topic,
    Writer,
)
from pipelines.topics.settings import BrokerSettings
from tests.pipelines.topics.heard import Heard

__all__ = ["Broker", "InMemory", "OnKafka"]

PATIENCE_S = 60.0
T = TypeVar("T", Admin, Reader, Writer)
_numbers = count()


class Broker(ABC):
    """A broker, and what a test does with it; closes all that it opened."""

    def __init__(self) -> None:
        self.opened: list[Admin | Reader | Writer] = []
        self._admin: Admin | None = None
        self._writer: Writer | None = None

    @abstractmethod
    def open_reader(self, topic: str, rebalance: Rebalance, begin: Begin) -> Reader:
        """A member of the topic's group."""

    @abstractmethod
    def open_writer(self) -> Writer:
        """A writer."""

    @abstractmethod
    def open_admin(self) -> Admin:
        """What sets topics up."""

    @abstractmethod
    def trim(self, partition: Partition, start: int) -> None:
        """Delete all before an offset."""

    @abstractmethod
    def expire(self, reader: Reader) -> None:
        """Take a reader out of its group without its doing."""

    @abstractmethod
    def committed(self, reader: Reader) -> Mapping[Partition, int]:
        """What the group of a reader committed."""

    def reader(
        self, topic: str, heard: Rebalance | None = None, begin: Begin = Begin.EARLIEST
    ) -> Reader:
        """One more member of the topic's group."""
        return self._kept(self.open_reader(topic, heard or Heard(), begin))

    def writer(self) -> Writer:
        """A writer of its own."""
        return self._kept(self.open_writer())

    def admin(self) -> Admin:
        """What sets topics up."""
        if self._admin is None:
            self._admin = self._kept(self.open_admin())
        return self._admin

    def topic(self, *, partitions: int, config: Mapping[str, str] | None = None) -> str:
        """A new topic."""
        name = f"topic-{next(_numbers)}"
        wanted = Topic(name=name, partitions=partitions, replication=1, config=config or {})
        self.admin().create([wanted])
        return name

    def write(self, *messages: Outgoing) -> None:
        """Write messages, and wait for them."""
        if self._writer is None:
            self._writer = self.writer()
        for message in messages:
            self._writer.send(message)
        self._writer.flush(PATIENCE_S)

    def until(self, holds: Callable[[], bool], *readers: Reader) -> None:
        """Poll readers in turn until it holds."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < give_up, "it never held"
            for reader in readers:
                reader.poll(0.1, 1000)

    def close(self) -> None:
        """Close all."""
        for one in reversed(self.opened):
            one.close()

    def _kept(self, opened: T) -> T:
        self.opened.append(opened)
        return opened


class InMemory(Broker):
    """The fake."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = MemoryBroker()

    def open_reader(self, topic: str, rebalance: Rebalance, begin: Begin) -> Reader:
        """A member."""
        return self.broker.reader(topic, [topic], rebalance, begin)

    def open_writer(self) -> Writer:
        """A writer."""
        return self.broker.writer()

    def open_admin(self) -> Admin:
        """The admin."""
        return self.broker.admin()

    def trim(self, partition: Partition, start: int) -> None:
        """As retention does."""
        self.broker.trim(partition, start)

    def expire(self, reader: Reader) -> None:
        """As a broker does that waited for too long."""
        assert isinstance(reader, MemoryReader)
        self.broker.expire(reader)

    def committed(self, reader: Reader) -> Mapping[Partition, int]:
        """As it is kept."""
        (only,) = self.broker.committed.values()
        return only


class OnKafka(Broker):
    """A real one."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.settings = BrokerSettings(
            servers=(address,), request_s=5.0, session_s=6.0, pause_s=30.0
        )
        self._tools = KafkaAdminClient(bootstrap_servers=address)
        self._groups: dict[int, str] = {}

    def open_reader(self, topic: str, rebalance: Rebalance, begin: Begin) -> Reader:
        """A member of a group that is named for the topic."""
        reader = KafkaReader(self.settings, f"group-{topic}", [topic], rebalance, begin)
        self._groups[id(reader)] = f"group-{topic}"
        return reader

    def open_writer(self) -> Writer:
        """A writer."""
        return KafkaWriter(self.settings)

    def open_admin(self) -> Admin:
        """The admin."""
        return KafkaAdmin(self.settings)

    def trim(self, partition: Partition, start: int) -> None:
        """By the request that tools use."""
        self._tools.delete_records({TopicPartition(*partition): start})

    def expire(self, reader: Reader) -> None:
        """As an operator removes a member."""
        assert isinstance(reader, KafkaReader)
        member = MemberToRemove(member_id=reader.member)
        self._tools.remove_group_members(self._groups[id(reader)], [member])

    def committed(self, reader: Reader) -> Mapping[Partition, int]:
        """As tools that watch groups ask."""
        group = self._groups[id(reader)]
        found = self._tools.list_group_offsets(group)[group]
        return {Partition(*one): kept.offset for one, kept in found.items()}

    def close(self) -> None:
        """Close all, and what the tests ask with."""
        super().close()
        self._tools.close()
