"""Canary beside control over time: what a person looks at, never what is judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.gate.build import histogram_of
from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind

__all__ = ["TRAFFIC", "Curve", "curves", "line_curves"]

TRAFFIC = "traffic"
_QUANTILES = {"tail95": 0.95, "tail99": 0.99}
# Before the start as much as a quarter of the attempt, and at least ten minutes, is shown.
_LEAD_S, _LEAD_SHARE = 600.0, 0.25
_LOAD_LEAST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One signal on both sides; arrays of one length, NaN where nothing was counted.

    `times`: unix seconds at which each point ends, `width` seconds after it begins. `measure`
    says what a value is; `unit` is `ratio`, `seconds`, `requests/s`, `per pod` or the signal's.
    """

    signal: str
    measure: str
    unit: str
    width: float
    times: FloatArray
    canary: FloatArray
    control: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Whole groups of bins: `begins` are the columns at which they begin."""

    begins: NDArray[np.int64]
    width: float
    times: FloatArray

    def sum(self, values: FloatArray) -> FloatArray:
        """Totals of all pods (first axis) in each group of bins (second axis)."""
        total = values.sum(axis=0)
        grouped: FloatArray = np.add.reduceat(total, self.begins, axis=0)
        return grouped


def curves(frame: Frame, plan: Plan, *, most: int, time_scale: float = 1.0) -> tuple[Curve, ...]:
    """The traffic, then each bound signal that has data; about `most` points or fewer.

    Sums are taken over pods and bins before they are divided, so a point weighs every request
    alike. Points begin at multiples of their width from the start, whatever is appended later.
    """
    columns = _shown(frame, time_scale)
    if not columns:
        return ()
    grid = _grid(frame, columns, most)
    found = [_traffic(frame, grid)]
    found += [c for bound in plan.signals if (c := _curve(frame, bound, grid)) is not None]
    return tuple(found)


def line_curves(
    frame: Frame, plan: Plan, templates: Sequence[str], *, most: int, time_scale: float = 1.0
) -> tuple[Curve, ...]:
    """Lines of each template per request, as `curves`; `signal` is the template's id.

    Of templates that nobody wrote, and where no lines are counted, there is none.
    """
    columns, lines = _shown(frame, time_scale), frame.lines
    name = next((bound.signal.name for bound in plan.signals if bound.apart), None)
    if not columns or lines is None or name is None:
        return ()
    grid, found = _grid(frame, columns, most), []
    for template in templates:
        if template in lines.templates:
            at = frozenset({lines.templates.index(template)})
            sides = [
                _divided(
                    grid.sum(lines.of(at, len(arm.pods), canary=ours)), grid.sum(_read(arm, name))
                )
                for arm, ours in ((frame.canary, True), (frame.control, False))
            ]
            found.append(_made(template, "lines per request", "ratio", grid, *sides))
    return tuple(found)


def _read(arm: Arm, name: str) -> FloatArray:
    """Requests of the time in which the logs of an arm were read."""
    counts = arm.counts.get(name)
    return arm.requests if counts is None else counts.n


def _shown(frame: Frame, scale: float) -> range:
    """The columns from a while before the start to the newest."""
    last = frame.first + frame.bins
    if last <= 0:
        return range(0)
    lead = max(_LEAD_S * scale / frame.step, _LEAD_SHARE * last)
    return range(max(frame.first, -math.ceil(lead)) - frame.first, frame.bins)


def _grid(frame: Frame, columns: range, most: int) -> _Grid:
    """Groups of 1, 2, 4, ... bins, the first and the last maybe not whole."""
    size = 1
    while len(columns) > most * size:
        size *= 2
    bins = np.array(columns, np.int64) + frame.first
    edges = np.flatnonzero((bins % size == 0) | (np.arange(len(bins)) == 0))
    ends = (bins[edges] // size + 1) * size
    return _Grid(
        begins=np.append(edges, len(bins))[:-1] + columns.start,
        width=size * frame.step,
        times=frame.start + np.minimum(ends, bins[-1] + 1) * frame.step,
    )


def _traffic(frame: Frame, grid: _Grid) -> Curve:
    lasts = np.diff(np.append(grid.begins, frame.bins)) * frame.step
    sides = (grid.sum(arm.requests) / lasts for arm in (frame.canary, frame.control))
    return _made(TRAFFIC, "requests per second", "requests/s", grid, *sides)


def _made(
    signal: str, measure: str, unit: str, grid: _Grid, canary: FloatArray, control: FloatArray
) -> Curve:
    return Curve(
        signal=signal,
        measure=measure,
        unit=unit,
        width=grid.width,
        times=grid.times,
        canary=canary,
        control=control,
    )


def _curve(frame: Frame, bound: BoundSignal, grid: _Grid) -> Curve | None:
    match bound.signal.kind:
        case Kind.RATIO | Kind.RATE:
            return _share(frame, bound.signal.name, grid)
        case Kind.LATENCY:
            return _quantile(frame, bound.signal.name, grid)
        case Kind.EVENTS if bound.apart:
            return _share(frame, bound.signal.name, grid, "error lines per request")
        case Kind.EVENTS:
            return _events(frame, bound.signal.name, grid)
        case Kind.GAUGE:
            return _gauge(frame, bound, grid)


def _share(
    frame: Frame, name: str, grid: _Grid, measure: str = "share of requests"
) -> Curve | None:
    """Bad requests of all requests; an arm without bad ones has none, not nothing."""
    if not any(name in arm.counts for arm in (frame.canary, frame.control)):
        return None
    sides = []
    for arm in (frame.canary, frame.control):
        nothing = Counts(n=arm.requests, x=np.zeros_like(arm.requests))
        counts = arm.counts.get(name, nothing)
        sides.append(_divided(grid.sum(counts.x), grid.sum(counts.n)))
    return _made(name, measure, "ratio", grid, *sides)


def _divided(above: FloatArray, below: FloatArray) -> FloatArray:
    empty = np.full_like(above, np.nan)
    return np.divide(above, below, out=empty, where=below > 0)


def _quantile(frame: Frame, name: str, grid: _Grid) -> Curve | None:
    found = [histogram_of(arm, name) for arm in (frame.canary, frame.control)]
    if all(histogram is None for histogram in found):
        return None
    q = _QUANTILES.get(name, 0.5)
    sides = (_quantiles(histogram, grid, q) for histogram in found)
    measure = "median" if q == 0.5 else f"{100 * q:.0f}th percentile"
    return _made(name, measure, "seconds", grid, *sides)


def _quantiles(histogram: Histogram | None, grid: _Grid, q: float) -> FloatArray:
    """Linear inside the bucket; beyond the last edge that edge; NaN without requests."""
    out = np.full(len(grid.times), np.nan)
    if histogram is None or not len(histogram.edges):
        return out
    counts, edges = grid.sum(histogram.counts), histogram.edges
    below = np.cumsum(counts, axis=1)
    wanted = q * below[:, -1]
    at = np.minimum((below < wanted[:, None]).sum(axis=1), len(edges) - 1)
    rows = np.arange(len(counts))
    inside = counts[rows, at]
    part = _divided(wanted - (below[rows, at] - inside), inside)
    low = np.where(at > 0, edges[np.maximum(at - 1, 0)], 0.0)
    value = low + np.clip(np.nan_to_num(part, nan=1.0), 0.0, 1.0) * (edges[at] - low)
    served = below[:, -1] > 0
    out[served] = value[served]
    return out


def _events(frame: Frame, name: str, grid: _Grid) -> Curve | None:
    """Events since the start, per pod that was seen since."""
    if not any(name in arm.counts for arm in (frame.canary, frame.control)):
        return None
    sides = (_since_start(frame, arm, name, grid) for arm in (frame.canary, frame.control))
    return _made(name, "since the start, per pod", "per pod", grid, *sides)


def _since_start(frame: Frame, arm: Arm, name: str, grid: _Grid) -> FloatArray:
    zero = max(0, -frame.first)
    pods = np.count_nonzero(arm.seen[:, zero:].sum(axis=1) > 0)
    counts = arm.counts.get(name)
    if not pods or counts is None:
        return np.full(len(grid.times), np.nan if not pods else 0.0)
    since = counts.x.copy()
    since[:, :zero] = 0.0
    total: FloatArray = np.cumsum(grid.sum(since)) / pods
    total[grid.begins < zero] = np.nan
    return total


def _gauge(frame: Frame, bound: BoundSignal, grid: _Grid) -> Curve | None:
    """Mean over pods; with a load what one request takes."""
    name = bound.signal.name
    arms = (frame.canary, frame.control)
    if not any(name in arm.gauges and arm.gauges[name].size for arm in arms):
        return None
    by_load = bound.load is not None
    sides = (_level(arm, name, grid, frame.step if by_load else None) for arm in arms)
    measure = "mean per request" if by_load else "mean of the pods"
    return _made(name, measure, bound.signal.unit, grid, *sides)


def _level(arm: Arm, name: str, grid: _Grid, load_step: float | None) -> FloatArray:
    values = arm.gauges.get(name)
    if values is None or not values.size:
        return np.full(len(grid.times), np.nan)
    known = np.isfinite(values)
    total = grid.sum(np.where(known, values, 0.0))
    if load_step is None:
        return _divided(total, grid.sum(known.astype(np.float64)))
    load = grid.sum(np.where(known, arm.requests, 0.0))
    # What a pod takes while next to nobody asks it says nothing of what a request takes.
    load[load < _LOAD_LEAST * _usual(load)] = 0.0
    return _divided(total * load_step, load)


def _usual(load: FloatArray) -> float:
    served = load[load > 0]
    return float(np.median(served)) if len(served) else 0.0
