"""The outbox, kept in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.gate.telling import DeliveryState, Errand, Notice, Post, Settled

__all__ = ["MemoryOutbox"]


@dataclass(slots=True)
class _Delivery:
    notice: Notice
    to: str
    due_at: float
    state: DeliveryState = DeliveryState.DUE
    tries: int = 0
    words: str = ""


@dataclass(slots=True)
class MemoryOutbox:
    """`Outbox`."""

    notices: dict[str, Notice] = field(default_factory=dict)
    rows: dict[tuple[str, str], _Delivery] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, posts: Sequence[Post]) -> None:
        """Keep what is not there yet."""
        with self._lock:
            for post in posts:
                notice = post.notice
                if notice.id in self.notices:
                    continue
                self.notices[notice.id] = notice
                for to in post.to:
                    self.rows[notice.id, to] = _Delivery(notice, to, notice.at)

    def claim(self, to: str, *, now: float, lease_s: float, most: int) -> Sequence[Errand]:
        """Oldest first."""
        with self._lock:
            due = [
                row
                for row in self.rows.values()
                if row.to == to and row.state is DeliveryState.DUE and row.due_at <= now
            ]
            due.sort(key=lambda row: (row.notice.at, row.notice.id))
            for row in due[:most]:
                row.due_at, row.tries = now + lease_s, row.tries + 1
            return [Errand(notice=row.notice, to=to, tries=row.tries) for row in due[:most]]

    def settle(self, errand: Errand, settled: Settled) -> None:
        """Unless it was claimed again."""
        with self._lock:
            row = self.rows.get((errand.notice.id, errand.to))
            if row is None or row.tries != errand.tries or row.state is not DeliveryState.DUE:
                return
            row.state, row.due_at, row.words = settled.state, settled.due_at, settled.words

    def tally(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Counted."""
        with self._lock:
            return Counter((row.to, row.state) for row in self.rows.values())

    def prune(self, before: float) -> None:
        """Forget what is older."""
        with self._lock:
            self.notices = {id: n for id, n in self.notices.items() if n.at >= before}
            self.rows = {key: row for key, row in self.rows.items() if key[0] in self.notices}
