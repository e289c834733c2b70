"""A writer that failed is not used again: what it holds would be written late, or never."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from detector.errors import BrokerError
from pipelines.testing.topics import MemoryBroker, MemoryWriter
from pipelines.topics.port import Outgoing, Topic
from pipelines.topics.reopened import ReopenedWriter

LETTER = Outgoing(topic="letters", key=None, value=b"x")


@dataclass
class World:
    """A broker, and how many writers were opened to it."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    opened: int = 0

    def open(self) -> MemoryWriter:
        """One more."""
        self.broker.check()
        self.opened += 1
        return self.broker.writer(most_bytes=100)


@pytest.fixture
def world() -> World:
    """With the topic."""
    made = World()
    made.broker.make(Topic(name="letters", partitions=1, replication=1))
    return made


def test_without_errors_it_is_one_writer(world: World) -> None:
    """Each letter would cost a connection."""
    writer = ReopenedWriter(world.open)
    for _ in range(3):
        writer.send(LETTER)
        writer.flush(1.0)

    assert (world.opened, len(world.broker.messages("letters"))) == (1, 3)


def test_after_an_error_another_is_opened_once_the_broker_is_back(world: World) -> None:
    """A client that lost its broker would hold what it has for ever."""
    writer = ReopenedWriter(world.open)
    world.broker.is_down = True
    writer.send(LETTER)
    with pytest.raises(BrokerError):
        writer.flush(1.0)
    with pytest.raises(BrokerError):
        writer.send(LETTER)

    world.broker.is_down = False
    writer.send(LETTER)
    writer.flush(1.0)

    assert (world.opened, len(world.broker.messages("letters"))) == (2, 1)


def test_what_is_too_long_is_told_and_a_close_may_come_twice(world: World) -> None:
    """A letter that cannot be written would be lost without a word."""
    writer = ReopenedWriter(world.open)
    long = Outgoing(topic="letters", key=None, value=b"x" * 200)

    with pytest.raises(BrokerError, match="longer"):
        writer.send(long)
    writer.flush(1.0)
    writer.close()
    writer.close()

    assert world.broker.messages("letters") == []
