"""Calls that were served as samples of the stream: which share failed, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping
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
_NOBODY = np.zeros((0, 2), np.int32)


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

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that is held."""
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
            self._add(counted.served, counted.taken)
        return found

    def _add(self, served: Served, at: int) -> None:
        ids = np.frombuffer(served.ids, np.int32).reshape(-1, 2, 2)
        came = np.stack(
            [np.frombuffer(column, np.int64) for column in (served.calls, served.failed)], axis=1
        )
        of = np.frombuffer(served.of, np.int32)
        bins, count = np.frombuffer(served.bin, np.uint8), np.frombuffer(served.count, np.int32)
        for whose in (0, 1):
            rows = np.array([self._row(*pair) for pair in ids[:, whose].tolist()], np.int64)
            is_told = rows >= 0
            np.add.at(self._counts[:, :2], rows[is_told], came[is_told])
            is_told = rows[of] >= 0
            np.add.at(self._spread, (rows[of][is_told], bins[is_told]), count[is_told])
            rows = rows[rows >= 0]
            self._counts[rows, 2] = np.where(self._counts[rows, 2] == 0, at, self._counts[rows, 2])
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
