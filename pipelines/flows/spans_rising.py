"""What the operator over spans has counted, as counters of our own that rise by it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detector.spans.names import Names
from detector.spans.red import red_of, samples_of, values_of
from detector.spans.state import SpanState
from pipelines.flows.logs_names import OwnNames, of_labels
from pipelines.flows.logs_record import Gains, NewOwn
from pipelines.stores.own import OwnSeries

__all__ = ["Rising"]

Whole = NDArray[np.int64]
# In place of an id of a counter.
_NOT_ASKED = -2


class Rising:
    """Remembers by how much each counter has risen; for one thread."""

    def __init__(self, known: Iterable[OwnSeries], *, most: int) -> None:
        self.names = OwnNames(known, most=most)
        self._of: Names | None = None
        self._slots: dict[int, int] = {}
        self._stood = np.zeros((0, 0))
        self._ids: Whole = np.zeros((0, 0), np.int64)
        self._since = 0

    def stands(self, state: SpanState) -> None:
        """All that was counted so far has risen."""
        rows, slots = self._rows(state, 0)
        if len(rows):
            self._stood[slots] = values_of(state, rows)
        self._since = state.last

    def risen(self, state: SpanState, now: int) -> tuple[Gains, tuple[NewOwn, ...]]:
        """By how much which counters rose since the last time, and those that are new."""
        rows, slots = self._rows(state, self._since)
        self._since = state.last
        if not len(rows):
            return Gains(), ()
        values = values_of(state, rows)
        was = self._stood[slots]
        # Who was idle for long was forgotten, and comes again.
        was[values[:, 0] < was[:, 0]] = 0.0
        self._name(state, rows, slots, now)
        by, ids = values - was, self._ids[slots]
        self._stood[slots] = values
        is_risen = (ids >= 0) & ((by > 0) | (was[:, :1] == 0))
        self.names.touch(ids[is_risen].tolist(), now)
        new = self.names.fresh()
        self.names.kept(len(new))
        return Gains(ids[is_risen].astype(np.int32).tobytes(), by[is_risen].tobytes()), new

    def _rows(self, state: SpanState, since: int) -> tuple[Whole, Whole]:
        """Rows of those that had a call since then, and where they stand here."""
        if state.names is not self._of:
            # Numbers of names were given anew: what they count begins anew, too.
            self._of, self._slots = state.names, {}
            self._stood, self._ids = np.zeros((0, 0)), np.zeros((0, 0), np.int64)
        tally = state.tally
        rows = np.flatnonzero(tally.last[: len(tally.rows)] >= since)
        keys = tally.rows.keys[rows].tolist()
        slots = [self._slots.setdefault(key, len(self._slots)) for key in keys]
        self._grow(values_of(state, rows[:0]).shape[1])
        return rows, np.array(slots, np.int64)

    def _grow(self, width: int) -> None:
        size = len(self._slots)
        if size > len(self._stood):
            room = max(2 * len(self._stood), size, 64)
            stood, ids = np.zeros((room, width)), np.full((room, width), _NOT_ASKED, np.int64)
            stood[: len(self._stood)] = self._stood.reshape(-1, width)
            ids[: len(self._ids)] = self._ids.reshape(-1, width)
            self._stood, self._ids = stood, ids

    def _name(self, state: SpanState, rows: Whole, slots: Whole, now: int) -> None:
        """Ids for those that have none yet."""
        nameless = self._ids[slots, 0] == _NOT_ASKED
        found = red_of(state, rows[nameless])
        for slot, one in zip(slots[nameless].tolist(), found, strict=True):
            self._ids[slot] = [
                self.names.id_of(of_labels(name, labels), one.origin, now)
                for name, labels, _ in samples_of(one)
            ]
