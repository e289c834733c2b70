"""A broker in memory, with groups that rebalance cooperatively as Kafka's do."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from detector.errors import BrokerError, OffsetGoneError
from pipelines.testing.groups import Group
from pipelines.topics.port import (
    Begin,
    Message,
    Outgoing,
    Partition,
    Rebalance,
    Span,
    Topic,
)

__all__ = ["MemoryAdmin", "MemoryBroker", "MemoryReader", "MemoryWriter"]


@dataclass(slots=True)
class _Log:
    start: int = 0
    messages: list[Message] = field(default_factory=list)

    @property
    def span(self) -> Span:
        return Span(start=self.start, end=self.start + len(self.messages))


class MemoryBroker:
    """Topics and groups of one process, safe for threads.

    While `is_down` it answers nobody: readers get nothing, all else raises. `expire` takes a
    reader's partitions away without telling it, as a broker does that has not heard of it for
    too long; `trim` deletes the oldest messages, as retention does.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.changed = threading.Condition()
        self.topics: dict[str, Topic] = {}
        self.committed: dict[str, dict[Partition, int]] = {}
        self.is_down = False
        self._logs: dict[Partition, _Log] = {}
        self._groups: dict[str, Group] = {}
        self._clock = clock
        self._turn = count()

    def reader(
        self,
        group: str,
        topics: Sequence[str],
        rebalance: Rebalance,
        begin: Begin = Begin.EARLIEST,
    ) -> MemoryReader:
        """A new member of a group."""
        with self.changed:
            found = self._groups.setdefault(group, Group())
            reader = MemoryReader(self, group, found, rebalance, begin)
            found.join(reader, [one for one in self._logs if one.topic in topics])
            self.changed.notify_all()
        return reader

    def writer(self, most_bytes: int = 2**20) -> MemoryWriter:
        """A writer whose messages may be that long."""
        return MemoryWriter(self, most_bytes)

    def admin(self) -> MemoryAdmin:
        """What sets topics up."""
        return MemoryAdmin(self)

    def expire(self, reader: MemoryReader) -> None:
        """Forget a member that was not heard of; others may have its partitions at once."""
        with self.changed:
            reader.group.expire(reader)
            self.changed.notify_all()

    def trim(self, partition: Partition, start: int) -> None:
        """Delete all before an offset."""
        with self.changed:
            log = self._logs[partition]
            del log.messages[: max(start - log.start, 0)]
            log.start = max(log.start, start)

    def messages(self, topic: str) -> list[Message]:
        """All messages of a topic, partition by partition."""
        with self.changed:
            logs = sorted(one for one in self._logs if one.topic == topic)
            return [message for one in logs for message in self._logs[one].messages]

    def make(self, topic: Topic) -> None:
        """Make a topic; `BrokerError` where it exists."""
        with self.changed:
            self.check()
            if topic.name in self.topics:
                raise BrokerError(f"topic {topic.name} exists", retryable=False)
            self.topics[topic.name] = topic
            self._logs |= {Partition(topic.name, n): _Log() for n in range(topic.partitions)}

    def append(self, message: Outgoing) -> None:
        """Write a message at the end of its partition."""
        with self.changed:
            if message.topic not in self.topics:
                raise BrokerError(
                    f"there is no topic {message.topic}: run `serinus topics create`",
                    retryable=False,
                )
            partition = self._partition(message)
            log = self._logs[partition]
            log.messages.append(
                Message(
                    partition=partition,
                    offset=log.span.end,
                    at=round(1000 * self._clock()),
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                )
            )
            self.changed.notify_all()

    def read(self, partition: Partition, offset: int, most: int) -> list[Message]:
        """Up to `most` messages from an offset on; `OffsetGoneError` where it is not held."""
        log = self._logs[partition]
        if not log.span.start <= offset <= log.span.end:
            raise OffsetGoneError(
                f"{partition.topic}/{partition.number} holds {log.span.start} to {log.span.end}, "
                f"not {offset}",
                offsets={partition: offset},
            )
        first = offset - log.start
        return log.messages[first : first + most]

    def spans(self, partitions: Collection[Partition]) -> dict[Partition, Span]:
        """What the logs of partitions hold."""
        with self.changed:
            self.check()
            absent = next((one for one in partitions if one not in self._logs), None)
            if absent is not None:
                raise BrokerError(f"there is no {absent.topic}/{absent.number}", retryable=False)
            return {one: self._logs[one].span for one in partitions}

    def check(self) -> None:
        """`BrokerError` while it is down."""
        if self.is_down:
            raise BrokerError("the broker does not answer")

    def _partition(self, message: Outgoing) -> Partition:
        number = next(self._turn) if message.key is None else zlib.crc32(message.key)
        return Partition(message.topic, number % self.topics[message.topic].partitions)


class MemoryReader:
    """`Reader` of a `MemoryBroker`."""

    def __init__(
        self, broker: MemoryBroker, name: str, group: Group, rebalance: Rebalance, begin: Begin
    ) -> None:
        self.group = group
        self._broker, self._name, self._rebalance = broker, name, rebalance
        self._begin = begin
        self._next: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._closed = False

    def poll(self, timeout_s: float, most: int) -> Mapping[Partition, Sequence[Message]]:
        """Take part in the rebalance under way, then give what there is."""
        assert not self._closed, "the reader is closed"
        until = time.monotonic() + timeout_s
        while True:
            if not self._broker.is_down:
                self._settle()
            with self._broker.changed:
                found = {} if self._broker.is_down else self._fetch(most)
                left = until - time.monotonic()
                if found or left <= 0:
                    return found
                self._broker.changed.wait(min(left, 0.05))

    def seek(self, partition: Partition, offset: int) -> None:
        """Go to an offset, which need not exist."""
        assert partition in self._next, f"{partition} is not ours"
        self._next[partition] = offset

    def pause(self, partitions: Collection[Partition]) -> None:
        """Hold these."""
        self._paused |= set(partitions) & self._next.keys()

    def resume(self, partitions: Collection[Partition]) -> None:
        """Let these go on."""
        self._paused -= set(partitions)

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """What the logs hold."""
        return self._broker.spans(partitions)

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Kept in `MemoryBroker.committed`."""
        with self._broker.changed:
            self._broker.check()
            if self.group.knows(self):
                kept = self._broker.committed.setdefault(self._name, {})
                kept |= {one: at for one, at in offsets.items() if one in self._next}

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        owned = frozenset(self._next)
        if owned and self.group.knows(self):
            self._rebalance.revoked(owned)
        elif owned:
            self._rebalance.lost(owned)
        with self._broker.changed:
            self.group.leave(self)
            self._broker.changed.notify_all()

    def _settle(self) -> None:
        """Lose, give back and take what the group says, each told outside of the lock."""
        with self._broker.changed:
            is_lost = not self.group.knows(self)
        if is_lost:
            self._drop(self._rebalance.lost, frozenset(self._next))
            with self._broker.changed:
                self.group.rejoin(self)
        with self._broker.changed:
            unwanted = self.group.unwanted(self)
        if unwanted:
            self._drop(self._rebalance.revoked, unwanted)
        with self._broker.changed:
            self.group.release(self, unwanted)
            given = self.group.take(self)
            self._broker.changed.notify_all()
        if given:
            self._begin_at(given)

    def _drop(
        self, tell: Callable[[frozenset[Partition]], None], gone: frozenset[Partition]
    ) -> None:
        for partition in gone:
            del self._next[partition]
        self._paused -= gone
        if gone:
            tell(gone)

    def _begin_at(self, given: frozenset[Partition]) -> None:
        spans = self._broker.spans(given)
        for partition, span in spans.items():
            self._next[partition] = span.start if self._begin is Begin.EARLIEST else span.end
        self._next |= self._rebalance.assigned(given)

    def _fetch(self, most: int) -> dict[Partition, Sequence[Message]]:
        found: dict[Partition, Sequence[Message]] = {}
        for partition in sorted(self._next.keys() - self._paused):
            some = self._broker.read(partition, self._next[partition], most)
            if some:
                found[partition] = some
                self._next[partition] = some[-1].offset + 1
                most -= len(some)
            if most <= 0:
                break
        return found


class MemoryWriter:
    """`Writer` of a `MemoryBroker`: a message is in the log as soon as it is sent."""

    def __init__(self, broker: MemoryBroker, most_bytes: int) -> None:
        self._broker, self._most = broker, most_bytes
        self._failed: BrokerError | None = None

    def send(self, message: Outgoing) -> None:
        """Append it; while the broker is down, `flush` tells."""
        size = len(message.value) + len(message.key or b"")
        if size > self._most:
            raise BrokerError(
                f"a message of {size} bytes is longer than {self._most}", retryable=False
            )
        try:
            self._broker.check()
            self._broker.append(message)
        except BrokerError as error:
            if not error.retryable:
                raise
            self._failed = error

    def flush(self, timeout_s: float) -> None:
        """Raise what failed since the last time; nothing is waited for."""
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Nothing to do."""


class MemoryAdmin:
    """`Admin` of a `MemoryBroker`, which has one node."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def describe(self, names: Collection[str]) -> Mapping[str, Topic]:
        """Those that exist."""
        with self._broker.changed:
            self._broker.check()
            return {
                name: self._broker.topics[name] for name in names if name in self._broker.topics
            }

    def create(self, topics: Sequence[Topic]) -> None:
        """Make them; more than one copy of each is too many for one node."""
        for topic in topics:
            if topic.replication > 1:
                raise BrokerError(
                    f"topic {topic.name}: {topic.replication} copies on 1 broker", retryable=False
                )
            self._broker.make(topic)

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """What the logs hold."""
        return self._broker.spans(partitions)

    def close(self) -> None:
        """Nothing to do."""
