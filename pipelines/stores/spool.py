"""A write-ahead file: what was accepted and is not in a checkpoint yet, in order, on the disk."""

from __future__ import annotations

import itertools
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import crc32c
import structlog

from detector.errors import StoreError

__all__ = ["Spool"]

_START, _CHECK = struct.Struct("<QI"), struct.Struct("<I")
_SEGMENT_BYTES = 64 * 2**20
_ENDING = ".spool"
_LOG = structlog.get_logger("serinus.stream")


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
            self._write(_record(number, body))
            self.next = number + 1
            return number

    def after(self, number: int) -> Iterator[tuple[int, bytes]]:
        """The records whose numbers are above one, in order."""
        with _told(self._folder):
            for path in self._segments():
                for found, body, _ in _records(path):
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
        if os.fstat(self._file).st_size > self._size:
            # A full disk took half a record, and it could not be cut off then.
            os.ftruncate(self._file, self._size)
        try:
            left = memoryview(record)
            while left:
                left = left[os.write(self._file, left) :]
            if self._durable:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(record)

    def _open(self, first: int) -> None:
        self._close()
        path = self._folder / f"{first:020d}{_ENDING}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size
        if self._durable:
            _sync(self._folder)

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
            whole, last = 0, _first(path) - 1
            for number, _, end in _records(path):
                last, whole = number, end
            if path.stat().st_size > whole:
                _cut_off(path, whole)
        return last


def _first(path: Path) -> int:
    return int(path.stem)


def _cut_off(path: Path, whole: int) -> None:
    """End a file after its whole records; what was acknowledged and is damaged is put aside."""
    rest = path.read_bytes()[whole:]
    if _is_damaged(rest):
        aside = path.with_name(f"{path.stem}-{whole}.damaged")
        aside.write_bytes(rest)
        _LOG.error("put aside what is damaged: samples are missing", file=aside.name)
    _LOG.warning("cut off what is no whole record", file=path.name, bytes=len(rest))
    os.truncate(path, whole)


def _is_damaged(rest: bytes) -> bool:
    """Whether it was acknowledged: the beginning of a record, or zeros, never were."""
    begin = _START.size + _CHECK.size
    return begin <= len(rest) and begin + _START.unpack_from(rest)[1] <= len(rest) and any(rest)


def _sync(folder: Path) -> None:
    """A new file outlives a power cut once its folder does."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _record(number: int, body: bytes) -> bytes:
    """A record: the checksum is of its number, its length and its body."""
    start = _START.pack(number, len(body))
    return start + _CHECK.pack(crc32c.crc32c(body, crc32c.crc32c(start))) + body


def _records(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Whole records with their numbers and where each ends; nothing after the first torn one."""
    held, at = path.read_bytes(), 0
    for expected in itertools.count(_first(path)):
        begin = at + _START.size + _CHECK.size
        if begin > len(held):
            return
        number, length = _START.unpack_from(held, at)
        body = held[begin : begin + length]
        if number != expected or held[at : begin + length] != _record(number, body):
            return
        at = begin + length
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
