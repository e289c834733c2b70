"""Gauges as evidence, where their placebos have passed: CPU per load, and growth at equal age.

What a canary pod shows beyond what the control's pods do at the same load or age, bin by bin
(gate method, 3.4). Until a signal is promoted it has no track and costs nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.frame import Arm, Frame
from detector.gate.learn import Learned
from detector.gate.track import Base, Track
from detector.gate.window import Window, arrange, sums_over
from detector.series import FloatArray
from detector.signals.plan import AgeGrowth
from models.sequential.consumption import Consumption, consumption
from models.sequential.gauge import gauge_likelihood, residual_variance
from models.sequential.growth import WINDOW_S, AtAge, Growth, closing_slopes, growth
from models.sequential.noise import SCALE_TAU, learn_from_modes, prior_noise
from models.sequential.rows import Row

__all__ = ["Gauged", "gauge_base", "learn_by_age", "learn_by_load"]

_BLOCK_S, _LOAD_S = 300.0, 120.0
# One bin's figure of CPU is hardly better known than to three per cent.
_LEAST_SD = 0.03
_FEW_PODS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauged(Learned):
    """Constants of a gauge: its line by load, or its growth by age.

    `variance` of one bin's log excess, `per_request`: information that one request brings.
    """

    line: Consumption | None = None
    growth: Growth | None = None
    variance: float
    per_request: float


def learn_by_load(row: Row, name: str, frame: Frame, scale: float) -> Gauged | None:
    """Use per load of the control's pods before the start; None where there is too little of it."""
    past = max(0, -frame.first)
    use = frame.control.gauges[name][:, :past]
    load = frame.control.requests[:, :past] / frame.step
    width = max(2, round(_BLOCK_S * scale / frame.step))
    blocks = _means(load, use, width), _means(use, use, width)
    line = consumption(*blocks, width * frame.step)
    if line is None:
        return None
    y = _beside(line, load, use)
    variance = residual_variance(y, _LEAST_SD)
    each = _means(y, y, width)
    known = np.where(np.isfinite(each), variance / width, np.inf)
    per_bin = max(line.mean_load * frame.step, 1e-9)
    return Gauged(
        row=row,
        noise=learn_from_modes(np.nan_to_num(each), known, row.sigma_floor),
        arm=row.arm,
        pods=int(np.count_nonzero(np.isfinite(y).any(axis=1))),
        requests=float(np.nansum(frame.control.requests[:, :past])),
        line=line,
        variance=variance,
        per_request=1.0 / (variance * per_bin),
    )


def learn_by_age(
    row: Row, name: str, frame: Frame, scale: float, known: Sequence[AgeGrowth] = ()
) -> Gauged | None:
    """Growth of the control's pods at each age before the start; None of too few starts.

    `known` is what starts of the last weeks have shown.
    """
    past = max(0, -frame.first)
    control = frame.control
    held, age = control.gauges[name][:, :past], control.age[:, :past] / scale
    usual = growth(held, age, frame.step / scale).with_more(_told(known))
    if not usual.usual:
        return None
    typical = float(np.median([at.variance for at in usual.usual.values()]))
    bins = WINDOW_S * scale / frame.step
    # A bin that says anything says it of ten minutes: it is no noisier than these.
    sigma = row.sigma_floor / float(np.sqrt(bins))
    requests = control.requests[:, :past]
    each = float(requests.mean()) if requests.size else 1.0
    return Gauged(
        row=row,
        noise=prior_noise(SCALE_TAU, sigma),
        arm=row.arm,
        pods=min(at.starts for at in usual.usual.values()),
        requests=float(requests.sum()),
        growth=usual,
        variance=typical,
        per_request=1.0 / (typical * bins * max(each, 1e-9)),
    )


def _told(known: Sequence[AgeGrowth]) -> Growth:
    at_ages = {
        one.window: AtAge(median=one.median, variance=one.variance, starts=one.starts)
        for one in known
    }
    return Growth(usual=at_ages)


def gauge_base(track: Track, win: Window, begin: int) -> Base:
    """Base of a promoted gauge's new bins."""
    learned = track.learned
    if not isinstance(learned, Gauged):
        raise ValueError(f"{track.name} is no gauge")
    if learned.line is not None:
        return _by_load(track, learned, learned.line, win, begin)
    if learned.growth is not None:
        return _by_age(track, learned.growth, win, begin)
    raise ValueError(f"{track.name} has neither a line nor a growth")


def _by_load(track: Track, learned: Gauged, line: Consumption, win: Window, begin: int) -> Base:
    frame = win.frame
    since = max(0, begin - round(_LOAD_S / win.step_s))
    ours, theirs = (
        _part(arm, track.name, since, frame.step) for arm in (frame.canary, frame.control)
    )
    among = win.stable.T[:, since:] > 0
    usual = _middle(np.where(among, theirs[0], np.nan))
    middle = _middle(np.where(among, _excess(line, *theirs), np.nan))
    beyond = line.beyond(_lately(ours[0], win.step_s), _lately(usual[None], win.step_s))
    y = _excess(line, *ours) - middle - line.excused(ours[0], usual, beyond)
    y = np.where(np.isfinite(y), y, np.nan)[:, begin - since :]
    return _base(
        track,
        _rows(y, win),
        np.full((y.shape[1], win.count), learned.variance),
        tuple(win.canary(part, begin) for part in _totals(frame.canary, track.name, frame.step)),
        tuple(
            win.reference(part, begin) for part in _totals(frame.control, track.name, frame.step)
        ),
    )


def _by_age(track: Track, usual: Growth, win: Window, begin: int) -> Base:
    frame = win.frame
    back = max(0, begin - round(WINDOW_S / win.step_s) - 1)
    scale = frame.step / win.step_s
    ours, theirs = (
        closing_slopes(arm.gauges[track.name][:, back:], arm.age[:, back:] / scale, win.step_s)
        for arm in (frame.canary, frame.control)
    )
    y, variance = (part[:, begin - back :] for part in usual.excess(*ours))
    slope, control = ours[0][:, begin - back :], theirs[0][:, begin - back :]
    return _base(
        track,
        _rows(y, win),
        _rows(variance, win),
        (win.canary(np.isfinite(slope).astype(np.float64), begin), win.canary(slope, begin)),
        (
            win.reference(np.isfinite(control).astype(np.float64), begin),
            win.reference(np.nan_to_num(control), begin),
        ),
    )


def _base(
    track: Track,
    y: FloatArray,
    variance: FloatArray,
    ours: tuple[FloatArray, ...],
    theirs: tuple[FloatArray, ...],
) -> Base:
    flat = np.ones(len(y))
    return Base(
        log_l=gauge_likelihood(y, variance, track.learned.row.grid),
        weight=flat,
        incident=np.zeros(len(y)),
        ours=np.stack(ours, axis=-1),
        theirs=np.stack(theirs, axis=-1),
    )


def _part(arm: Arm, name: str, since: int, step: float) -> tuple[FloatArray, FloatArray]:
    """Requests per second and use of each pod, (pods, T)."""
    return arm.requests[:, since:] / step, arm.gauges[name][:, since:]


def _lately(load: FloatArray, step_s: float) -> FloatArray:
    """Mean load of the last two minutes, (pods, T); of no bins before the first."""
    known = np.nan_to_num(load).T
    bins = sums_over(np.ones((load.shape[1], 1)), _LOAD_S, step_s)
    mean: FloatArray = (sums_over(known, _LOAD_S, step_s) / bins).T
    return mean


def _totals(arm: Arm, name: str, step: float) -> tuple[FloatArray, FloatArray]:
    """Requests and use of each pod in the bins in which its use is known, (pods, T)."""
    use = arm.gauges[name]
    known = np.isfinite(use)
    return np.where(known, arm.requests, 0.0), np.where(known, use, 0.0) * step


def _excess(line: Consumption, load: FloatArray, use: FloatArray) -> FloatArray:
    """Log of use over what the line says at this load; NaN where nothing is used or served."""
    there = (use > 0) & (load > 0)
    ratio = np.where(there, use, 1.0) / line.predict(load)
    logs: FloatArray = np.where(there, np.log(ratio), np.nan)
    return logs


def _beside(line: Consumption, load: FloatArray, use: FloatArray) -> FloatArray:
    """Excess of each control pod over the middle of all of them in the same bin."""
    excess = _excess(line, load, use)
    beside: FloatArray = excess - _middle(excess)
    return beside


def _middle(values: FloatArray) -> FloatArray:
    """Median over the pods of each bin (mean of fewer than four), NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1)
    ordered = np.sort(np.where(known, values, np.inf), axis=0)
    at = np.arange(values.shape[1])
    low, high = ordered[np.maximum(count - 1, 0) // 2, at], ordered[count // 2 * (count > 1), at]
    middle = np.where(count >= _FEW_PODS, (low + high) / 2, mean)
    found: FloatArray = np.where(count > 0, middle, np.nan)
    return found


def _rows(values: FloatArray, win: Window) -> FloatArray:
    """Means over the pods of each canary row, time first: (T, P); NaN where no pod says any."""
    known = np.isfinite(values)
    count = arrange(known.astype(np.float64), win.rows, win.count)
    total = arrange(np.where(known, values, 0.0), win.rows, win.count)
    mean: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _means(weight: FloatArray, values: FloatArray, width: int) -> FloatArray:
    """Means of `weight` over the bins of each whole block at which `values` are known."""
    count = values.shape[1] // width
    cut = slice(values.shape[1] - count * width, None)
    shape = (len(values), count, width)
    known = np.isfinite(values[:, cut]).reshape(shape)
    total = np.where(known, weight[:, cut].reshape(shape), 0.0).sum(axis=2)
    seen = known.sum(axis=2)
    means: FloatArray = np.where(seen > 0, total / np.maximum(seen, 1), np.nan)
    return means
