"""Lines by bin, template, origin and level: each combination once, with how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import LogLines

__all__ = ["Binned", "binned"]

# Farther from the first line of a batch than so many bins is as far as that: a clock is wrong.
_MOST_BINS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """M rows, each combination once; `number` is of the template."""

    at: NDArray[np.int64]
    number: NDArray[np.int32]
    origin: NDArray[np.int32]
    level: NDArray[np.uint8]
    count: NDArray[np.int64]


def binned(lines: LogLines, number: NDArray[np.int32], step_ms: int) -> Binned:
    """Lines, whose templates have these numbers, counted by the bins of `step_ms` that they lie in.

    Rows are in the order of time, template, origin and level.
    """
    bins = lines.at // step_ms
    first = int(np.median(bins)) if len(bins) else 0
    bins = np.clip(bins - first, -_MOST_BINS, _MOST_BINS)
    columns = (bins, number, lines.origin, lines.level)
    _, line, count = np.unique(_keys(columns), return_index=True, return_counts=True)
    return Binned(
        at=(bins[line] + first) * step_ms,
        number=number[line],
        origin=lines.origin[line],
        level=lines.level[line],
        count=count.astype(np.int64),
    )


def _keys(columns: tuple[NDArray[Any], ...]) -> NDArray[np.int64]:
    """One whole number for each row, ordered as the columns are, the first one first."""
    size = len(columns[0])
    keys = np.zeros(size, np.int64)
    room = 1
    for column in reversed(columns):
        _, place = np.unique(column, return_inverse=True)
        keys += room * place.astype(np.int64)
        room *= int(place.max(initial=0)) + 1
    return keys
