"""A partitioned log as flows see it: readers of a group, writers, and the topics themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

__all__ = [
    "Admin",
    "Begin",
    "Headers",
    "Message",
    "Outgoing",
    "Partition",
    "Reader",
    "Rebalance",
    "Span",
    "Topic",
    "Writer",
]

Headers = tuple[tuple[str, bytes], ...]


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int


class Begin(Enum):
    """Where a partition is read from whose offset nobody has kept."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as the log keeps it.

    `at` is the log's time of it (unix milliseconds): the same whenever it is read, so that what
    depends on it is, too. `value` is None where a key was deleted.
    """

    partition: Partition
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to be written; those with one key stay in one partition, in order."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a partition holds: from the offset `start` on, before the offset `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic: how many partitions, copies of each, and what of its settings is its own."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


class Rebalance(Protocol):
    """Hears which partitions a reader has, from inside its `poll` and `close`.

    The caller of those waits meanwhile, and the group is kept alive however long it takes (up to
    the reader's longest pause): state may be loaded and written here. It may be another thread,
    though never beside the caller's. What is raised here comes out of
    `poll` or `close`.
    """

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """These were added; the offsets to read on from. What is left out begins by `Begin`."""
        ...

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """These go to another reader once this returns: write what is held of them."""
        ...

    def lost(self, partitions: frozenset[Partition]) -> None:
        """These went already, and another may have begun: drop what is held, write nothing."""
        ...


class Reader(Protocol):
    """A member of a group that shares the partitions of topics; for one thread.

    Only what moves to another is taken away when members come and go; all else is read on.
    Methods raise `BrokerError` where the broker does not answer in time, `poll` only where
    waiting does not help.
    """

    def poll(self, timeout_s: float, most: int) -> Mapping[Partition, Sequence[Message]]:
        """Up to `most` next messages in the order of each partition; empty after `timeout_s`.

        `OffsetGoneError` where the log does not hold the offset that is to be read: that
        partition waits for a `seek`. Has to be called again within the longest pause, or the
        group takes the partitions away.
        """
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Read a partition on from there; also of one that is paused."""
        ...

    def pause(self, partitions: Collection[Partition]) -> None:
        """Give nothing of these until they are resumed; `poll` goes on for the others."""
        ...

    def resume(self, partitions: Collection[Partition]) -> None:
        """Give them again, from where they were paused."""
        ...

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """What the log holds of partitions now: `end` less the offset kept is the lag."""
        ...

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the broker how far we are, for those that watch groups; we never ask for it.

        Without effect where a partition is not ours any more.
        """
        ...

    def close(self) -> None:
        """Give the partitions back (`revoked` is told) and leave the group."""
        ...


class Writer(Protocol):
    """Writes messages; safe for threads. A message that is acknowledged survives the broker."""

    def send(self, message: Outgoing) -> None:
        """Take a message to write; `BrokerError` where it is too long, or nothing can be sent."""
        ...

    def flush(self, timeout_s: float) -> None:
        """Wait until all that was sent is acknowledged; `BrokerError` if one was not.

        After an error it is not known which were written: send all again since the last flush.
        """
        ...

    def close(self) -> None:
        """Stop; what was not flushed may be lost."""
        ...


class Admin(Protocol):
    """Sets topics up; methods raise `BrokerError`."""

    def describe(self, names: Collection[str]) -> Mapping[str, Topic]:
        """Those that exist."""
        ...

    def create(self, topics: Sequence[Topic]) -> None:
        """Make topics that do not exist, and wait until they can be written to."""
        ...

    def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, Span]:
        """What the log holds of partitions now."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...
