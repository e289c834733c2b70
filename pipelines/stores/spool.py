"""A write-ahead file: what was accepted and is not in a checkpoint yet, in order, on the disk."""

from __future__ import annotations

import itertools
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import crc32c

from detector.errors import StoreError

__all__ = ["Spool"]

_HEAD = struct.Struct("<QII")
_SEGMENT_BYTES = 64 * 2**20
_ENDING = ".spool"


class Spool:
    """Numbered records in segments; safe for threads.

    A record that `append` returned from outlives the death of the process; with `durable` also a
    power cut. What was torn by a death was never acknowledged, and is cut off.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._folder, self._durable = folder, durable
        self._lock = threading.Lock()
        self._file, self._size = -1, 0
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.next = self._cut() + 1

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self._segments())

    def append(self, body: bytes) -> int:
        """Keep a record; its number. `StoreError` where it cannot be kept: then it is not there."""
        with self._lock, _told(self._folder):
            if self._file < 0 or self._size >= _SEGMENT_BYTES:
                self._open(self.next)
            number = self.next
            record = _HEAD.pack(number, len(body), crc32c.crc32c(body)) + body
            self._write(record)
            self._size += len(record)
            self.next = number + 1
            return number

    def after(self, number: int) -> Iterator[tuple[int, bytes]]:
        """The records whose numbers are above one, in order."""
        with _told(self._folder):
            for path in self._segments():
                for found, body, _ in _records(path.read_bytes()):
                    if found > number:
                        yield found, body

    def follow(self, number: int) -> None:
        """Begin above a number that a checkpoint holds, if the files know of nothing later."""
        with self._lock:
            self.next = max(self.next, number + 1)

    def forget(self, number: int) -> None:
        """Delete segments all of whose records are up to a number."""
        with self._lock, _told(self._folder):
            every = self._segments()
            for path, following in itertools.pairwise(every):
                if _first(following) <= number + 1:
                    path.unlink()
            if self.next == number + 1 and self._file >= 0:
                self._close()
                for path in self._segments():
                    path.unlink()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _write(self, record: bytes) -> None:
        """All of it, or nothing: half a record would hide those after it."""
        at = os.lseek(self._file, 0, os.SEEK_END)
        try:
            left = memoryview(record)
            while left:
                left = left[os.write(self._file, left) :]
            if self._durable:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, at)
            raise

    def _open(self, first: int) -> None:
        self._close()
        path = self._folder / f"{first:020d}{_ENDING}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_ENDING}"))

    def _cut(self) -> int:
        """Cut off what is torn at the end; the number of the last whole record."""
        last = 0
        for path in self._segments():
            whole = 0
            for number, _, end in _records(path.read_bytes()):
                last, whole = number, end
            if whole < path.stat().st_size:
                os.truncate(path, whole)
            last = max(last, _first(path) - 1)
        return last


def _first(path: Path) -> int:
    return int(path.stem)


def _records(held: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Whole records with their numbers and where each ends; nothing after the first torn one."""
    at = 0
    while at + _HEAD.size <= len(held):
        number, length, check = _HEAD.unpack_from(held, at)
        body = held[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) < length or crc32c.crc32c(body) != check:
            return
        at += _HEAD.size + length
        yield number, body, at


class _told:  # noqa: N801 - reads as a word in `with`
    """Errors of the disk as `StoreError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            raise StoreError(f"the spool {self._folder} failed: {error}") from error
