"""Base log-likelihoods of new bins: canary rows against what the control says they should show."""

from __future__ import annotations

import numpy as np

from detector.gate.learn import Learned
from detector.gate.track import Base
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.likelihood import ScaleTable, poisson, scale_likelihood
from models.sequential.reference import count_reference, histogram_reference

__all__ = ["count_base", "count_since", "event_base", "histogram_base", "middles"]

# A worth of history beside a starved control, in requests: section 9 gives it a wider sc instead.
_HISTORY_WEIGHT = 1.0
# Where the control fails this many times as often as it used to, requests say no more than there.
_RAISED = 2.0
# The longest trailing windows of `count_reference` and `histogram_reference`.
_COUNT_MEMORY_S, _HISTOGRAM_MEMORY_S = 300.0, 1200.0


def count_base(
    learned: Learned,
    win: Window,
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray],
    begin: int,
) -> Base:
    """Counts (n, x) of canary pods and control pods, each (pods, T), from window bin `begin` on."""
    since = count_since(begin, win.step_s)
    n, x = win.canary(ours[0], since), win.canary(ours[1], begin)
    control_n, control_x = (win.reference(values, since) for values in theirs)
    new = begin - since
    ref = count_reference(control_n, control_x, n.sum(axis=1), learned.rate, win.step_s, new)
    starved = win.starved[begin:] > 0
    rate = np.where(starved, learned.rate, ref.rate) + learned.eps0
    # A shared incident dilutes what a release adds: its many events must not clear the release.
    usual = learned.rate + learned.eps0
    weight = np.where(
        starved, _HISTORY_WEIGHT, ref.weight * np.minimum(_RAISED * usual / rate, 1.0)
    )
    log_l = poisson(n[new:], x, rate[:, None], weight[:, None], learned.row.grid)
    return Base(
        log_l=log_l,
        weight=weight,
        incident=ref.incident.astype(np.float64),
        ours=np.stack([n[new:], x], axis=-1),
        theirs=np.stack([control_n[new:], control_x[new:]], axis=-1),
    )


def count_since(begin: int, step_s: float) -> int:
    """First bin of counts that the reference of bin `begin` depends on."""
    return _since(begin, _COUNT_MEMORY_S, step_s)


def _since(begin: int, memory_s: float, step_s: float) -> int:
    """First bin that the reference of bin `begin` depends on; one more for what lies before it."""
    return max(0, begin - max(2, round(memory_s / step_s)) - 1)


def event_base(
    learned: Learned,
    win: Window,
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray],
    begin: int,
) -> Base:
    """Restarts per pod-hour against a fixed rate from history (gate method, 3.3)."""
    n, x = (win.canary(values, begin) for values in ours)
    control_n, control_x = (win.reference(values, begin) for values in theirs)
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
    since = _since(begin, _HISTOGRAM_MEMORY_S, win.step_s)
    counts, control = win.canary(ours, begin), win.reference(theirs, since)
    treated = ours[:, since:].sum(axis=(0, 2))
    picked, weight, incident = histogram_reference(
        control, treated, middles(edges), win.step_s, begin - since
    )
    starved = win.starved[begin:] > 0
    if learned.reference is not None and starved.any():
        picked = np.where(starved[:, None], learned.reference, picked)
        weight = np.where(starved, _HISTORY_WEIGHT, weight)
    row = learned.row
    log_l = scale_likelihood(counts, picked, weight, ScaleTable.of(edges, row.grid), row.grid)
    return Base(
        log_l=log_l,
        weight=weight,
        incident=incident.astype(np.float64),
        ours=counts,
        theirs=control[begin - since :],
    )


def middles(edges: FloatArray) -> FloatArray:
    """Log of a typical latency in each bucket, (B + 1,)."""
    where = np.log(edges)
    inner = (where[1:] + where[:-1]) / 2
    return np.concatenate([[where[0] - 0.5], inner, [where[-1] + 0.5]])
