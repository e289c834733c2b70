"""What can be wrong with a line that is taken all the same, or with one that is not, counted."""

from __future__ import annotations

import threading
from collections import Counter
from enum import Enum

__all__ = ["Flaw", "Flaws"]


class Flaw(Enum):
    """What was wrong with a line. All but `NOT_A_RECORD` and `REPEATED` are kept, mended."""

    # Bytes that no text has: they are left out.
    BINARY = "binary"
    # Bytes that are not UTF-8: each stands as the sign for what is unknown.
    NOT_UTF8 = "not_utf8"
    # The end of it is left out.
    TOO_LONG = "too_long"
    # Colours and other orders to a terminal: they are left out.
    TERMINAL = "terminal"
    # A time ahead of our clock: ours is taken.
    IN_THE_FUTURE = "in_the_future"
    # JSON that is broken or nests too deeply: it is taken as plain text.
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    # The line before it once more, to the nanosecond, or one of a message that came before: it is
    # left out.
    REPEATED = "repeated"
    # Neither text nor an object: nothing is kept of it.
    NOT_A_RECORD = "not_a_record"


class Flaws:
    """Running totals by kind; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Flaw] = Counter()

    def add(self, flaw: Flaw, count: int = 1) -> None:
        """Count them."""
        with self._lock:
            self._counts[flaw] += count

    def count(self, flaw: Flaw) -> int:
        """How many there were."""
        return self._counts[flaw]

    def told(self) -> dict[str, int]:
        """All that there were, by name."""
        with self._lock:
            return {flaw.value: count for flaw, count in self._counts.items()}
