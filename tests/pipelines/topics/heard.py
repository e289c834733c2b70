"""What a reader of a test was told of its partitions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.topics.port import Partition

__all__ = ["Heard"]


@dataclass
class Heard:
    """A `Rebalance` that keeps what it hears, and begins where `offsets` say."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    log: list[tuple[str, frozenset[Partition]]] = field(default_factory=list)
    owned: set[Partition] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)
    fails: Exception | None = None

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Added."""
        self._hear("assigned", partitions)
        self.owned |= partitions
        return {one: at for one, at in self.offsets.items() if one in partitions}

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """To be given back."""
        self._hear("revoked", partitions)
        self.owned -= partitions

    def lost(self, partitions: frozenset[Partition]) -> None:
        """Gone."""
        self._hear("lost", partitions)
        self.owned -= partitions

    def words(self) -> list[str]:
        """What happened, in order."""
        return [word for word, _ in self.log]

    def _hear(self, word: str, partitions: frozenset[Partition]) -> None:
        self.threads.add(threading.get_ident())
        self.log.append((word, partitions))
        if self.fails is not None:
            raise self.fails
