"""Which files are open, which were read before, and what becomes of those that rotate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fnmatch import fnmatch
from pathlib import Path

from detector.logs.lines import Origin
from pipelines.follow.file import FollowedFile, mark_of, opened
from pipelines.follow.finding import found, is_rotation_of, moved, rotated_after
from pipelines.follow.positions import Position
from pipelines.follow.tail import Reading, Tail
from pipelines.ingest.records.workloads import origin_of_path

__all__ = ["Group", "Roll"]

# What has no name any more may still be written to by who had it open.
_LEAVE_S = 30.0
_IDLE_S = 300.0
_KEPT_MOST = 8192
# A pattern that fits more fits what nobody meant.
_PATHS_MOST = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files that are followed alike; what `origin` leaves empty is told by paths or lines."""

    patterns: tuple[str, ...]
    origin: Origin
    tenant: str = "default"
    mapping: str = "auto"
    zone: tzinfo = UTC
    is_wrapped: bool = True


@dataclass(slots=True)
class _Open:
    tail: Tail
    group: Group
    # A copy, or a file without a name that is followed: it is let go at its end.
    is_leaving: bool = False
    leave_s: float = _LEAVE_S


class Roll:
    """The open files of all groups, and the positions of those that are not open."""

    def __init__(
        self,
        groups: Sequence[Group],
        kept: Iterable[Position] | None,
        reading: Callable[[Group], Reading],
        *,
        most: int = 1024,
        silence_s: float = 1.0,
        from_start: bool = False,
    ) -> None:
        self._groups, self._reading = groups, reading
        self._most, self._silence_s = most, silence_s
        self._open: dict[tuple[int, int], _Open] = {}
        self.kept = {(one.device, one.inode): one for one in kept or ()}
        # Of files that were there before anybody asked for them only what comes is read.
        self._at_end = kept is None and not from_start
        self._orphans = list(self.kept.values())
        self.unfollowed = 0
        self._named: frozenset[tuple[int, int]] = frozenset()

    def __len__(self) -> int:
        return len(self._open)

    def tails(self) -> list[tuple[Tail, Group]]:
        """The open files, the oldest first: what rotated away goes before what replaced it."""
        return [(one.tail, one.group) for one in self._open.values()]

    def scan(self) -> None:
        """Find files that came, and those whose name went to another."""
        named: dict[tuple[int, int], str] = {}
        for group in self._groups:
            paths = found(group.patterns, _PATHS_MOST)
            for path in paths:
                self._look(path, group, named)
        for identity, one in list(self._open.items()):
            if identity not in named and not one.is_leaving:
                one.is_leaving = True
                self._add_between(one)
        self._named = frozenset(named)
        self._adopt_orphans(named)
        self._at_end = False

    def truncated(self, tail: Tail) -> bool:
        """Begin a truncated file anew; whether the rest of what it held is read from a copy."""
        one = self._open[tail.file.identity]
        rest = self._rest_of(tail.position(), one.group)
        if rest:
            # The copy goes before what came after it.
            self._open[tail.file.identity] = self._open.pop(tail.file.identity)
        return rest

    def positions(self, tenant: str) -> list[Position]:
        """How far the open files of a tenant are given."""
        return [one.tail.position() for one in self._open.values() if one.group.tenant == tenant]

    def took(self) -> list[Position]:
        """All that was given is taken: positions as they are to be kept now."""
        for identity, one in self._open.items():
            self.kept.pop(identity, None)
            self.kept[identity] = one.tail.position()
        if len(self.kept) > _KEPT_MOST:
            self._forget_gone()
        return list(self.kept.values())

    def _forget_gone(self) -> None:
        """Of files that have no followed name any more only the last ones are known."""
        gone = [one for one in self.kept if one not in self._named and one not in self._open]
        for identity in gone[: len(self.kept) - _KEPT_MOST]:
            self.kept.pop(identity)

    def leaving(self, now: float) -> list[tuple[Tail, Group]]:
        """Files that brought nothing for long and have no name: they are to end."""
        return [
            (one.tail, one.group)
            for one in self._open.values()
            if one.is_leaving and _quiet(one.tail, now) >= one.leave_s
        ]

    def close(self, tail: Tail) -> None:
        """Let a file go; how far it was read is known still."""
        one = self._open.pop(tail.file.identity)
        self.kept[tail.file.identity] = one.tail.position()
        tail.file.close()

    def idle(self, now: float) -> list[Tail]:
        """Files that brought nothing for so long that they need not be open."""
        return [
            one.tail
            for one in self._open.values()
            if _quiet(one.tail, now) >= _IDLE_S and one.tail.given == one.tail.file.offset
        ]

    def _look(self, path: str, group: Group, named: dict[tuple[int, int], str]) -> None:
        try:
            status = Path(path).stat()
        except OSError:
            return
        identity = (status.st_dev, status.st_ino)
        if identity in named:
            return
        named[identity] = path
        one = self._open.get(identity)
        if one is not None:
            one.tail.file.path = path
            return
        kept = self.kept.get(identity)
        if kept is not None and kept.offset == status.st_size:
            return
        if len(self._open) >= self._most:
            self.unfollowed += 1
            return
        descriptor = opened(path)
        if descriptor is not None:
            self._begin(path, descriptor, group, kept)

    def _begin(self, path: str, descriptor: int, group: Group, kept: Position | None) -> None:
        if kept is not None and not _continues(descriptor, kept):
            # Truncated, or another file by the number of one that is gone.
            self._forget(kept)
            self._rest_of(kept, group, path)
            kept = None
        copied = self._copied(path, descriptor) if kept is None else None
        if copied is not None and (copied.device, copied.inode) in self._open:
            os.close(descriptor)
            return
        source = kept or copied
        offset = source.offset if source is not None else 0
        if source is None and self._at_end:
            offset = os.fstat(descriptor).st_size
        self._add(path, descriptor, group, offset)

    def _copied(self, path: str, descriptor: int) -> Position | None:
        """What a new file is a copy of, as a rotation makes them."""
        every = [*(one.tail.position() for one in self._open.values()), *self.kept.values()]
        size = os.fstat(descriptor).st_size
        for one in every:
            if one.marked < 1 or one.offset > size or not is_rotation_of(path, one.path):
                continue
            if mark_of(descriptor, one.marked) == one.mark:
                return one
        return None

    def _adopt_orphans(self, named: dict[tuple[int, int], str]) -> None:
        """What was under a followed name when we ended, and is under none now."""
        orphans, self._orphans = self._orphans, []
        for position in orphans:
            group = self._group_of(position.path)
            identity = (position.device, position.inode)
            if group is not None and identity not in named and identity in self.kept:
                self._rest_of(position, group)

    def _group_of(self, path: str) -> Group | None:
        """The group that followed a path."""
        for group in self._groups:
            if any(fnmatch(path, pattern) for pattern in group.patterns):
                return group
        return None

    def _rest_of(self, position: Position, group: Group, path: str | None = None) -> bool:
        """Read what a position leaves of a file that was moved or copied away."""
        name = path or position.path
        place = moved(position, name)
        if place is None:
            return False
        later = rotated_after(place[1], name)
        # Kept under the name that is followed: by it a restart finds the rest once more.
        self._add(name, place[1], group, position.offset, is_leaving=True)
        for other in later:
            self._add_unknown(other, name, group)
        return True

    def _add_between(self, one: _Open) -> None:
        """Read what had the name after a file that lost it, and lost it too before we looked."""
        for path in rotated_after(one.tail.file.descriptor, one.tail.file.path):
            self._add_unknown(path, one.tail.file.path, one.group)

    def _add_unknown(self, path: str, name: str, group: Group) -> None:
        """Read what a rotation left under a path of what had a name."""
        descriptor = opened(path)
        if descriptor is None:
            return
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) in self.kept:
            os.close(descriptor)
        else:
            self._add(name, descriptor, group, 0, is_leaving=True)

    def _forget(self, position: Position) -> None:
        self.kept.pop((position.device, position.inode), None)

    def _add(
        self, path: str, descriptor: int, group: Group, offset: int, *, is_leaving: bool = False
    ) -> None:
        file = FollowedFile(path, descriptor, offset)
        if file.identity in self._open:
            file.close()
            return
        tail = Tail(
            file,
            origin=_origin(path, group.origin),
            read=self._reading(group),
            is_wrapped=group.is_wrapped,
            silence_s=self._silence_s,
        )
        self._open[file.identity] = _Open(tail, group, is_leaving)


def _continues(descriptor: int, kept: Position) -> bool:
    """Whether a file is the one that was read, and not shorter than it was then."""
    if os.fstat(descriptor).st_size < kept.offset:
        return False
    return kept.marked == 0 or mark_of(descriptor, kept.marked) == kept.mark


def _quiet(tail: Tail, now: float) -> float:
    return 0.0 if tail.quiet_since is None else now - tail.quiet_since


def _origin(path: str, told: Origin) -> Origin:
    """Who writes a file: as it is told, else as its path says."""
    named = origin_of_path(path)
    if named is None:
        return told
    return Origin(
        service=told.service or named.service,
        namespace=told.namespace or named.namespace,
        cluster=told.cluster,
        pod=told.pod or named.pod,
        version=told.version,
    )
