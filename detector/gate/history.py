"""A reference that is not concurrent: what a service did before stands in for its control.

Section 9 of the method. Bins in which no control serves are judged against what the minutes before
and past weeks foretell; how far off that is in health is learned at moments at which nothing was
released, and widens what all canary pods may share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.gate.build import histogram_of
from detector.gate.forecast import (
    COUNT_SD,
    SCALE_SD,
    Basis,
    Counted,
    Forecast,
    Measure,
    Scaled,
    above,
    forecasts,
)
from detector.gate.learn import Learned
from detector.gate.memory import LATELY_S, Memory
from detector.gate.streamed import by_stream
from detector.gate.track import Base, Track
from detector.gate.weekly import last_two_hours, level_of
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.likelihood import ScaleTable, poisson, scale_likelihood
from models.sequential.rows import Grid, RowName

__all__ = ["Recalled", "lately_of", "rebased", "recalled"]

# Restarts are counted against a fixed rate, and what a pod uses against its peers' alone; what the
# logs of an hour ago said is no measure of what they say now.
_NEVER = frozenset({RowName.EVENTS, RowName.LOGS, RowName.GAUGE, RowName.SLOPE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What one signal's history says of now: a `rate` or a `histogram`, `before`: its sd.

    `shift`: how much further up (log) than the histogram. `basis`: the minutes that it leans on,
    `times`: past times at the same hour that it makes use of; `quiet`: how many quiet moments
    taught the sd. `days`: how much of the stream did, 0 where the gate's own past did; `unused`:
    why the stream did not.
    """

    rate: float
    histogram: FloatArray | None
    before: float
    basis: Basis
    times: int
    quiet: int
    shift: float = 0.0
    days: float = 0.0
    unused: str = ""

    @property
    def tally(self) -> FloatArray:
        """What it says as the totals of a side: a histogram, or exposure and events."""
        return np.array([1.0, self.rate]) if self.histogram is None else self.histogram


def recalled(
    track: Track,
    memory: Memory,
    edges: FloatArray | None,
    lately: FloatArray | None,
    at: float,
) -> Recalled | None:
    """What the past says of a signal, as the surest forecast has it; None where nothing does.

    Where a stream has learned enough of it, that foretells in place of the gate's own past.
    `lately`: the tally of the last half hour with a control, which ended `at` (unix seconds); None
    if there never was one, so that only past runs can tell.
    """
    measure = _measure_of(track, edges)
    if measure is None:
        return None
    told = None
    if lately is not None:
        told = by_stream(track.name, measure, memory, _long(track), lately, at)
    if told is not None and told.forecasts:
        return replace(_as_told(_surest(told.forecasts), track), days=told.days)
    found = list(forecasts(measure, memory, _long(track), lately)) if lately is not None else []
    level = level_of(track, memory, edges)
    found += [level] if level is not None else []
    unused = "" if told is None else told.why
    return replace(_as_told(_surest(found), track), unused=unused) if found else None


def _surest(found: Sequence[Forecast]) -> Forecast:
    return min(found, key=lambda f: f.sd)


def _measure_of(track: Track, edges: FloatArray | None) -> Measure | None:
    """How tallies of a track are compared; None for what is counted against no history."""
    learned = track.learned
    if learned.row.name in _NEVER or (learned.row.name is RowName.LATENCY and edges is None):
        return None
    if learned.row.name is RowName.LATENCY and edges is not None:
        return Scaled(name=track.name, edges=edges, default=SCALE_SD)
    share = max(learned.rate / (learned.rate + learned.eps0), 0.1) if learned.eps0 else 1.0
    return Counted(
        name=track.name,
        eps0=learned.eps0,
        default=COUNT_SD * share,
        edge=learned.edge,
        edges=edges,
    )


def _long(track: Track) -> FloatArray:
    """The tally of the two hours before the start."""
    learned = track.learned
    if learned.row.name is RowName.LATENCY:
        return np.zeros(1) if learned.reference is None else learned.reference
    return np.array(last_two_hours(learned))


def _as_told(found: Forecast, track: Track) -> Recalled:
    """Rates are moved here, histograms where they are read."""
    eps0, scaled = track.learned.eps0, found.histogram is not None
    return Recalled(
        rate=0.0 if scaled else max((found.rate + eps0) * math.exp(found.shift) - eps0, 0.0),
        histogram=found.histogram,
        before=found.sd,
        basis=found.basis,
        times=found.times,
        quiet=found.quiet,
        shift=found.shift if scaled else 0.0,
    )


def lately_of(track: Track, win: Window, end: int, edges: FloatArray | None) -> FloatArray:
    """The tally of the control's half hour up to window bin `end`."""
    begin, control = max(0, end - round(LATELY_S / win.step_s)), win.frame.control
    if track.learned.row.name is not RowName.LATENCY and track.learned.edge is None:
        counts = control.counts.get(track.name)
        pair = (np.zeros(1),) if counts is None else (counts.n, counts.x)
        return np.array([values[..., begin:end].sum() for values in pair]) * np.ones(2)
    found = histogram_of(control, track.name)
    size = 0 if edges is None else len(edges) + 1
    if found is None or len(found.edges) + 1 != size:
        return np.zeros(size if track.learned.edge is None else 2)
    histogram: FloatArray = found.counts[:, begin:end].sum(axis=(0, 1))
    return histogram if track.learned.edge is None else above(histogram, track.learned.edge)


def rebased(
    learned: Learned, said: Recalled, base: Base, starved: FloatArray, edges: FloatArray | None
) -> Base:
    """A base whose bins without a control (`starved` > 0, (T,)) are read against history."""
    alone = starved > 0
    if not alone.any():
        return base
    ours, row = base.ours[alone], learned.row
    flat = np.ones(len(ours))
    if said.histogram is not None and edges is not None:
        same = np.broadcast_to(said.histogram, (len(ours), len(said.histogram)))
        log_l = scale_likelihood(ours, same, flat, ScaleTable.of(edges, row.grid), row.grid)
        log_l = _further(log_l, said.shift, row.grid)
    else:
        rate = np.full((len(ours), 1), said.rate + learned.eps0)
        log_l = poisson(ours[..., 0], ours[..., 1], rate, flat[:, None], row.grid)
    whole, weight = base.log_l.copy(), base.weight.copy()
    whole[alone], weight[alone] = log_l, 1.0
    return replace(base, log_l=whole, weight=weight, incident=np.where(alone, 0.0, base.incident))


def _further(log_l: FloatArray, shift: float, grid: Grid) -> FloatArray:
    """Likelihoods (..., J) of effects on what is expected `shift` further up."""
    if shift == 0.0:
        return log_l
    at = np.clip(np.arange(log_l.shape[-1]) + shift / grid.h, 0.0, log_l.shape[-1] - 1.0)
    low = np.minimum(at.astype(np.int64), log_l.shape[-1] - 2)
    moved: FloatArray = log_l[..., low] * (low + 1 - at) + log_l[..., low + 1] * (at - low)
    return moved
