"""What happens to anomalies, for those who follow: from memory, or where that ends the store."""

from __future__ import annotations

import threading
from collections import deque

from detector.stream.anomaly import Happened
from pipelines.stores.events import SqlEvents

__all__ = ["Followers"]

_KEPT = 1_000
_PAGE = 500


class Followers:
    """Events under the numbers that they are kept by, which outlive the process; safe for threads.

    `add` is told of each event once it is in the store, in order.
    """

    def __init__(self, events: SqlEvents) -> None:
        self._store = events
        self._lock = threading.Lock()
        self._events: deque[tuple[int, Happened]] = deque()
        self.newest = events.newest()
        # Of what comes above it nothing is missing in memory.
        self.whole_above = self.newest

    def add(self, number: int, happened: Happened) -> None:
        """One more event."""
        with self._lock:
            if len(self._events) == _KEPT:
                self.whole_above = self._events.popleft()[0]
            self._events.append((number, happened))
            self.newest = number

    def after(self, number: int) -> list[tuple[int, Happened]] | None:
        """Those above a number, in order; None where only the store knows them all."""
        with self._lock:
            if number < self.whole_above:
                return None
            return [event for event in self._events if event[0] > number]

    def missed(self, number: int) -> tuple[list[tuple[int, Happened]], int]:
        """Some of those above a number, from the store, and up to which all are told by them."""
        with self._lock:
            whole_above = self.whole_above
        kept = self._store.after(number, _PAGE)
        found = [(one.number, one.told.happened) for one in kept]
        last = found[-1][0] if found else number
        return found, last if len(found) == _PAGE else max(last, whole_above)
