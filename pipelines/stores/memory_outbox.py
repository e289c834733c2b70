"""The outbox, kept in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.gate.telling import OUTRUN, DeliveryState, Errand, Notice, Post, Settled

__all__ = ["MemoryOutbox"]


@dataclass(slots=True)
class _Delivery:
    notice: Notice
    to: str
    due_at: float
    state: DeliveryState = DeliveryState.DUE
    tries: int = 0
    words: str = ""
    receipt: str = ""

    @property
    def place(self) -> tuple[str, float, str]:
        """Sorts by how long it is due."""
        return self.to, self.due_at, self.notice.id


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
        """Longest due first."""
        with self._lock:
            while True:
                due = [row for row in self.rows.values() if row.to == to and self._is_due(row, now)]
                due = sorted(due, key=lambda row: row.place)[:most]
                outrun = [row for row in due if self._is_outrun(row)]
                for row in outrun:
                    row.state, row.words = DeliveryState.DROPPED, OUTRUN
                if not outrun:
                    return [self._leased(row, now + lease_s) for row in due]

    def _is_due(self, row: _Delivery, now: float) -> bool:
        """Whether its time has come, and its turn in its thread."""
        if row.state is not DeliveryState.DUE or row.due_at > now:
            return False
        before = (other for other in self._thread(row) if other.notice.nth < row.notice.nth)
        return all(other.state is not DeliveryState.DUE for other in before)

    def _is_outrun(self, row: _Delivery) -> bool:
        thread = self._thread(row)
        after = [one for one in thread if one.notice.nth > row.notice.nth]
        was_told = any(one.state is DeliveryState.SENT for one in thread)
        later = any(one.state is not DeliveryState.DROPPED for one in after)
        return was_told and later and not row.notice.is_lasting

    def _thread(self, row: _Delivery) -> list[_Delivery]:
        """All of a thread to the same notifier, in order."""
        of, to = row.notice.thread, row.to
        found = [
            one for one in self.rows.values() if of and (one.notice.thread, one.to) == (of, to)
        ]
        return sorted(found, key=lambda one: one.notice.nth)

    def _leased(self, row: _Delivery, until: float) -> Errand:
        row.due_at, row.tries = until, row.tries + 1
        sent = [one.receipt for one in self._thread(row) if one.state is DeliveryState.SENT]
        receipt = sent[-1] if sent else ""
        return Errand(notice=row.notice, to=row.to, tries=row.tries, receipt=receipt)

    def settle(self, errand: Errand, settled: Settled) -> None:
        """Unless it was claimed again."""
        with self._lock:
            row = self.rows.get((errand.notice.id, errand.to))
            if row is None or row.tries != errand.tries or row.state is not DeliveryState.DUE:
                return
            row.state, row.due_at, row.words = settled.state, settled.due_at, settled.words
            row.receipt = settled.receipt

    def tally(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Counted."""
        with self._lock:
            return Counter((row.to, row.state) for row in self.rows.values())

    def prune(self, before: float) -> None:
        """Forget what is older."""
        with self._lock:
            self.notices = {id: n for id, n in self.notices.items() if n.at >= before}
            self.rows = {key: row for key, row in self.rows.items() if key[0] in self.notices}
