"""Calls that were served as samples of the stream: which share failed, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.spans.spread import BINS, quantile_s
from detector.stream.columns import Columns
from pipelines.flows.logs_rates import QUIET_MS
from pipelines.flows.logs_record import Counted
from pipelines.flows.spans_record import Served
from pipelines.stores.own import STEP_MS

__all__ = ["LEAST", "QUANTILE", "ServedRates"]

QUANTILE = 0.95
# Of fewer calls neither is told: those of the next steps are added to them, until the first of them
# came so long ago.
LEAST = 20
_LONGEST_MS = 600_000
_PREFIX = "served."
# Batches that wait to be added.
_AT_ONCE = 256
Whole = NDArray[np.int64]
_NOBODY = np.zeros((0, 2), np.int32)


@dataclass(frozen=True, slots=True)
class _Came:
    """A batch as arrays: `ids` (P, 2, 2), `counts` (P, 2), `place`, `bins`, `count` (K,)."""

    at: int
    ids: NDArray[np.int32]
    counts: Whole
    place: NDArray[np.int32]
    bins: NDArray[np.uint8]
    count: NDArray[np.int32]

    @classmethod
    def of(cls, served: Served, at: int) -> _Came:
        calls, failed = (np.frombuffer(one, np.int64) for one in (served.calls, served.failed))
        return cls(
            at,
            np.frombuffer(served.ids, np.int32).reshape(-1, 2, 2),
            np.stack([calls, failed], axis=1),
            np.frombuffer(served.of, np.int32),
            np.frombuffer(served.bin, np.uint8),
            np.frombuffer(served.count, np.int32),
        )


class ServedRates:
    """What was served since the last sample, of services and operations; plain arrays.

    `ids` int32 (R, 2): the series of the share and of latency. `counts` int64 (R, 4): calls, those
    that failed, when the first of them came and when the last one did. `spread` int32 (R, `BINS`).
    """

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]] | None = None, *, step_ms: int = STEP_MS
    ) -> None:
        held, self._step = arrays or {}, step_ms
        self._ids = held.get(_PREFIX + "ids", _NOBODY).copy()
        self._counts = held.get(_PREFIX + "counts", np.zeros((0, 4), np.int64)).copy()
        self._spread = held.get(_PREFIX + "spread", np.zeros((0, BINS), np.int32)).copy()
        self._newest = int(held.get(_PREFIX + "newest", np.zeros(1, np.int64))[0])
        self._rows = {latency: row for row, latency in enumerate(self._ids[:, 1].tolist())}
        self._waiting: list[tuple[Served, int]] = []

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that is held."""
        self._add()
        size = len(self)
        return {
            _PREFIX + "ids": self._ids[:size].copy(),
            _PREFIX + "counts": self._counts[:size].copy(),
            _PREFIX + "spread": self._spread[:size].copy(),
            _PREFIX + "newest": np.array([self._newest], np.int64),
        }

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, counted: Counted) -> Columns | None:
        """Add what came; the samples of the step that is over, None without any."""
        found = self._closed(counted.taken - counted.taken % self._step)
        if counted.served is not None:
            self._waiting.append((counted.served, counted.taken))
            if len(self._waiting) >= _AT_ONCE:
                self._add()
        return found

    def _add(self) -> None:
        """Add what waits, all at once: by itself each batch costs as much as many."""
        if not self._waiting:
            return
        came = [_Came.of(served, at) for served, at in self._waiting]
        self._waiting.clear()
        ids = np.concatenate([one.ids for one in came])
        counts = np.concatenate([one.counts for one in came])
        sizes = [len(one.ids) for one in came]
        at = np.repeat([one.at for one in came], sizes)
        starts = np.repeat(np.cumsum([0, *sizes[:-1]]), [len(one.place) for one in came])
        of = np.concatenate([one.place for one in came]) + starts
        bins, count = (
            np.concatenate([one.bins for one in came]),
            np.concatenate([one.count for one in came]),
        )
        for whose in (0, 1):
            rows = np.array([self._row(*pair) for pair in ids[:, whose].tolist()], np.int64)
            is_told = rows[of] >= 0
            np.add.at(self._spread, (rows[of][is_told], bins[is_told]), count[is_told])
            self._count(rows[rows >= 0], counts[rows >= 0], at[rows >= 0])

    def _count(self, rows: Whole, counts: Whole, at: Whole) -> None:
        """Of what is told twice the first is the first, and the last the last."""
        np.add.at(self._counts[:, :2], rows, counts)
        is_first = self._counts[rows, 2] == 0
        self._counts[rows[is_first][::-1], 2] = at[is_first][::-1]
        self._counts[rows, 3] = at

    def _row(self, failed: int, latency: int) -> int:
        if latency < 0:
            return -1
        row = self._rows.setdefault(latency, len(self._rows))
        if row >= len(self._ids):
            self._ids, self._counts, self._spread = map(
                _roomier, (self._ids, self._counts, self._spread)
            )
        self._ids[row] = failed, latency
        return row

    def _closed(self, end: int) -> Columns | None:
        """Samples of those that have enough, at the end of the first step that was open."""
        if not self._newest:
            self._newest = end
        if end <= self._newest:
            return None
        self._add()
        at, self._newest = self._newest + self._step, end
        is_enough = self._counts[: len(self), 0] >= LEAST
        ready = np.flatnonzero(is_enough)
        found = None
        if len(ready):
            share = self._counts[ready, 1] / self._counts[ready, 0]
            found = Columns(
                series=self._ids[ready].T.ravel().astype(np.int32),
                at=np.full(2 * len(ready), at, np.int64),
                value=np.concatenate([share, quantile_s(self._spread[ready], QUANTILE)]),
            )
        old = self._counts[: len(self), 2] <= end - _LONGEST_MS
        self._forget(is_enough | old, end)
        return found

    def _forget(self, is_over: NDArray[np.bool_], end: int) -> None:
        """Those that were told, or that are too old, begin anew; who is quiet for long leaves."""
        size = len(self)
        self._counts[:size][is_over, :3] = 0
        self._spread[:size][is_over] = 0
        stays = np.flatnonzero(self._counts[:size, 3] > end - QUIET_MS)
        if len(stays) < size:
            self._ids, self._counts, self._spread = (
                table[stays] for table in (self._ids, self._counts, self._spread)
            )
            self._rows = {latency: row for row, latency in enumerate(self._ids[:, 1].tolist())}


def _roomier(table: NDArray[Any]) -> NDArray[Any]:
    """The same with room for twice as many rows."""
    more = np.zeros((max(len(table), 16), table.shape[1]), table.dtype)
    return np.concatenate([table, more])
