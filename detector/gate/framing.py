"""Retained cells to a frame: pods in order, signals by name, ages, and common bucket edges."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.roster import Cell, Pod, Roster
from detector.series import FloatArray
from detector.signals.plan import ArmName, BoundSignal, Family
from detector.signals.signal import Kind, Shape

__all__ = ["Framing"]

Ints = NDArray[np.int64]
# With fewer edges in common two histograms say too little about the same latency.
_EDGES_MIN = 4
_HOUR_S = 3600.0
_NOTE = "incompatible_histograms"
_NO_START = (np.inf, np.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Constants of the bins: seconds of bin 0's start, width, settling; and the time scale."""

    start: float
    step: float
    settle: float
    gap: float
    time_scale: float


class Framing:
    """Makes frames of a roster's cells; keeps the pods' ages per bin."""

    def __init__(self, roster: Roster, span: Span) -> None:
        self.roster, self.span = roster, span
        self._ages = Cells(first=roster.counts.first, fill=np.nan)
        self._index: tuple[int, _Index] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the ages."""
        return self._ages.nbytes

    def drop_before(self, bin_: int) -> None:
        """Forget the ages of earlier bins."""
        self._ages.drop_before(bin_)

    def age(self, done: int, top: int) -> None:
        """Ages at the ends of the bins `done .. top - 1`, from what was known when they froze."""
        while self._ages.count < len(self.roster.pods):
            self._ages.add()
        span = self.span
        ends: FloatArray = span.start + np.arange(done + 1.0, top + 1.0) * span.step
        pods = self.roster.pods
        newest = np.array([pod.starts[-1] if pod.starts else _NO_START for pod in pods])
        known, start = newest.reshape(-1, 2).T[:, :, None]
        with np.errstate(invalid="ignore"):
            ages = np.where((ends + span.settle >= known) & (ends >= start), ends - start, np.nan)
        for row, pod in zip(ages, pods, strict=True):
            if len(pod.starts) > 1:
                _age_through(row, pod, ends, span.settle)
        self._ages.append(ages)

    def frame(self, notes: Mapping[str, int]) -> Frame:
        """All retained bins; adds to the notes how many histograms do not fit."""
        if self._index is None or self._index[0] != self.roster.version:
            self._index = (self.roster.version, _Index(self.roster))
        index, roster, span = self._index[1], self.roster, self.span
        window = span.start + roster.counts.first * span.step
        edges = {f: index.common(f, roster, window, span.gap) for f in index.bucketed}
        unfit = sum(found is not None and len(found) < _EDGES_MIN for found in edges.values())
        fit = {f: e for f, e in edges.items() if e is not None and len(e) >= _EDGES_MIN}
        arms = [_Side(self, index, name, fit).arm() for name in (ArmName.CANARY, ArmName.CONTROL)]
        return Frame(
            start=span.start,
            step=span.step,
            first=roster.counts.first,
            interval=roster.counters.interval(index.targets, span.step),
            canary=arms[0],
            control=arms[1],
            notes={**notes, **({_NOTE: unfit} if unfit else {})},
        )

    def ages_of(self, pods: Ints) -> FloatArray:
        """Ages of some pods, (pods, bins)."""
        return self._ages.rows(pods)


def _age_through(ages: FloatArray, pod: Pod, ends: FloatArray, settle: float) -> None:
    """Ages of a pod that is known to have started more than once (in place)."""
    pod.starts.sort(key=lambda told: told[0])
    ages[:] = np.nan
    for known, start in pod.starts:
        told = (ends + settle >= known) & (ends >= start)
        ages[told] = ends[told] - start
    pod.starts = _still_needed(pod.starts, float(ends[-1]), settle)


def _still_needed(
    starts: list[tuple[float, float]], end: float, settle: float
) -> list[tuple[float, float]]:
    """What later bins can depend on: the start that holds at `end`, and all after it."""
    held = [at for at, (known, s) in enumerate(starts) if known <= end + settle and s <= end]
    return starts[held[-1] :] if held else starts


class _Sum:
    """Which cells add up to which rows: passes without repeated rows, in the order of cells."""

    def __init__(self, rows: Ints, cells: Ints) -> None:
        self.passes: list[tuple[Ints, Ints]] = []
        self._plain_for, self._plain = -1, False
        while len(rows):
            at, first = np.unique(rows, return_index=True)
            self.passes.append((at, cells[first]))
            rows, cells = np.delete(rows, first), np.delete(cells, first)

    def __call__(self, cells: Cells, size: int) -> FloatArray:
        """The sums, (size, bins)."""
        if self._is_plain(size):
            return cells.rows(self.passes[0][1])
        out = np.zeros((size, cells.width))
        for at, which in self.passes:
            out[at] += cells.rows(which)
        return out

    def _is_plain(self, size: int) -> bool:
        """Whether there is one cell for each row, in their order."""
        if self._plain_for != size:
            one = len(self.passes) == 1 and len(self.passes[0][0]) == size
            self._plain_for, self._plain = size, one
        return self._plain


class _Index:
    """The roster's pods and cells arranged for frames; made anew when the roster changes."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        shown = [at for at, pod in enumerate(roster.pods) if pod.born < math.inf]
        shown.sort(key=lambda at: (roster.pods[at].born, roster.pods[at].name))
        self.order = {
            name: np.array([at for at in shown if roster.pods[at].arm is name], np.int64)
            for name in ArmName
        }
        self.row = {int(at): row for pods in self.order.values() for row, at in enumerate(pods)}
        self.targets = sorted({e.target for e in roster.entries if e.family == 0})
        shapes = [role.family.shape for role in roster.roles]
        self.bucketed = [at for at, shape in enumerate(shapes) if shape is Shape.BUCKETS]
        self._ladders = {family: _Ladders(roster, family) for family in self.bucketed}
        self._sums: dict[tuple[object, ...], _Sum] = {}

    def common(self, family: int, roster: Roster, window: float, gap: float) -> FloatArray | None:
        """Finite edges that every live histogram of a family has, None without any."""
        return self._ladders[family].common(roster, window, gap)

    def sum(
        self, key: tuple[object, ...], arm: ArmName, which: Callable[[Cell], bool], *, level: bool
    ) -> _Sum:
        """Sum per pod of the cells that `which` picks; remembered under `key`."""
        held = self._sums.get((key, arm))
        if held is None:
            cells = self.roster.level_cells if level else self.roster.cells
            held = self._sums[(key, arm)] = _Sum(*self._picked(cells, arm, which))
        return held

    def buckets(self, family: int, arm: ArmName, edges: FloatArray) -> _Sum:
        """Sum per pod and common bucket, rows pod by pod."""
        key = (family, arm, edges.tobytes())
        held = self._sums.get(key)
        if held is None:
            rows, at = self._picked(
                self.roster.cells, arm, lambda c: c.family == family and isinstance(c.part, float)
            )
            parts = np.array([self.roster.cells[int(cell)].part for cell in at], np.float64)
            bucket = np.searchsorted(edges, parts)
            held = self._sums[key] = _Sum(rows * (len(edges) + 1) + bucket, at)
        return held

    def _picked(
        self, cells: list[Cell], arm: ArmName, which: Callable[[Cell], bool]
    ) -> tuple[Ints, Ints]:
        pods = self.roster.pods
        at = [
            number
            for number, cell in enumerate(cells)
            if cell.pod in self.row and pods[cell.pod].arm is arm and which(cell)
        ]
        rows = [self.row[cells[number].pod] for number in at]
        return np.array(rows, np.int64), np.array(at, np.int64)


class _Ladders:
    """The histograms of a family over all edges that any of them has."""

    def __init__(self, roster: Roster, family: int) -> None:
        held = [h for key, h in roster.histograms.items() if key[0] == family]
        self.edges = np.array(sorted({edge for h in held for edge, _ in h}))
        place = {edge: at for at, edge in enumerate(self.edges.tolist())}
        self.counter = np.full((len(held), len(place)), -1, np.int64)
        for row, histogram in zip(self.counter, held, strict=True):
            for edge, counter in histogram:
                row[place[edge]] = counter

    def common(self, roster: Roster, window: float, gap: float) -> FloatArray | None:
        """Finite edges present in every histogram throughout the time since `window`."""
        if not self.counter.size:
            return None
        there = self.counter >= 0
        first = np.where(there, roster.counters.bank.since[self.counter], np.inf)
        last = np.where(there, roster.counters.bank.time[self.counter], -np.inf)
        end = last.max(axis=1)
        live = end >= window
        if not live.any():
            return None
        begin = np.maximum(first.min(axis=1), window)
        whole = (first <= begin[:, None] + gap) & (last >= end[:, None] - gap)
        edges: FloatArray = self.edges[whole[live].all(axis=0) & np.isfinite(self.edges)]
        return edges


class _Side:
    """One arm of a frame in the making."""

    def __init__(
        self, framing: Framing, index: _Index, name: ArmName, edges: Mapping[int, FloatArray]
    ) -> None:
        self.framing, self.index, self.name, self.edges = framing, index, name, edges
        self.roster, self.span = framing.roster, framing.span
        self.pods = index.order[name]
        self.counts: dict[str, Counts] = {}
        self.histograms: dict[str, Histogram] = {}
        self.gauges: dict[str, FloatArray] = {}
        # Signals share families: each sum is made once and never written to.
        self._sums: dict[int, FloatArray] = {}
        self._of_family: dict[int, Histogram] = {}

    def arm(self) -> Arm:
        """The arm with every signal it has series for."""
        pods = [self.roster.pods[int(at)] for at in self.pods]
        self.requests = self._total(0)
        for bound in self.roster.plan.signals:
            self._bind(bound)
        return Arm(
            pods=tuple(pod.name for pod in pods),
            born=np.array([pod.started for pod in pods], np.float64),
            age=self.framing.ages_of(self.pods),
            seen=self._covered(0) / self.span.step,
            requests=self.requests,
            counts=self.counts,
            histograms=self.histograms,
            gauges=self.gauges,
            newest=max((pod.newest for pod in pods), default=-math.inf),
        )

    def _bind(self, bound: BoundSignal) -> None:
        family = self.roster.index[bound.total]
        if not self._has(bound):
            return
        name = bound.signal.name
        match bound.signal.kind:
            case Kind.RATIO:
                self.counts[name] = Counts(n=self._total(family), x=self._bad(bound))
            case Kind.RATE:
                self.counts[name] = Counts(n=self.requests, x=self._total(family))
            case Kind.EVENTS:
                self.counts[name] = self._events(bound)
            case Kind.LATENCY:
                if family in self.edges:
                    self.histograms[name] = self._histogram(family)
            case Kind.GAUGE:
                self.gauges[name] = self._gauge(bound.total)
                if bound.load is not None:
                    self.gauges[f"{name}.load"] = self._gauge(bound.load)

    def _has(self, bound: BoundSignal) -> bool:
        """Whether any series of the signal belongs to the arm's pods."""
        events = bound.signal.kind is Kind.EVENTS
        families = [bound.total, *(bound.also if events else ())]
        return any(
            self._clock(family).passes or self._level(family).passes
            for family in (self.roster.index[f] for f in families)
        )

    def _clock(self, family: int) -> _Sum:
        return self.index.sum(
            ("clock", family),
            self.name,
            lambda c: c.family == family and c.part is None,
            level=False,
        )

    def _level(self, family: int) -> _Sum:
        return self.index.sum(
            ("level", family), self.name, lambda c: c.family == family, level=True
        )

    def _sum(self, total: _Sum) -> FloatArray:
        held = self._sums.get(id(total))
        if held is None:
            held = self._sums[id(total)] = total(self.roster.counts, len(self.pods))
        return held

    def _covered(self, family: int) -> FloatArray:
        """Seconds of each bin that samples of the family cover."""
        return np.minimum(self._sum(self._clock(family)), self.span.step)

    def _total(self, family: int) -> FloatArray:
        return self._sum(
            self.index.sum(
                ("total", family),
                self.name,
                lambda c: c.family == family and isinstance(c.part, tuple),
                level=False,
            )
        )

    def _bad(self, bound: BoundSignal) -> FloatArray:
        family = self.roster.index[bound.bad_in or bound.total]
        names = [name for name, _ in self.roster.roles[family].bad]
        at = names.index(bound.signal.name)
        return self._sum(
            self.index.sum(
                ("bad", family, at),
                self.name,
                lambda c: c.family == family and isinstance(c.part, tuple) and c.part[at],
                level=False,
            )
        )

    def _events(self, bound: BoundSignal) -> Counts:
        families = [self.roster.index[f] for f in (bound.total, *bound.also)]
        covered = self._covered(families[0])
        for family in families[1:]:
            covered = np.maximum(covered, self._covered(family))
        x = self._total(families[0])
        for family in families[1:]:
            x = x + self._total(family)
        return Counts(n=covered / (_HOUR_S * self.span.time_scale), x=x)

    def _histogram(self, family: int) -> Histogram:
        if family not in self._of_family:
            self._of_family[family] = self._made(family)
        return self._of_family[family]

    def _made(self, family: int) -> Histogram:
        edges = self.edges[family]
        width = len(edges) + 1
        flat = self.index.buckets(family, self.name, edges)(
            self.roster.counts, len(self.pods) * width
        )
        counts = flat.reshape(len(self.pods), width, -1).transpose(0, 2, 1)
        return Histogram(edges=edges, counts=counts)

    def _gauge(self, family: Family) -> FloatArray:
        """Level of a gauge, or the rate of a counter per second; NaN where there is none."""
        at = self.roster.index[family]
        if family.shape is Shape.GAUGE:
            return self._levels(at)
        covered = self._covered(at)
        grown = self._total(at) * family.scale
        rate: FloatArray = np.divide(
            grown, covered, out=np.full(covered.shape, np.nan), where=covered > 0
        )
        return rate

    def _levels(self, family: int) -> FloatArray:
        level = self._level(family)
        out = np.full((len(self.pods), self.roster.levels.width), np.nan)
        for at, which in level.passes:
            more = self.roster.levels.rows(which)
            out[at] = np.where(np.isnan(out[at]), more, out[at] + np.nan_to_num(more))
        return out
