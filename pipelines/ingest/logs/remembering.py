"""Who wrote records, by the bytes that tell it: a resource, or the labels of a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detector.logs.lines import Level, Origin

__all__ = ["Owner", "Remembered"]

# Of what is longer nobody keeps the bytes.
_LONGEST_KEY = 16 * 1024
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What a resource or a stream tells of its lines; `wrong` says why none is taken."""

    origin: Origin
    level: Level = Level.UNKNOWN
    wrong: str = ""


class Remembered:
    """Each is read once, as long as there are not too many: then all are read anew.

    Safe for threads: two may read the same at once, and both are right.
    """

    def __init__(self, read: Callable[[bytes], Owner]) -> None:
        self._read = read
        self._known: dict[bytes, Owner] = {}
        self._bytes = 0

    def of(self, key: bytes) -> Owner:
        """Whose it is; errors as of what reads it."""
        found = self._known.get(key)
        if found is None:
            found = self._read(key)
            self._remember(key, found)
        return found

    def _remember(self, key: bytes, owner: Owner) -> None:
        if len(key) > _LONGEST_KEY:
            return
        if self._bytes > _MOST_BYTES:
            self._known, self._bytes = {}, 0
        self._known[key] = owner
        # A key, an entry of the table and an owner take about so much beside the key's own bytes.
        self._bytes += len(key) + 512
