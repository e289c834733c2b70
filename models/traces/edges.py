"""Calls between two ends, counted for good and over the last minutes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.rows import NO_ROW, Rows, no_rows, row_of, rows_of
from models.traces.tally import added, place_of

__all__ = ["ALWAYS", "BEFORE", "NOW", "Edges", "count_edge", "no_edges", "turned", "without_idle"]

# Of three windows: since ever, this one, the one before.
ALWAYS, NOW, BEFORE = range(3)


class Edges(NamedTuple):
    """E pairs of a caller and a callee, whose numbers are the halves of a key.

    `calls`, `failed`, `total` int64 (3, E), `within` int64 (3, E, B + 1) as in `Tally`, by window;
    `last` int64 (E,) milliseconds; `used` int64 (2,): since when this window is, and how many calls
    had no room.
    """

    rows: Rows
    calls: NDArray[np.int64]
    failed: NDArray[np.int64]
    total: NDArray[np.int64]
    within: NDArray[np.int64]
    last: NDArray[np.int64]
    used: NDArray[np.int64]
    bounds: NDArray[np.int64]


def no_edges(most: int, bounds: NDArray[np.int64]) -> Edges:
    """None yet."""
    return Edges(
        rows=no_rows(most),
        calls=np.zeros((3, most), dtype=np.int64),
        failed=np.zeros((3, most), dtype=np.int64),
        total=np.zeros((3, most), dtype=np.int64),
        within=np.zeros((3, most, len(bounds) + 1), dtype=np.int64),
        last=np.zeros(most, dtype=np.int64),
        used=np.zeros(2, dtype=np.int64),
        bounds=bounds,
    )


def turned(edges: Edges, at: int) -> None:
    """Begin another window."""
    for counts in (edges.calls, edges.failed, edges.total, edges.within):
        counts[BEFORE] = counts[NOW]
        counts[NOW] = 0
    edges.used[0] = at


def without_idle(edges: Edges, before: int) -> Edges:
    """The pairs alone that had a call since then."""
    kept = np.flatnonzero(edges.last[: len(edges.rows)] >= before)
    most = len(edges.last)
    new = no_edges(most, edges.bounds)._replace(
        rows=rows_of(edges.rows.keys[kept], most), used=edges.used.copy()
    )
    for name in ("calls", "failed", "total", "within"):
        getattr(new, name)[:, : len(kept)] = getattr(edges, name)[:, kept]
    new.last[: len(kept)] = edges.last[kept]
    return new


@uncounted
def count_edge(
    caller: int, callee: int, duration: int, has_failed: int, at: int, edges: Edges
) -> None:
    """Count a call."""
    row = row_of(int((np.int64(caller) << 32) | np.int64(callee)), edges.rows)
    if row == NO_ROW:
        edges.used[1] += 1
        return
    place = place_of(duration, edges.bounds)
    for window in range(2):
        edges.calls[window, row] += 1
        edges.failed[window, row] += has_failed
        edges.total[window, row] = added(edges.total[window, row], duration)
        edges.within[window, row, place] += 1
    edges.last[row] = at
