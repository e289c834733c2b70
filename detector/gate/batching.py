"""Which boundaries are scored at once: those alike, as many as a processor's cache holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.sequential.running import Path, Stretch

__all__ = ["BATCH", "alike", "batches", "places"]

# Boundaries of a signal scored at once: 5 rows, 8 templates, 70 effects of each: two megabytes.
BATCH = 80


def alike(keys: NDArray[np.int64], limit: int) -> Iterator[tuple[int, Any]]:
    """Each key with the places that have it, as many at a time as a processor's cache holds.

    Mostly all have the same, and places are slices of all.
    """
    first = int(keys.flat[0]) if keys.size else 0
    if (keys == first).all():
        for begin in range(0, len(keys), limit):
            yield first, slice(begin, begin + limit)
        return
    for key in sorted(set(keys.ravel().tolist())):
        places = np.nonzero(keys == key)
        for begin in range(0, len(places[0]), BATCH):
            yield key, tuple(place[begin : begin + BATCH] for place in places)


def batches(path: Path, stretches: Sequence[Stretch], limit: int) -> list[tuple[int, list[int]]]:
    """Numbers of stretches of one width that are scored at once: what a processor's cache holds.

    A poll has one boundary of each start, an attempt read from raw all of them.
    """
    found: list[tuple[int, list[int]]] = []
    newest: dict[int, list[int]] = {}
    rows: dict[int, int] = {}
    for number, stretch in enumerate(stretches):
        width, count = path.width(stretch.before), stretch.end - stretch.begin
        if width not in newest or rows[width] + count > limit:
            newest[width], rows[width] = [], 0
            found.append((width, newest[width]))
        newest[width].append(number)
        rows[width] += count
    return found


def places(stretches: Sequence[Stretch]) -> list[NDArray[np.int64]]:
    """Rows of each stretch where all of them lie one after the other."""
    rows, end = [], 0
    for stretch in stretches:
        begin, end = end, end + stretch.end - stretch.begin
        rows.append(np.arange(begin, end))
    return rows
