"""Base log-likelihoods of new bins: canary rows against what the control says they should show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.gate.learn import Learned
from detector.gate.track import Base
from detector.gate.unasked import lacking, unasked
from detector.gate.window import Window, sums_over
from detector.series import FloatArray
from models.sequential.likelihood import ScaleTable, poisson, poisson_each, scale_likelihood
from models.sequential.load import allowance
from models.sequential.reference import bucket_middles, count_reference, histogram_reference

__all__ = ["Pair", "count_bases", "count_since", "event_base", "histogram_base"]

# Exposure and events, each (pods, T).
Pair = tuple[FloatArray, FloatArray]

# A worth of history beside a starved control, in requests: section 9 gives it a wider sc instead.
_HISTORY_WEIGHT = 1.0
# Where the control fails this many times as often as it used to, requests say no more than there.
_RAISED = 2.0
# What the control was lately, and what it carries now.
_LATELY_S, _NOW_S = 300.0, 120.0
# The longest trailing windows of `count_reference` and `histogram_reference`.
_COUNT_MEMORY_S, _HISTOGRAM_MEMORY_S = 300.0, 1200.0


def count_bases(
    learned: Sequence[Learned],
    win: Window,
    ours: Sequence[Pair],
    theirs: Sequence[Pair],
    begin: int,
) -> list[Base]:
    """Counts of canary pods and control pods of each signal, from window bin `begin` on."""
    since = count_since(begin, win.step_s)
    skip, new = since - len(win.requests), begin - since
    canary = win.canary(_side_by_side(ours, skip), since)
    control = win.reference(_side_by_side(theirs, skip), since)
    served = np.add.reduce(canary[..., 0], axis=1)
    history = np.array([one.rate for one in learned])
    ref = count_reference(control[..., 0], control[..., 1], served, history, win.step_s, new)
    starved = win.starved[begin:, None] > 0
    eps0 = np.array([one.eps0 for one in learned])
    rate = np.where(starved, history, ref.rate) + eps0
    # A shared incident dilutes what a release adds: its many events must not clear the release.
    raised = np.minimum(_RAISED * (history + eps0) / rate, 1.0)
    weight = np.where(starved, _HISTORY_WEIGHT, ref.weight * raised)
    canary, control, incident = canary[new:], control[new:], ref.incident.astype(np.float64)
    n, x = canary.transpose(3, 2, 0, 1)
    n = n.copy()
    for at, one in enumerate(learned):
        if one.row.idle:
            n[at] += _unasked(one, win, ours[at][0], theirs[at][0], rate[:, at], since)
    grids = tuple([one.row.grid for one in learned])
    each = poisson_each(n, x, rate.T[..., None], weight.T[..., None], grids)
    return [
        Base(
            log_l=log_l,
            weight=weight[:, at],
            incident=incident[:, at],
            ours=canary[:, :, at],
            theirs=control[:, at],
        )
        for at, log_l in enumerate(each)
    ]


def _unasked(
    learned: Learned,
    win: Window,
    ours: FloatArray,
    theirs: FloatArray,
    rate: FloatArray,
    since: int,
) -> FloatArray:
    """Exposure that makes up for events without requests, of the newest bins (T, P)."""
    new = len(win.requests) - since - len(rate)
    events = lacking(win, ours, theirs, since)[new:] * (rate - learned.eps0)[:, None]
    events += unasked(learned.row, win, ours, since + new)
    more: FloatArray = events / rate[:, None]
    return more


def _side_by_side(pairs: Sequence[Pair], skip: int) -> FloatArray:
    """The last `-skip` bins of each signal's exposure and events, (pods, T, S, 2)."""
    kept = [values[:, skip:] for pair in pairs for values in pair]
    together = np.empty((*kept[0].shape, len(kept)))
    for at, values in enumerate(kept):
        together[..., at] = values
    return together.reshape(*kept[0].shape, len(pairs), 2)


def count_since(begin: int, step_s: float) -> int:
    """First bin of counts that the reference of bin `begin` depends on."""
    return _since(begin, _COUNT_MEMORY_S, step_s)


def _since(begin: int, memory_s: float, step_s: float) -> int:
    """First bin that the reference of bin `begin` depends on; one more for what lies before it."""
    return max(0, begin - max(2, round(memory_s / step_s)) - 1)


def event_base(
    learned: Learned,
    win: Window,
    ours: Pair,
    theirs: Pair,
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
        ours=_pairs(n, x),
        theirs=_pairs(control_n, control_x),
    )


def _pairs(n: FloatArray, x: FloatArray) -> FloatArray:
    """Exposure and events side by side, (..., 2)."""
    both = np.empty((*n.shape, 2))
    both[..., 0], both[..., 1] = n, x
    return both


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
    treated = np.add.reduce(ours[:, since:], axis=(0, 2))
    picked, weight, incident = histogram_reference(
        control, treated, bucket_middles(edges), win.step_s, begin - since
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
        allowed=_allowed(learned, win, control, bucket_middles(edges), begin),
    )


def _allowed(
    learned: Learned, win: Window, control: FloatArray, where: FloatArray, begin: int
) -> FloatArray | None:
    """What the load of overloaded pods may explain, (T, P); None where none is overloaded.

    `control` (T, B + 1) are the control set's histograms up to the last bin.
    """
    if learned.usual is None or not win.overloaded(begin).any():
        return None
    since = len(win.requests) - len(control)
    serving = win.reference((win.frame.control.requests > 0).astype(np.float64), since)
    new = begin - since
    lately = sums_over(control, _LATELY_S, win.step_s)[new:]
    served = np.maximum(lately.sum(axis=1), 1e-9)
    total = control.sum(axis=1)
    usually = _each(total, serving, _LATELY_S, win.step_s)[new:]
    now = _each(total, serving, _NOW_S, win.step_s)[new:]
    mean = lately @ where / served
    return allowance(learned.usual, mean, usually, now, win.load[begin:])


def _each(served: FloatArray, serving: FloatArray, seconds: float, step_s: float) -> FloatArray:
    """Requests per second and serving pod over trailing windows."""
    pods = np.maximum(sums_over(serving, seconds, step_s), 1.0)
    rate: FloatArray = sums_over(served, seconds, step_s) / (pods * step_s)
    return rate
