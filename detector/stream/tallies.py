"""What the services of a tenant counted in each half hour of the last two weeks, over all pods.

Half hours are of the newest time that was seen, so that all depends on the samples and their order
alone, not on how they are cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.counting import Cell, Counting, Part
from detector.stream.members import ROOM, Members
from detector.stream.scoring import Arrays
from detector.stream.texts import read_texts, texts
from models.baseline.room import pages
from models.baseline.state import NEVER

__all__ = ["BLOCKS", "WIDTH_MS", "Tallies", "cells_of", "is_counted_alike", "restored_tallies"]

WIDTH_MS = 1_800_000
# Two weeks: of each time of a day ten working days and four of weekends.
BLOCKS = 14 * 48
_A_DAY = 48
_NOWHERE = -1
SCHEMA = 1


@dataclass(slots=True, kw_only=True)
class Tallies:
    """Changed in place by `introduce` and `take`; it has one owner at a time.

    `cells` in the order in which they came, `most` of them are kept and those beyond counted as
    `left_out`. `running` (C,) is the half hour `block` (unix ms / `WIDTH_MS`) so far, `ring`
    (BLOCKS, C) those that are over: half hour b in row b % BLOCKS, of those since `first`.
    """

    counting: Counting
    most: int
    size: int = 0
    left_out: int = 0
    cells: dict[Cell, int] = field(default_factory=dict)
    members: Members = field(default_factory=Members)
    watermark: int = int(NEVER)
    block: int = int(NEVER)
    first: int = int(NEVER)
    running: NDArray[np.float64] = field(default_factory=lambda: np.zeros(ROOM))
    believed: NDArray[np.float64] = field(default_factory=lambda: np.full(ROOM, -1.0))
    ring: NDArray[np.float32] = field(default_factory=lambda: np.zeros((BLOCKS, ROOM), np.float32))

    def introduce(self, series: Sequence[SeriesInfo], ids: Sequence[int] | None = None) -> None:
        """New series, before their samples; without `ids` they have the next ones.

        An id that another series had is the new one's alone.
        """
        own = range(self.size, self.size + len(series)) if ids is None else ids
        self.members.reach(max(own, default=-1) + 1)
        for id, one in zip(own, series, strict=True):
            self.size = max(self.size, id + 1)
            cell = self.counting.cell(one)
            number = _NOWHERE if cell is None else self.number(cell)
            if number == _NOWHERE:
                self.members.drop(id)
            else:
                self.members.put(id, number, is_delta=one.kind is SeriesKind.DELTA)

    def number(self, cell: Cell) -> int:
        """The number of a cell, a new one if need be; `_NOWHERE` beyond the most that are kept."""
        found = self.cells.get(cell)
        if found is not None:
            return found
        number = len(self.cells)
        if number >= self.most:
            self.left_out += 1
            return _NOWHERE
        if number == len(self.running):
            self._make_room(number * 3 // 2)
        self.cells[cell] = number
        return number

    def _make_room(self, cells: int) -> None:
        more = cells - len(self.running)
        self.running = np.concatenate([self.running, np.zeros(more)])
        self.believed = np.concatenate([self.believed, np.full(more, -1.0)])
        wider = pages((BLOCKS, cells), np.float32)
        _lay(self.ring, wider)
        self.ring = wider

    def take(self, columns: Columns) -> None:
        """Add what samples of known series grew by."""
        if not len(columns):
            return
        self.members.reach(int(columns.series.max()) + 1)
        marks = np.maximum(np.maximum.accumulate(columns.at), self.watermark)
        blocks = marks // WIDTH_MS
        cuts = (np.flatnonzero(np.diff(blocks)) + 1).tolist()
        for start, stop in pairwise([0, *cuts, len(blocks)]):
            self._enter(int(blocks[start]))
            self._add(columns, slice(start, stop))
        self.watermark = int(marks[-1])

    def _add(self, columns: Columns, span: slice) -> None:
        # The compiler is loaded with the first samples: a gate that gets none does without.
        from models.baseline.tally import tally

        own, value = self.members, columns.value[span]
        tally(
            own.place,
            own.cell,
            own.is_delta,
            own.last,
            own.seen,
            self.believed,
            self.running,
            columns.series[span],
            columns.at[span],
            value,
            value.view(np.uint64),
        )

    def _enter(self, block: int) -> None:
        """Close the half hours before this one."""
        if self.first == NEVER:
            self.first = self.block = block
        if block == self.block:
            return
        self.ring[self.block % BLOCKS] = self.running
        for empty in range(max(self.block + 1, block - BLOCKS), block):
            self.ring[empty % BLOCKS] = 0.0
        self._believe()
        self.running[:] = 0.0
        if block // _A_DAY != self.block // _A_DAY:
            self._forget()
        self.block = block
        self.first = max(self.first, block - BLOCKS)

    def _forget(self) -> None:
        """Let go of cells in which nothing is counted any more and nothing was for two weeks."""
        own = self.members
        rows = np.array([row for row, series in enumerate(own.series) if series >= 0], np.int64)
        kept: NDArray[np.bool_] = np.any(self.ring[:, : len(self.cells)], axis=0)
        kept[own.cell[rows]] = True
        if kept.all():
            return
        numbers = np.cumsum(kept) - 1
        own.cell[rows] = numbers[own.cell[rows]]
        cells = list(self.cells)
        self.cells = {cells[old]: new for new, old in enumerate(np.flatnonzero(kept).tolist())}
        for array in (self.running, self.believed, self.ring):
            self._move(array, kept)

    def _move(self, array: NDArray[Any], kept: NDArray[np.bool_]) -> None:
        """The columns that are kept to the front, nothing behind them."""
        count = int(kept.sum())
        array[..., :count] = array[..., : len(kept)][..., kept]
        array[..., count:] = -1.0 if array is self.believed else 0.0

    def _believe(self) -> None:
        """A counter that is new has counted since its birth, if no more than all did lately."""
        totals: dict[tuple[str, ...], float] = {}
        for cell, number in self.cells.items():
            if cell.part in {Part.GOOD, Part.BAD} or cell.edge == "+Inf":
                totals[cell.group] = totals.get(cell.group, 0.0) + float(self.running[number])
        for cell, number in self.cells.items():
            self.believed[number] = totals.get(cell.group, 0.0) or -1.0

    def past(self, numbers: Iterable[int], until_ms: int) -> tuple[int, NDArray[np.float32]]:
        """The half hours of some cells that ended by a time: the first one's number, and (K, C)."""
        last = min(self.block, until_ms // WIDTH_MS)
        rows = np.arange(min(self.first, last), last) % BLOCKS
        return min(self.first, last), self.ring[np.ix_(rows, np.array(list(numbers), np.int64))]

    def to_arrays(self) -> Arrays:
        """All that is held; arrays may be views."""
        cells, own = len(self.cells), self.members
        rows = np.argsort(np.array(own.series, np.int32), kind="stable")
        rows = rows[np.searchsorted(np.array(own.series, np.int32)[rows], 0) :]
        return {
            "tally": np.array([SCHEMA, self.watermark, self.block, self.first], np.int64),
            **texts("tally.cells", [word for cell in self.cells for word in astuple(cell)]),
            "tally.running": self.running[:cells],
            "tally.believed": self.believed[:cells],
            "tally.ring": self.ring[:, :cells],
            "tally.series": np.array(own.series, np.int32)[rows],
            "tally.last": own.last[rows],
            "tally.seen": own.seen[rows],
            "tally.cell": own.cell[rows],
            "tally.is_delta": own.is_delta[rows],
            "tally.rules": np.frombuffer(self.counting.mark, np.uint8),
        }


def cells_of(arrays: Arrays) -> list[Cell]:
    """The cells of a snapshot, in order; `tally.cells` of it are enough."""
    return list(_cells(read_texts("tally.cells", arrays)))


def is_counted_alike(arrays: Arrays, counting: Counting) -> bool:
    """Whether packs said the same when a snapshot was taken: then it tells all of its series."""
    rules = arrays.get("tally.rules")
    return rules is not None and rules.tobytes() == counting.mark


def restored_tallies(
    arrays: Arrays,
    series: Sequence[SeriesInfo],
    ids: Sequence[int] | None = None,
    *,
    counting: Counting,
    most: int,
) -> Tallies:
    """The tallies of a snapshot that has these series; `ValueError` for another's.

    What packs say now decides which series are counted: what is counted anew begins now. A
    snapshot without tallies begins all of them. Where `is_counted_alike` no series need be told.
    """
    made = Tallies(counting=counting, most=most)
    if "tally" not in arrays:
        made.introduce(series, ids)
        return made
    numbers = arrays["tally"].tolist()
    if numbers[0] != SCHEMA:
        raise ValueError(f"tallies have schema {numbers[0]}, this reads {SCHEMA}")
    _, made.watermark, made.block, made.first = numbers
    _fill_cells(made, arrays)
    if is_counted_alike(arrays, counting):
        made.members.fill(
            {
                name: arrays[f"tally.{name}"]
                for name in ("series", "cell", "is_delta", "last", "seen")
            }
        )
        made.size = len(made.members.place)
        return made
    made.introduce(series, ids)
    _fill_members(made.members, arrays)
    return made


def _fill_cells(made: Tallies, arrays: Arrays) -> None:
    for cell in cells_of(arrays):
        made.number(cell)
    count = len(made.cells)
    made.running[:count] = arrays["tally.running"]
    made.believed[:count] = arrays["tally.believed"]
    _lay(arrays["tally.ring"], made.ring)


def _lay(blocks: NDArray[np.float32], into: NDArray[np.float32]) -> None:
    """Half hours in which something was counted; others are zeros, and take no memory."""
    rows = np.flatnonzero(blocks.any(axis=1))
    into[rows, : blocks.shape[1]] = blocks[rows]


def _fill_members(members: Members, arrays: Arrays) -> None:
    """What was last seen of the series that were counted, and still are."""
    known = arrays["tally.series"]
    members.reach(int(known.max(initial=-1)) + 1)
    own = members.place[known]
    kept = own >= 0
    members.last[own[kept]] = arrays["tally.last"][kept]
    members.seen[own[kept]] = arrays["tally.seen"][kept]


def _cells(words: Sequence[str]) -> Iterator[Cell]:
    for service, namespace, cluster, pack, metric, part, edge in zip(
        *[iter(words)] * 7, strict=True
    ):
        yield Cell(service, namespace, cluster, pack, metric, Part(part), edge)
