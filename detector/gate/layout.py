"""Which retained cells add up to which rows of a frame; made anew when the roster changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.gate.roster import Cell, Roster
from detector.series import FloatArray
from detector.signals.plan import ArmName, BoundSignal
from detector.signals.signal import Kind, Shape

__all__ = ["Ladders", "Layout", "Side", "Sum"]

Ints = NDArray[np.int64]
_Numbered: TypeAlias = list[tuple[int, Cell]]


class Sum:
    """Rows as sums of cells: passes without repeated rows, in the order of the cells.

    A pass is which rows it adds to (None: each, in order) and where its cells were gathered.
    """

    def __init__(self, rows: Ints, cells: Ints, size: int, gathered: list[Ints]) -> None:
        self.size = size
        self.passes: list[tuple[Ints | None, slice]] = []
        begin = sum(map(len, gathered))
        while len(rows):
            at, first = np.unique(rows, return_index=True)
            gathered.append(cells[first])
            whole = len(at) == size
            self.passes.append((None if whole else at, slice(begin, begin + len(at))))
            begin += len(at)
            rows, cells = np.delete(rows, first), np.delete(cells, first)

    def of(self, gathered: FloatArray) -> FloatArray:
        """The sums, (size, bins); not to be written to."""
        if self.passes and self.passes[0][0] is None:
            out, rest = gathered[self.passes[0][1]], self.passes[1:]
            if rest:
                out = out.copy()
        else:
            out, rest = np.zeros((self.size, gathered.shape[1])), self.passes
        for at, part in rest:
            if at is None:
                out += gathered[part]
            else:
                out[at] += gathered[part]
        return out

    def levels_of(self, gathered: FloatArray) -> FloatArray:
        """The sums of what is known, NaN where nothing is."""
        if len(self.passes) == 1 and self.passes[0][0] is None:
            return gathered[self.passes[0][1]]
        out = np.full((self.size, gathered.shape[1]), np.nan)
        for at, part in self.passes:
            more, rows = gathered[part], slice(None) if at is None else at
            out[rows] = np.where(np.isnan(out[rows]), more, out[rows] + np.nan_to_num(more))
        return out


class Layout:
    """The roster's pods and cells arranged for frames; `edges` are those of bucketed families."""

    def __init__(self, roster: Roster, edges: Mapping[int, FloatArray]) -> None:
        counts: list[Ints] = []
        levels: list[Ints] = []
        shown = [at for at, pod in enumerate(roster.pods) if pod.born < math.inf]
        shown.sort(key=lambda at: (roster.pods[at].born, roster.pods[at].name))
        cells = _by_family(roster.cells, roster), _by_family(roster.level_cells, roster)
        self.sides = tuple(
            Side(
                roster,
                [at for at in shown if roster.pods[at].arm is arm],
                edges,
                cells,
                (counts, levels),
            )
            for arm in (ArmName.CANARY, ArmName.CONTROL)
        )
        self.targets = sorted({e.target for e in roster.entries if e.family == 0})
        self._counts, self._levels = _one(counts), _one(levels)
        self.talk = _Talk(roster, self.sides)

    def gathered(self, counts: Cells, levels: Cells) -> tuple[FloatArray, FloatArray]:
        """All cells that any sum needs, in the order in which the sums find them."""
        return counts.rows(self._counts), levels.rows(self._levels)


class _Talk:
    """Which cells of log lines are whose: template, pod of its arm, and whether a canary's."""

    def __init__(self, roster: Roster, sides: tuple[Side, ...]) -> None:
        places = {
            at: (row, canary)
            for side, canary in zip(sides, (True, False), strict=True)
            for row, at in enumerate(side.pods.tolist())
        }
        found = [
            (cell, template, *places[pod])
            for cell, (pod, template) in enumerate(roster.talk.of_cell)
            if pod in places
        ]
        self.cells, self.template, self.pod, canary = (
            np.array(found, np.int64).reshape(-1, 4).T.copy()
        )
        self.canary = canary > 0


def _by_family(cells: list[Cell], roster: Roster) -> list[_Numbered]:
    """The cells of each family with their numbers."""
    found: list[_Numbered] = [[] for _ in roster.roles]
    for number, cell in enumerate(cells):
        found[cell.family].append((number, cell))
    return found


def _one(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


class Side:
    """One arm: its pods in order, the sums by family, and which signals have any series."""

    def __init__(
        self,
        roster: Roster,
        pods: list[int],
        edges: Mapping[int, FloatArray],
        cells: tuple[list[_Numbered], list[_Numbered]],
        gathered: tuple[list[Ints], list[Ints]],
    ) -> None:
        self.pods = np.array(pods, np.int64)
        self.names = tuple(roster.pods[at].name for at in pods)
        self.edges = edges
        self._roster, self._gathered = roster, gathered
        self._cells, level_cells = cells
        self._row = {at: row for row, at in enumerate(pods)}
        families = range(len(roster.roles))
        self.clocks = [self._counted(f, lambda part: part is None) for f in families]
        self.totals = [self._counted(f, lambda part: isinstance(part, tuple)) for f in families]
        self.bad = {
            (f, at): self._counted(f, _flagged(at))
            for f, role in enumerate(roster.roles)
            for at in range(len(role.bad))
        }
        self.levels = [
            self._sum(*self._picked(level_cells[f], lambda part: part is None), level=True)
            for f in families
        ]
        self.buckets = {f: self._bucketed(f, found) for f, found in edges.items()}
        self.signals = [bound for bound in roster.plan.signals if self._has(bound)]

    def _has(self, bound: BoundSignal) -> bool:
        """Whether any series of the signal belongs to the arm's pods."""
        index, events = self._roster.index, bound.signal.kind is Kind.EVENTS
        families = [index[f] for f in (bound.total, *(bound.also if events else ()))]
        return any(self.clocks[f].passes or self.levels[f].passes for f in families)

    def _counted(self, family: int, which: Callable[[object], bool]) -> Sum:
        return self._sum(*self._picked(self._cells[family], which), level=False)

    def _sum(self, rows: Ints, cells: Ints, *, level: bool, width: int = 1) -> Sum:
        return Sum(rows, cells, width * len(self.pods), self._gathered[level])

    def _bucketed(self, family: int, edges: FloatArray) -> Sum:
        """Sum per pod and common bucket, rows pod by pod."""
        rows, at = self._picked(self._cells[family], lambda part: isinstance(part, float))
        parts = np.array([self._roster.cells[cell].part for cell in at.tolist()], np.float64)
        width = len(edges) + 1
        return self._sum(rows * width + np.searchsorted(edges, parts), at, level=False, width=width)

    def _picked(self, cells: _Numbered, which: Callable[[object], bool]) -> tuple[Ints, Ints]:
        """Row and number of the cells of the arm's pods."""
        row = self._row
        found = [(row[c.pod], number) for number, c in cells if c.pod in row and which(c.part)]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


def _flagged(at: int) -> Callable[[object], bool]:
    """Whether a part's flag of one signal is up."""
    return lambda part: isinstance(part, tuple) and bool(part[at])


class Ladders:
    """The histograms of every bucketed family over all edges that any of them has."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        shapes = [role.family.shape for role in roster.roles]
        self._of = {
            at: _ladder(roster, at) for at, shape in enumerate(shapes) if shape is Shape.BUCKETS
        }

    def common(self, window: float, gap: float) -> dict[int, FloatArray]:
        """By family the finite edges of every live histogram throughout the time since `window`.

        A family without a live histogram has none.
        """
        bank = self._roster.counters.bank
        found: dict[int, FloatArray] = {}
        for family, (edges, counter) in self._of.items():
            if not counter.size:
                continue
            there = counter >= 0
            first = np.where(there, bank.since[counter], np.inf)
            last = np.where(there, bank.time[counter], -np.inf)
            end = last.max(axis=1)
            live = end >= window
            if not live.any():
                continue
            begin = np.maximum(first.min(axis=1), window)
            whole = (first <= begin[:, None] + gap) & (last >= end[:, None] - gap)
            usable = np.isfinite(edges) & (edges > 0)  # many start at 0, which no request is below
            found[family] = edges[whole[live].all(axis=0) & usable]
        return found


def _ladder(roster: Roster, family: int) -> tuple[FloatArray, Ints]:
    """All edges of a family, and the counter of each of its histograms at each, -1 for none."""
    held = [h for key, h in roster.histograms.items() if key[0] == family]
    edges = np.array(sorted({edge for h in held for edge, _ in h}))
    place = {edge: at for at, edge in enumerate(edges.tolist())}
    counter = np.full((len(held), len(place)), -1, np.int64)
    for row, histogram in zip(counter, held, strict=True):
        for edge, number in histogram:
            row[place[edge]] = number
    return edges, counter
