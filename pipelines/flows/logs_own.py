"""Counters of our own as they rise: what is to be written of them, and a frame at each step."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_record import Counted, NewOwn
from pipelines.stores.connections import Transaction
from pipelines.stores.own import Frame, OwnSeries, add_frame, add_series, put_totals

__all__ = ["OwnCounters", "pause_after"]

# What lives is told every so many steps.
_WHOLE_EVERY = 20
# To write takes a tenth of the time at most, unless it would be put off for too long.
_SHARE = 10.0


def pause_after(took_s: float, pace: Pace) -> float:
    """How many seconds after a write that took so long the next one may begin."""
    return max(pace.flush_s, min(_SHARE * took_s, pace.put_off_s))


class OwnCounters:
    """The counters of one tenant; for one thread.

    `take` what came in, in order; `write` what became of it, and then call `wrote`.
    """

    def __init__(
        self,
        tenant: str,
        known: Iterable[OwnSeries] = (),
        *,
        newest: int = 0,
        pace: Pace = LIFE,
    ) -> None:
        self.tenant, self.newest = tenant, newest
        # A counter lives as long as its pod was heard of so lately.
        self._step, self._live = pace.step_ms, pace.live_ms
        self._total: dict[int, float] = {}
        self._seen: dict[int, int] = {}
        self._owner: dict[int, int] = {}
        self._heard: dict[int, int] = {}
        self._risen: set[int] = set()
        self._born: set[int] = set()
        # Whether nothing lived at the last step, and whether the next frame names all that does.
        self._is_gap, self._is_to_be_whole = not newest, True
        self._new: list[OwnSeries] = []
        self._dirty: set[int] = set()
        self._frames: list[Frame] = []
        for one in known:
            self._add(one)
            # One that came in the very moment of a frame came after it.
            if one.born >= newest:
                self._born.add(one.id)

    def take(self, counted: Counted) -> None:
        """Close the steps that are over, and add what came in."""
        self._close(counted.taken - counted.taken % self._step)
        for new in counted.new_own:
            self._introduce(new, counted.taken)
        ids, values = counted.own.arrays()
        if len(ids):
            self._begin()
        for id, value in zip(ids.tolist(), values.tolist(), strict=True):
            if id not in self._total:
                continue
            self._total[id] += value
            self._seen[id] = counted.taken
            self._heard[self._owner[id]] = counted.taken
            self._risen.add(id)
            self._dirty.add(id)

    def write(self, transaction: Transaction, part: str) -> None:
        """Write what came since the last time; may be done again until it went through."""
        for one in self._new:
            add_series(transaction, part, self.tenant, one)
        stands = ((id, self._total[id], self._seen[id]) for id in sorted(self._dirty))
        put_totals(transaction, part, self.tenant, stands)
        for frame in self._frames:
            add_frame(transaction, part, self.tenant, frame)

    def wrote(self) -> None:
        """All that was to be written is."""
        self._new.clear()
        self._dirty.clear()
        self._frames.clear()

    def forget(self, before: int) -> None:
        """Those that did not rise since a time (unix milliseconds) are there no more."""
        for id in [id for id, seen in self._seen.items() if seen < before]:
            del self._total[id], self._seen[id], self._owner[id]
            self._dirty.discard(id)
        owners = set(self._owner.values())
        self._heard = {one: at for one, at in self._heard.items() if one in owners}

    def __len__(self) -> int:
        return len(self._total)

    def _introduce(self, new: NewOwn, at: int) -> None:
        if new.id in self._total:
            return
        one = OwnSeries(id=new.id, owner=new.owner, labels=new.labels, born=at)
        self._add(one)
        self._new.append(one)
        self._born.add(new.id)

    def _add(self, one: OwnSeries) -> None:
        self._total[one.id], self._seen[one.id], self._owner[one.id] = (
            one.total,
            one.seen,
            one.owner,
        )
        self._heard[one.owner] = max(self._heard.get(one.owner, 0), one.seen)

    def _close(self, end: int) -> None:
        """A frame for each step up to one; what rose did so in the first that is not closed."""
        if not self.newest:
            self.newest = end
        if end <= self.newest:
            return
        step = self._step
        self._frame(self.newest + step)
        for at in range(max(self.newest + step, end - self._live), end + 1, step):
            self._frame(at)

    def _frame(self, at: int) -> None:
        is_due = (at // self._step) % _WHOLE_EVERY == 0
        is_whole = self._is_to_be_whole or at > self.newest + self._step or is_due
        ids = self._living(at) if is_whole else sorted(self._risen)
        self.newest, self._is_gap = at, is_whole and not ids
        self._is_to_be_whole = self._is_gap
        if not self._is_gap:
            self._frames.append(
                Frame(
                    at=at,
                    whole=is_whole,
                    ids=np.array(ids, np.int32),
                    values=np.array([self._total[id] for id in ids], np.float64),
                    born=np.array([id for id in ids if id in self._born], np.int32),
                )
            )
        self._risen.clear()
        self._born.clear()

    def _begin(self) -> None:
        """Where nothing lived: a frame that says so, from which on something does."""
        if self._is_gap:
            self._frames.append(_empty(self.newest))
            self._is_gap = False

    def _living(self, at: int) -> list[int]:
        since = at - self._live
        return sorted(id for id, owner in self._owner.items() if self._heard[owner] > since)


def _empty(at: int) -> Frame:
    return Frame(at=at, whole=True, ids=np.zeros(0, np.int32), values=np.zeros(0))
