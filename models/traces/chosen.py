"""Which of many are looked at closely: a few by lot, the slowest, and some that failed.

By lot are those whose numbers, mixed with a seed, are the smallest (bottom-k, Cohen and Kaplan,
PODC 2007): whatever the order, the same are chosen, and each as likely as any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.rows import NO_ROW, Rows, no_rows, row_of, rows_of

__all__ = ["BY_LOT", "FAILED", "SLOWEST", "Slots", "choose", "no_slots", "without_past"]

# Why one was chosen; reasons add up.
BY_LOT, SLOWEST, FAILED = 1, 2, 4
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


class Slots(NamedTuple):
    """G groups, each with some places for a minute: `minute` int64 (G,).

    `lot` uint64 (G, K) the numbers drawn, `slow` int64 (G, S) durations, `failed` uint64 (G, F)
    numbers of those that failed.
    """

    rows: Rows
    minute: NDArray[np.int64]
    lot: NDArray[np.uint64]
    slow: NDArray[np.int64]
    failed: NDArray[np.uint64]


def no_slots(most: int, sizes: tuple[int, int, int]) -> Slots:
    """None yet; room for `most` groups, with places by lot, for the slowest and for failed ones."""
    return Slots(
        rows=no_rows(most),
        minute=np.full(most, -1, dtype=np.int64),
        lot=np.zeros((most, sizes[0]), dtype=np.uint64),
        slow=np.zeros((most, sizes[1]), dtype=np.int64),
        failed=np.zeros((most, sizes[2]), dtype=np.uint64),
    )


def without_past(slots: Slots, before: int) -> Slots:
    """The groups alone that had one to choose since a minute."""
    kept = np.flatnonzero(slots.minute[: len(slots.rows)] >= before)
    most = len(slots.minute)
    sizes = (slots.lot.shape[1], slots.slow.shape[1], slots.failed.shape[1])
    new = no_slots(most, sizes)._replace(rows=rows_of(slots.rows.keys[kept], most))
    for name in ("minute", "lot", "slow", "failed"):
        getattr(new, name)[: len(kept)] = getattr(slots, name)[kept]
    return new


@uncounted
def choose(
    group: NDArray[np.int64],
    number: NDArray[np.uint64],
    duration: NDArray[np.int64],
    failed: NDArray[np.bool_],
    minute: int,
    slots: Slots,
    why: NDArray[np.uint8],
) -> int:
    """Say of each of N why it is chosen, 0 where it is not; a later one may take its place.

    `group` int64 (N,) is negative where it is not to be looked at. How many had no room for their
    group is given back.
    """
    lost = 0
    for nth in range(len(group)):
        why[nth] = 0
        if group[nth] < 0:
            continue
        row = row_of(group[nth], slots.rows)
        if row == NO_ROW:
            lost += 1
            continue
        if slots.minute[row] != minute:
            _begin(row, minute, slots)
        if _lower(number[nth], slots.lot[row]):
            why[nth] |= BY_LOT
        if _higher(duration[nth], slots.slow[row]):
            why[nth] |= SLOWEST
        if failed[nth] and _lower(number[nth], slots.failed[row]):
            why[nth] |= FAILED
    return lost


@uncounted
def _begin(row: int, minute: int, slots: Slots) -> None:
    slots.minute[row] = minute
    slots.lot[row, :] = _ALL
    slots.slow[row, :] = -1
    slots.failed[row, :] = _ALL


@uncounted
def _lower(number: np.uint64, places: NDArray[np.uint64]) -> bool:
    """Take the place of the highest, if it is lower."""
    highest = 0
    for place in range(len(places)):
        if places[place] > places[highest]:
            highest = place
    if number >= places[highest]:
        return False
    places[highest] = number
    return True


@uncounted
def _higher(duration: int, places: NDArray[np.int64]) -> bool:
    """Take the place of the lowest, if it is higher."""
    lowest = 0
    for place in range(len(places)):
        if places[place] < places[lowest]:
            lowest = place
    if duration <= places[lowest]:
        return False
    places[lowest] = duration
    return True
