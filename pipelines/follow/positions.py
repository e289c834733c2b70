"""How far each followed file was read, kept over restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from detector.errors import StoreError

__all__ = ["Position", "Positions", "Underway"]

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


class Underway(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a tenant that were about to be given on, and how far that is; by number."""

    tenant: str
    number: int
    files: tuple[Position, ...]


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    files: tuple[Position, ...]
    underway: tuple[Underway, ...] = ()


class Positions:
    """A small file that is replaced as a whole; `None` keeps nothing.

    What is under way is written before it is given on: whether it was taken, and so how far each
    file was read, the sink can tell after a crash between the two.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def load(
        self, was_taken: Callable[[Underway], bool] = lambda _: False
    ) -> tuple[Position, ...] | None:
        """What was kept last, None where nothing ever was; `StoreError` for what cannot be read."""
        kept = self._read()
        if kept is None:
            return None
        files = {(one.device, one.inode): one for one in kept.files}
        for underway in kept.underway:
            if was_taken(underway):
                files.update({(one.device, one.inode): one for one in underway.files})
        return tuple(files.values())

    def save(self, files: Iterable[Position], underway: Iterable[Underway] = ()) -> None:
        """Replace what is kept; `StoreError` where that fails."""
        if self._file is None:
            return
        kept = _Kept(version=_VERSION, files=tuple(files), underway=tuple(underway))
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(kept))
            fresh.replace(self._file)
        except OSError as error:
            raise StoreError(
                f"{self._file}: positions of followed files cannot be kept: {error.strerror}"
            ) from error

    def _read(self) -> _Kept | None:
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
        return kept
