"""A group of readers that share partitions: who is to have which, and who has them still."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from pipelines.topics.port import Partition

__all__ = ["Group"]


class Group:
    """Sticky and cooperative: only what has to move does, and it is given back before it is given.

    For one lock, the broker's.
    """

    def __init__(self) -> None:
        self._topics: dict[Hashable, frozenset[Partition]] = {}
        self._expired: dict[Hashable, frozenset[Partition]] = {}
        self._owner: dict[Partition, Hashable] = {}
        self._wanted: dict[Partition, Hashable] = {}

    def knows(self, member: Hashable) -> bool:
        """Whether it is a member now."""
        return member in self._topics

    def join(self, member: Hashable, partitions: Collection[Partition]) -> None:
        """A member that can have these."""
        self._topics[member] = frozenset(partitions)
        self._share()

    def rejoin(self, member: Hashable) -> None:
        """A member again that was expired."""
        self.join(member, self._expired.pop(member))

    def leave(self, member: Hashable) -> None:
        """Without giving back: what it had is free."""
        self._expired.pop(member, None)
        self._topics.pop(member, None)
        self._owner = {one: who for one, who in self._owner.items() if who != member}
        self._share()

    def expire(self, member: Hashable) -> None:
        """Leave, against its will."""
        partitions = self._topics[member]
        self.leave(member)
        self._expired[member] = partitions

    def unwanted(self, member: Hashable) -> frozenset[Partition]:
        """What it has and another is to have."""
        return frozenset(
            one
            for one, who in self._owner.items()
            if who == member and self._wanted.get(one) != member
        )

    def release(self, member: Hashable, partitions: Collection[Partition]) -> None:
        """It has given these back."""
        self._owner = {
            one: who
            for one, who in self._owner.items()
            if not (who == member and one in partitions)
        }

    def take(self, member: Hashable) -> frozenset[Partition]:
        """What it is to have and nobody has: it has these now."""
        given = frozenset(
            one for one, who in self._wanted.items() if who == member and one not in self._owner
        )
        self._owner |= dict.fromkeys(given, member)
        return given

    def _share(self) -> None:
        """Everyone keeps what it has up to its share; the rest goes to who has least."""
        wanted: dict[Partition, Hashable] = {}
        everything = sorted({one for partitions in self._topics.values() for one in partitions})
        least, more = divmod(len(everything), max(len(self._topics), 1))
        for one in everything:
            owner = self._owner.get(one)
            has = _has(wanted, owner)
            if owner in self._topics and has < least + (more > 0):
                wanted[one] = owner
                more -= has == least
        for one in everything:
            able = [who for who, partitions in self._topics.items() if one in partitions]
            if one not in wanted and able:
                wanted[one] = min(able, key=lambda who: _has(wanted, who))
        self._wanted = wanted


def _has(wanted: dict[Partition, Hashable], member: Hashable) -> int:
    return sum(who == member for who in wanted.values())
