"""The folder of a demo: its own while it runs; the next demo removes what a killed one left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["clear_stale", "own_folder"]

_PREFIX = "serinus-demo-"
_MARK = "demo.lock"
# What the mark says; a folder of that name without it may be anybody's.
_OURS = b"the folder of a running serinus demo\n"


@contextlib.contextmanager
def own_folder(among: Path | None = None) -> Iterator[Path]:
    """A folder for one demo, removed on leaving.

    Its mark is locked for as long as this process lives: the kernel lets go of it, whatever ends
    the process, and no number of a process can be mistaken for another's.
    """
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=among, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with _marked(folder):
            yield folder


def clear_stale(among: Path | None = None) -> Sequence[Path]:
    """Remove folders of demos that are no more; those that were removed.

    Only what is provably ours goes: the name, the owner, the mark inside, and its lock is free.
    """
    place = among or Path(tempfile.gettempdir())
    return [folder for folder in sorted(place.glob(f"{_PREFIX}*")) if _removed(folder)]


@contextlib.contextmanager
def _marked(folder: Path) -> Iterator[None]:
    """Under its own name the mark is there only once it is locked: nobody sees it free."""
    new = folder / f"{_MARK}.new"
    with new.open("wb") as mark:
        mark.write(_OURS)
        mark.flush()
        fcntl.flock(mark, fcntl.LOCK_EX)
        new.rename(folder / _MARK)
        yield


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError), _abandoned(folder) as is_ours:
        if is_ours:
            shutil.rmtree(folder)
            return True
    return False


@contextlib.contextmanager
def _abandoned(folder: Path) -> Iterator[bool]:
    """Whether it is ours and its demo is gone; nobody else can take it meanwhile."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        yield False
        return
    mark = os.open(folder / _MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.read(mark, len(_OURS) + 1) == _OURS
    finally:
        os.close(mark)
