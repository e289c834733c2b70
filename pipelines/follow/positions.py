"""How far each followed file was read, kept over restarts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from detector.errors import StoreError

__all__ = ["Position", "Positions"]

_VERSION = 1


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and how far it was read.

    `mark` is a hash of its first `marked` bytes: a number of an inode is given to a new file once
    the old one is gone, and a truncated file keeps it.
    """

    path: str
    device: int
    inode: int
    offset: int = 0
    mark: str = ""
    marked: int = 0


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    files: tuple[Position, ...]


class Positions:
    """A small file that is replaced as a whole; `None` keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def load(self) -> tuple[Position, ...] | None:
        """What was kept last, None where nothing ever was; `StoreError` for what cannot be read."""
        if self._file is None or not self._file.exists():
            return None
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(
                f"{self._file}: positions of followed files cannot be read ({error}): "
                "delete it to begin anew"
            ) from error
        if kept.version != _VERSION:
            raise StoreError(
                f"{self._file}: is of version {kept.version}, of a newer serinus: use that one"
            )
        return kept.files

    def save(self, files: Iterable[Position]) -> None:
        """Replace what is kept; `StoreError` where that fails."""
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(_Kept(version=_VERSION, files=tuple(files))))
            fresh.replace(self._file)
        except OSError as error:
            raise StoreError(
                f"{self._file}: positions of followed files cannot be kept: {error.strerror}"
            ) from error
