"""Base log-likelihoods of new bins: canary rows against what the control says they should show."""

from __future__ import annotations

import numpy as np

from detector.gate.learn import Learned
from detector.gate.track import Base
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.likelihood import ScaleTable, poisson, scale_likelihood
from models.sequential.reference import count_reference, histogram_reference

__all__ = ["count_base", "event_base", "histogram_base", "middles"]

# A worth of history beside a starved control, in requests: section 9 gives it a wider sc instead.
_HISTORY_WEIGHT = 1.0


def count_base(
    learned: Learned,
    win: Window,
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray],
    begin: int,
) -> Base:
    """Counts (n, x) of canary pods and control pods, each (pods, T), from window bin `begin` on."""
    n, x = (win.canary(values) for values in ours)
    control_n, control_x = (win.reference(values) for values in theirs)
    ref = count_reference(control_n, control_x, n.sum(axis=1), learned.rate, win.step_s, begin)
    starved = win.starved[begin:] > 0
    rate = np.where(starved, learned.rate, ref.rate) + learned.eps0
    weight = np.where(starved, _HISTORY_WEIGHT, ref.weight)
    log_l = poisson(n[begin:], x[begin:], rate[:, None], weight[:, None], learned.row.grid)
    return Base(
        log_l=log_l,
        weight=weight,
        incident=ref.incident.astype(np.float64),
        ours=np.stack([n[begin:], x[begin:]], axis=-1),
        theirs=np.stack([control_n[begin:], control_x[begin:]], axis=-1),
    )


def event_base(
    learned: Learned,
    win: Window,
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray],
    begin: int,
) -> Base:
    """Restarts per pod-hour against a fixed rate from history (gate method, 3.3)."""
    n, x = (win.canary(values)[begin:] for values in ours)
    control_n, control_x = (win.reference(values)[begin:] for values in theirs)
    flat = np.ones(len(n))
    log_l = poisson(n, x, np.full((len(n), 1), learned.rate), flat[:, None], learned.row.grid)
    return Base(
        log_l=log_l,
        weight=flat,
        incident=np.zeros(len(n)),
        ours=np.stack([n, x], axis=-1),
        theirs=np.stack([control_n, control_x], axis=-1),
    )


def histogram_base(
    learned: Learned,
    win: Window,
    ours: FloatArray,
    theirs: FloatArray,
    edges: FloatArray,
    begin: int,
) -> Base:
    """Latency histograms of canary pods and control pods, each (pods, T, B + 1)."""
    counts, control = win.canary(ours), win.reference(theirs)
    treated = counts.sum(axis=(1, 2))
    picked, weight, incident = histogram_reference(
        control, treated, middles(edges), win.step_s, begin
    )
    starved = win.starved[begin:] > 0
    if learned.reference is not None and starved.any():
        picked = np.where(starved[:, None], learned.reference, picked)
        weight = np.where(starved, _HISTORY_WEIGHT, weight)
    row = learned.row
    log_l = scale_likelihood(
        counts[begin:], picked, weight, ScaleTable.of(edges, row.grid), row.grid
    )
    return Base(
        log_l=log_l,
        weight=weight,
        incident=incident.astype(np.float64),
        ours=counts[begin:],
        theirs=control[begin:],
    )


def middles(edges: FloatArray) -> FloatArray:
    """Log of a typical latency in each bucket, (B + 1,)."""
    where = np.log(edges)
    inner = (where[1:] + where[:-1]) / 2
    return np.concatenate([[where[0] - 0.5], inner, [where[-1] + 0.5]])
