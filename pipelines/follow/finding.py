"""The files that there are to follow, and which of them is what another one was."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.follow.file import mark_of, opened
from pipelines.follow.positions import Position

__all__ = ["found", "is_rotation_of", "moved", "rotated_after"]

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4", ".Z")
_ASIDE = re.compile(r"[.~_-].*|\d{4,}.*")
# A folder that holds more is looked through only so far.
_FOLDER_MOST = 4096
# Files that begin alike for fewer bytes may well be two.
_TELLING = 64


def found(patterns: Iterable[str], most: int) -> list[str]:
    """Paths that fit, by name, packed ones left out; no more than `most`."""
    paths: dict[str, None] = {}
    for pattern in patterns:
        for path in sorted(glob.iglob(pattern, recursive=True)):  # noqa: PTH207 - absolute
            if not path.endswith(_PACKED):
                paths[path] = None
                if len(paths) >= most:
                    return list(paths)
    return list(paths)


def is_rotation_of(path: str, other: str) -> bool:
    """Whether a name is what a rotation makes of another: `app.log.1`, `app-20240501.log`.

    >>> is_rotation_of("/l/app.log.1", "/l/app.log"), is_rotation_of("/l/app-2.log", "/l/app.log")
    (True, False)
    """
    folder, name = os.path.split(path)
    home, base = os.path.split(other)
    if folder != home or name == base:
        return False
    if name.startswith(base):
        return _ASIDE.match(name, len(base)) is not None
    ending = Path(base).suffix
    stem = base.removesuffix(ending)
    if not (name.startswith(stem) and name.endswith(ending)):
        return False
    between = name[len(stem) : len(name) - len(ending)]
    return re.fullmatch(r"[._-]?\d{6,}[\dT_.-]*", between) is not None


def moved(position: Position, beside: str) -> tuple[str, int] | None:
    """Where the rest of a file went that is no longer under its name: path and open descriptor.

    Looked for in the folder of `beside`: the same file by another name, or a copy of it, which
    begins with the same bytes and holds at least all that was read.
    """
    for path in _others(beside):
        descriptor = opened(path)
        if descriptor is None:
            continue
        if _is_it(descriptor, position):
            return path, descriptor
        os.close(descriptor)
    return None


def rotated_after(descriptor: int, path: str) -> list[str]:
    """What rotations made of a path after an open file was last written, the oldest first.

    Several rotations may have come and gone while nobody looked.
    """
    last = os.fstat(descriptor).st_mtime_ns
    times = {other: _written(other) for other in _others(path) if is_rotation_of(other, path)}
    return sorted((other for other in times if times[other] > last), key=lambda one: times[one])


def _written(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _others(path: str) -> Iterator[str]:
    folder = Path(path).parent
    try:
        entries = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return
    for name in entries[:_FOLDER_MOST]:
        other = str(folder / name)
        if other != path and not name.endswith(_PACKED):
            yield other


def _is_it(descriptor: int, position: Position) -> bool:
    status = os.fstat(descriptor)
    if status.st_size < position.offset:
        return False
    is_same = (status.st_dev, status.st_ino) == (position.device, position.inode)
    if position.marked == 0:
        return is_same
    if not is_same and position.marked < _TELLING:
        return False
    return mark_of(descriptor, position.marked) == position.mark
