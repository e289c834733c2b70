"""What queries said of each hour, read once: later only what is new is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from detector.series import FloatArray
from pipelines.capacity.grid import Grid, Labels, rows_of, whole
from pipelines.capacity.ranges import Ranges

__all__ = ["Remembered"]

# The newest hours are read again: a source may get samples late.
_AGAIN = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    grid: Grid
    chosen: frozenset[Labels]
    rows: dict[Labels, FloatArray]


@dataclass(slots=True)
class Remembered:
    """Rows of queries by hour or day; of one thread."""

    ranges: Ranges
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def rows(
        self,
        query: str,
        grid: Grid,
        *,
        chosen: frozenset[Labels],
        keep: Callable[[Labels], bool],
        timeout_s: float,
    ) -> dict[Labels, FloatArray]:
        """What a query says on a grid of the series that are kept; `SourceError`.

        All is read again where more is chosen than was before.
        """
        kept = self._kept.get(query)
        known = _moved(kept, grid) if kept is not None and chosen <= kept.chosen else None
        since = 0 if known is None else known[1]
        answer = self.ranges.ranged(
            query,
            grid.ends[since],
            grid.ends[-1],
            step_s=float(grid.step_s),
            timeout_s=timeout_s,
        )
        rows = {} if known is None else known[0]
        for labels, row in rows_of(whole(answer), grid).items():
            if keep(labels):
                held = rows.setdefault(labels, np.full(grid.count, math.nan))
                held[since:] = row[since:]
        self._kept[query] = _Kept(grid, chosen, rows)
        return {labels: row.copy() for labels, row in rows.items()}

    def forget(self, queries: frozenset[str]) -> None:
        """Keep nothing but of these."""
        self._kept = {query: kept for query, kept in self._kept.items() if query in queries}


def _moved(kept: _Kept, grid: Grid) -> tuple[dict[Labels, FloatArray], int] | None:
    """Rows on a later grid with the position from which on they are to be read; None if none is."""
    by = (grid.end - kept.grid.end) // grid.step_s
    alike = (kept.grid.step_s, kept.grid.count) == (grid.step_s, grid.count)
    if not alike or not 0 <= by < grid.count - _AGAIN:
        return None
    fresh = np.full(by, math.nan)
    since = grid.count - by - _AGAIN
    rows = {labels: np.concatenate([row[by:], fresh]) for labels, row in kept.rows.items()}
    for row in rows.values():
        row[since:] = math.nan
    return rows, since
