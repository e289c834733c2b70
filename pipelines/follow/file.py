"""One file that grows: its new lines, each with where it lies, in bounded pieces."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass

from pipelines.follow.positions import Position
from pipelines.ingest.records.cleaned import LONGEST

__all__ = ["FollowedFile", "RawLine", "mark_of", "opened"]

_MARKED_MOST = 1024
# One byte more than is kept of a line, so that whoever cleans it sees that it was too long.
_HELD_MOST = LONGEST + 1


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line without its end, from `start` up to `end` in the file."""

    text: bytes
    start: int
    end: int


def mark_of(descriptor: int, length: int) -> str:
    """A hash of the first bytes of an open file, empty where it has not so many."""
    head = os.pread(descriptor, length, 0)
    return hashlib.blake2b(head, digest_size=16).hexdigest() if len(head) == length else ""


def opened(path: str) -> int | None:
    """A descriptor of a regular file, None where there is none that can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


class FollowedFile:
    """An open file, read from an offset on; it stays the same when its name goes to another."""

    def __init__(self, path: str, descriptor: int, offset: int = 0) -> None:
        self.path = path
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.identity = (status.st_dev, status.st_ino)
        self._begin(offset)

    def _begin(self, offset: int) -> None:
        self.offset = offset
        self._start = offset
        self._rest = bytearray()
        self._mark, self._marked = "", 0
        self._note_mark()

    def close(self) -> None:
        """Let it go."""
        os.close(self.descriptor)

    def position(self, offset: int) -> Position:
        """What is kept of it, once it is read up to there."""
        device, inode = self.identity
        return Position(
            path=self.path,
            device=device,
            inode=inode,
            offset=offset,
            mark=self._mark,
            marked=self._marked,
        )

    @property
    def is_replaced(self) -> bool:
        """Whether it was truncated, or written anew, since it was read."""
        size = os.fstat(self.descriptor).st_size
        if size < self.offset:
            return True
        return self._marked > 0 and mark_of(self.descriptor, self._marked) != self._mark

    def restart(self) -> None:
        """From its beginning: what it held is gone."""
        self._begin(0)

    @property
    def unread(self) -> int:
        """Bytes that were not read yet."""
        return max(0, os.fstat(self.descriptor).st_size - self.offset)

    def read(self, most: int) -> list[RawLine]:
        """Whole lines out of at most so many further bytes; what has no end yet waits for it."""
        piece = os.pread(self.descriptor, most, self.offset)
        if not piece:
            return []
        self.offset += len(piece)
        lines = self._lines(piece)
        if self._marked < _MARKED_MOST:
            self._note_mark()
        return lines

    def last(self) -> RawLine | None:
        """What is left without an end, where nothing more will come."""
        if not self._rest:
            return None
        return self._line(b"", self.offset)

    def _lines(self, piece: bytes) -> list[RawLine]:
        end = self.offset - len(piece)
        *whole, rest = piece.split(b"\n")
        lines = []
        for part in whole:
            end += len(part) + 1
            lines.append(self._line(part, end))
        self._hold(rest)
        return lines

    def _line(self, part: bytes, end: int) -> RawLine:
        self._hold(part)
        line = RawLine(bytes(self._rest), self._start, end)
        self._rest.clear()
        self._start = end
        return line

    def _hold(self, part: bytes) -> None:
        if not self._rest:
            # A writer that knows nothing of a truncation leaves a hole before its next line.
            part = part.lstrip(b"\0")
        self._rest += part[: max(0, _HELD_MOST - len(self._rest))]

    def _note_mark(self) -> None:
        self._marked = min(self.offset, _MARKED_MOST)
        self._mark = mark_of(self.descriptor, self._marked) if self._marked else ""
