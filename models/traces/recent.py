"""The last spans as they came, in a ring, from which whole traces are gathered."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.mixing import mixed

__all__ = ["Recent", "gather", "no_recent", "remember"]


class Recent(NamedTuple):
    """C spans, one of which is overwritten by each that comes.

    `whole` uint64 (C,): the trace as one number, 0 where there is none; `span`, `parent` ids;
    `start`, `duration` nanoseconds; `kind`, `failed`; `operation`, `node` numbers. `written` int64
    (1,): how many there ever were.
    """

    whole: NDArray[np.uint64]
    span: NDArray[np.uint64]
    parent: NDArray[np.uint64]
    start: NDArray[np.int64]
    duration: NDArray[np.int64]
    kind: NDArray[np.uint8]
    failed: NDArray[np.bool_]
    operation: NDArray[np.int32]
    node: NDArray[np.int32]
    written: NDArray[np.int64]


def no_recent(most: int) -> Recent:
    """None yet."""
    return Recent(
        whole=np.zeros(most, dtype=np.uint64),
        span=np.zeros(most, dtype=np.uint64),
        parent=np.zeros(most, dtype=np.uint64),
        start=np.zeros(most, dtype=np.int64),
        duration=np.zeros(most, dtype=np.int64),
        kind=np.zeros(most, dtype=np.uint8),
        failed=np.zeros(most, dtype=np.bool_),
        operation=np.zeros(most, dtype=np.int32),
        node=np.zeros(most, dtype=np.int32),
        written=np.zeros(1, dtype=np.int64),
    )


@uncounted
def remember(new: Recent, is_kept: NDArray[np.bool_], recent: Recent) -> None:
    """Write those of some spans that are kept."""
    most = len(recent.whole)
    for row in range(len(new.whole)):
        if not is_kept[row]:
            continue
        place = recent.written[0] % most
        recent.whole[place] = new.whole[row]
        recent.span[place], recent.parent[place] = new.span[row], new.parent[row]
        recent.start[place], recent.duration[place] = new.start[row], new.duration[row]
        recent.kind[place], recent.failed[place] = new.kind[row], new.failed[row]
        recent.operation[place], recent.node[place] = new.operation[row], new.node[row]
        recent.written[0] += 1


def gather(wholes: NDArray[np.uint64], recent: Recent) -> NDArray[np.int64]:
    """Places of all spans of some traces, in the order in which they came."""
    table = np.zeros(1 << (4 * len(wholes)).bit_length(), dtype=np.uint64)
    most, written = len(recent.whole), int(recent.written[0])
    places = np.zeros(min(most, written), dtype=np.int64)
    count = _gather(wholes, table, recent, places)
    return places[:count]


@uncounted
def _gather(
    wholes: NDArray[np.uint64],
    table: NDArray[np.uint64],
    recent: Recent,
    places: NDArray[np.int64],
) -> int:
    for whole in wholes:
        table[_place(whole, table)] = whole
    count = 0
    first = recent.written[0] - len(places)
    for nth in range(len(places)):
        place = (first + nth) % len(recent.whole)
        whole = recent.whole[place]
        if table[_place(whole, table)] == whole:
            places[count] = place
            count += 1
    return count


@uncounted
def _place(whole: np.uint64, table: NDArray[np.uint64]) -> int:
    mask = np.uint64(len(table) - 1)
    here = mixed(whole) & mask
    while table[here] != np.uint64(0) and table[here] != whole:
        here = (here + np.uint64(1)) & mask
    return int(here)
