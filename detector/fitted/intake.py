"""Samples of series as they come, and of each what it was at the steps of its service."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns, is_stale
from detector.stream.state import NEVER
from models.baseline.room import Column, Room

__all__ = ["LOOKBACK_MS", "Intake"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# A sample stands for its series so long, as where models are fitted.
LOOKBACK_MS = 300_000
_COLUMNS = {
    "series": Column(dtype=np.int32, fill=-1),
    "unit": Column(dtype=np.int32),
    "more": Column(dtype=np.int32, fill=-1),
    "is_delta": Column(dtype=np.bool_),
    "sum": Column(dtype=np.float64),
    "before": Column(dtype=np.float64, fill=np.nan),
    "now": Column(dtype=np.float64, fill=np.nan),
    "now_at": Column(dtype=np.int64, fill=NEVER),
    "next": Column(dtype=np.float64, fill=np.nan),
    "next_at": Column(dtype=np.int64, fill=NEVER),
}
_FIRST = {"first": Column(dtype=np.int32, fill=-1)}
KEPT = ("sum", "before", "now", "now_at", "next", "next_at")


class Intake:
    """A row for each series of each service; a series may be of several.

    Of a row `before` is the value at the step before the open one, `now` the newest up to the end
    of the open step (`ends` by service), `next` the newest of the step after it. What comes later
    than that is not there yet: a service's step is closed first. `sum` adds up a series whose
    samples are increases, so that it is a counter as the others.
    """

    def __init__(self) -> None:
        self._rows, self._first = Room(_COLUMNS), Room(_FIRST)
        self._spare: list[int] = []
        self.ends: Rows = np.zeros(0, np.int64)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """A column of all rows; a view until rows are added."""
        return self._rows[name]

    @property
    def size(self) -> int:
        """Rows in use."""
        return self._rows.size - len(self._spare)

    def add(self, unit: int, series: int, *, is_delta: bool) -> int:
        """One more series of a service; its row."""
        if series >= self._first.size:
            self._first.grow(series + 1 - self._first.size)
        if not self._spare:
            self._rows.grow(1)
        row = self._spare.pop() if self._spare else self._rows.size - 1
        self._rows.clear(np.array([row]))
        self["series"][row], self["unit"][row], self["is_delta"][row] = series, unit, is_delta
        self["more"][row] = self._first["first"][series]
        self._first["first"][series] = row
        return row

    def of(self, series: int) -> list[int]:
        """The rows of a series."""
        found = list[int]()
        row = int(self._first["first"][series]) if series < self._first.size else -1
        while row >= 0:
            found.append(row)
            row = int(self["more"][row])
        return found

    def drop(self, series: int, units: Sequence[int] | None = None) -> list[tuple[int, int]]:
        """Let a series be of no service, or of none of these; (service, row) of what is gone."""
        kept, gone = list[int](), list[tuple[int, int]]()
        for row in self.of(series):
            unit = int(self["unit"][row])
            if units is None or unit in units:
                gone.append((unit, row))
            else:
                kept.append(row)
        if gone:
            for row, after in pairwise([*kept, -1]):
                self["more"][row] = after
            self._first["first"][series] = kept[0] if kept else -1
            self["series"][[row for _, row in gone]] = -1
            self._spare += [row for _, row in gone]
        return gone

    def take(self, columns: Columns) -> None:
        """Samples in their order, none of a step beyond the next one of its service."""
        held = columns.series < self._first.size
        rows = np.full(len(columns), -1, np.int64)
        rows[held] = self._first["first"][columns.series[held]]
        while True:
            at = np.flatnonzero(rows >= 0)
            if not len(at):
                return
            self._put(rows[at], columns.at[at], columns.value[at])
            rows[at] = self["more"][rows[at]]

    def _put(self, rows: Rows, at: Rows, value: Floats) -> None:
        order = np.argsort(at, kind="stable")
        rows, at, value = rows[order], at[order], value[order]
        known = np.maximum(self["now_at"][rows], self["next_at"][rows])
        is_new = (at > known) & (np.isfinite(value) | is_stale(value))
        rows, at, value = rows[is_new], at[is_new], value[is_new]
        is_now = at <= self.ends[self["unit"][rows]]
        for name, part in (("now", is_now), ("next", ~is_now)):
            own = rows[part]
            self[name][own] = self._counted(own, value[part])
            self[f"{name}_at"][own] = at[part]

    def _counted(self, rows: Rows, value: Floats) -> Floats:
        """Values as they are, and sums of increases; the last of a row is what stays of it."""
        is_delta = self["is_delta"][rows].astype(np.bool_)
        if not is_delta.any():
            return value
        np.add.at(self["sum"], rows[is_delta], np.nan_to_num(np.maximum(value[is_delta], 0.0)))
        return np.where(is_delta, self["sum"][rows], value)

    def values(self, rows: Rows, end: int) -> tuple[Floats, Floats]:
        """At the step before the one that ends, and at its end; NaN where nothing is known."""
        is_fresh = self["now_at"][rows] > end - LOOKBACK_MS
        return self["before"][rows], np.where(is_fresh, self["now"][rows], np.nan)

    def close(self, unit: int, rows: Rows, end: int, step_ms: int) -> None:
        """The next step of a service is the open one."""
        _, now = self.values(rows, end)
        self["before"][rows] = now
        moved = rows[self["next_at"][rows] != NEVER]
        for name in ("", "_at"):
            self[f"now{name}"][moved] = self[f"next{name}"][moved]
        self["next"][rows], self["next_at"][rows] = np.nan, NEVER
        self.ends[unit] = end + step_ms
