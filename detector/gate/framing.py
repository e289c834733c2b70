"""Retained cells to a frame: pods in order, signals by name, ages, and common bucket edges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.layout import Ladders, Layout, Side, Sum
from detector.gate.roster import Pod, Roster
from detector.gate.talk import Lines
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind, Shape

__all__ = ["Framing"]

Ints = NDArray[np.int64]
# With fewer edges in common two histograms say too little about the same latency.
_EDGES_MIN = 4
_HOUR_S = 3600.0
# Far less than a request: a bin without any in which lines were read.
_READ = 1e-6
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
        self._ladders: tuple[int, Ladders] | None = None
        self._layout: tuple[object, Layout] | None = None

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
        roster, span = self.roster, self.span
        found = self._ladders_now().common(span.start + roster.counts.first * span.step, span.gap)
        unfit = sum(len(edges) < _EDGES_MIN for edges in found.values())
        layout = self._layout_now({f: e for f, e in found.items() if len(e) >= _EDGES_MIN})
        gathered = layout.gathered(roster.counts, roster.levels)
        canary, control = (_Making(self, side, *gathered).arm() for side in layout.sides)
        return Frame(
            start=span.start,
            step=span.step,
            first=roster.counts.first,
            interval=roster.counters.interval(layout.targets, span.step),
            canary=canary,
            control=control,
            notes={**notes, **({_NOTE: unfit} if unfit else {})},
            lines=self._lines(layout),
        )

    def _lines(self, layout: Layout) -> Lines | None:
        """What pods wrote to their logs, None where no signal reads it."""
        if not any(bound.apart for bound in self.roster.plan.signals):
            return None
        talk, found = self.roster.talk, layout.talk
        return Lines(
            templates=tuple(talk.templates),
            template=found.template,
            pod=found.pod,
            canary=found.canary,
            counts=talk.cells.rows(found.cells),
        )

    def _ladders_now(self) -> Ladders:
        if self._ladders is None or self._ladders[0] != self.roster.version:
            self._ladders = (self.roster.version, Ladders(self.roster))
        return self._ladders[1]

    def _layout_now(self, edges: Mapping[int, FloatArray]) -> Layout:
        key = (self.roster.version, tuple((f, e.tobytes()) for f, e in edges.items()))
        if self._layout is None or self._layout[0] != key:
            self._layout = (key, Layout(self.roster, edges))
        return self._layout[1]

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


class _Making:
    """One arm of a frame in the making. Signals share families: each sum is made once."""

    def __init__(
        self, framing: Framing, side: Side, counts: FloatArray, levels: FloatArray
    ) -> None:
        self.framing, self.side = framing, side
        self.roster, self.span = framing.roster, framing.span
        self._counts, self._levels = counts, levels
        self._sums: dict[Sum, FloatArray] = {}
        self._histograms: dict[int, Histogram] = {}
        self.counts: dict[str, Counts] = {}
        self.histograms: dict[str, Histogram] = {}
        self.gauges: dict[str, FloatArray] = {}

    def arm(self) -> Arm:
        """The arm with every signal it has series for."""
        pods = [self.roster.pods[at] for at in self.side.pods.tolist()]
        for bound in self.side.signals:
            self._bind(bound)
        return Arm(
            pods=self.side.names,
            born=np.array([pod.started for pod in pods], np.float64),
            age=self.framing.ages_of(self.side.pods),
            seen=self._covered(0) / self.span.step,
            requests=self._total(0),
            counts=self.counts,
            histograms=self.histograms,
            gauges=self.gauges,
            newest=max((pod.newest for pod in pods), default=-math.inf),
        )

    def _bind(self, bound: BoundSignal) -> None:
        family, name = self.roster.index[bound.total], bound.signal.name
        match bound.signal.kind:
            case Kind.RATIO:
                self.counts[name] = Counts(n=self._total(family), x=self._bad(bound))
            case Kind.RATE:
                self.counts[name] = Counts(n=self._total(0), x=self._total(family))
            case Kind.EVENTS if bound.apart:
                self.counts[name] = self._lines(family)
            case Kind.EVENTS:
                self.counts[name] = self._events(bound)
            case Kind.LATENCY:
                if family in self.side.buckets:
                    self.histograms[name] = self._histogram(family)
            case Kind.GAUGE:
                self.gauges[name] = self._gauge(bound.total)
                if bound.load is not None:
                    self.gauges[f"{name}.load"] = self._gauge(bound.load)

    def _sum(self, total: Sum) -> FloatArray:
        held = self._sums.get(total)
        if held is None:
            held = self._sums[total] = total.of(self._counts)
        return held

    def _covered(self, family: int) -> FloatArray:
        """Seconds of each bin that samples of the family cover."""
        return np.minimum(self._sum(self.side.clocks[family]), self.span.step)

    def _total(self, family: int) -> FloatArray:
        return self._sum(self.side.totals[family])

    def _bad(self, bound: BoundSignal) -> FloatArray:
        first, *more = (self._bad_of(f, bound) for f in (bound.bad_in or bound.total, *bound.also))
        return sum(more, first)

    def _bad_of(self, family: Family, bound: BoundSignal) -> FloatArray:
        at = self.roster.index[family]
        names = [name for name, _ in self.roster.roles[at].bad]
        return self._sum(self.side.bad[at, names.index(bound.signal.name)])

    def _events(self, bound: BoundSignal) -> Counts:
        families = [self.roster.index[f] for f in (bound.total, *bound.also)]
        covered, x = self._covered(families[0]), self._total(families[0])
        for family in families[1:]:
            covered = np.maximum(covered, self._covered(family))
            x = x + self._total(family)
        return Counts(n=covered / (_HOUR_S * self.span.time_scale), x=x)

    def _lines(self, family: int) -> Counts:
        """Error lines, and the requests of the time in which the pods' logs were read.

        Above 0 wherever they were, be there requests or not.
        """
        covered = self._covered(family) / self.span.step
        return Counts(n=np.maximum(self._total(0), _READ) * covered, x=self._total(family))

    def _histogram(self, family: int) -> Histogram:
        if family not in self._histograms:
            edges = self.side.edges[family]
            flat = self.side.buckets[family].of(self._counts)
            pods, width = len(self.side.pods), len(edges) + 1
            counts = flat.reshape(pods, width, -1).transpose(0, 2, 1)
            self._histograms[family] = Histogram(edges=edges, counts=counts)
        return self._histograms[family]

    def _gauge(self, family: Family) -> FloatArray:
        """Level of a gauge, or the rate of a counter per second; NaN where there is none."""
        at = self.roster.index[family]
        if family.shape is Shape.GAUGE:
            return self.side.levels[at].levels_of(self._levels)
        covered = self._covered(at)
        grown = self._total(at) * family.scale
        rate: FloatArray = np.divide(
            grown, covered, out=np.full(covered.shape, np.nan), where=covered > 0
        )
        return rate
