"""Gauges beside the verdict: use per load, growth, levels; shown, never judged (E = 1).

CPU per request and growth of memory become evidence where their placebos passed: `gauging`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

import numpy as np

from detector.gate.frame import Arm
from detector.gate.reason import Reason, ReasonCode
from detector.gate.verdict import Effect, Outcome, Samples, SignalVerdict
from detector.gate.window import Window
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind
from models.sequential.gauge import affine_by_load, excess, log_slopes
from models.sequential.rows import ROWS, Row, RowName

__all__ = ["advise"]

_BLOCK_S = 300.0
_SLOPE_WINDOW_S = 600.0
_LEVEL_S, _LEAST_SD, _FLOOR = 600.0, 0.05, 0.1
_Z90 = 1.645


def advise(
    plan: Plan, window: Window, scale: float, *, besides: frozenset[str] = frozenset()
) -> Iterator[SignalVerdict]:
    """One advisory signal for each bound gauge that has data on both sides; not of those judged."""
    for bound in plan.signals:
        name = bound.signal.name
        if bound.signal.kind is not Kind.GAUGE or name in besides:
            continue
        ours, theirs = (arm.gauges.get(name) for arm in (window.frame.canary, window.frame.control))
        if ours is None or theirs is None or not (ours.size and theirs.size):
            continue
        shown = _advice(bound, window, ours, theirs, scale)
        if shown is not None:
            yield shown


def _advice(
    bound: BoundSignal, window: Window, ours: FloatArray, theirs: FloatArray, scale: float
) -> SignalVerdict | None:
    if bound.load is not None:
        return _by_load(bound, window, ours, theirs, scale)
    if bound.signal.grows:
        return _growth(bound, window, ours, theirs)
    return _level(bound, window, ours, theirs)


def _by_load(
    bound: BoundSignal, window: Window, ours: FloatArray, theirs: FloatArray, scale: float
) -> SignalVerdict | None:
    """CPU against what the control's pods use at the same load."""
    frame, seconds = window.frame, _BLOCK_S * scale
    width = max(2, round(_BLOCK_S / window.step_s))
    start = max(0, -frame.first)
    load_s, cpu_s = _blocks(frame.control, theirs, width, 0, frame.step)
    load_c, cpu_c = _blocks(frame.canary, ours, width, start, frame.step)
    fit = affine_by_load(load_s.ravel(), cpu_s.ravel(), seconds)
    if fit is None:
        return None
    found = excess(fit, load_c, cpu_c)
    if found is None:
        return None
    row = ROWS[RowName.GAUGE]
    sides = _per_request(cpu_c, load_c), _per_request(cpu_s, load_s)
    return _shown(bound, row, found, *sides, unit=bound.signal.unit)


def _per_request(value: FloatArray, load: FloatArray) -> float | None:
    known = np.isfinite(value) & (load > 0)
    total = float(load[known].sum())
    return float(value[known].sum()) / total if total > 0 else None


def _blocks(
    arm: Arm, values: FloatArray, width: int, start: int, step: float
) -> tuple[FloatArray, FloatArray]:
    """Mean requests per second and mean value of each pod in each whole block."""
    count = max(0, (values.shape[1] - start) // width)
    cut = slice(values.shape[1] - count * width, None)
    shape = (len(values), count, width)
    load = np.add.reduce(arm.requests[:, cut].reshape(shape), axis=2) / (width * step)
    value = values[:, cut].reshape(shape)
    finite = np.isfinite(value)
    seen = np.add.reduce(finite, axis=2)
    load[seen == 0] = np.nan
    total = np.add.reduce(np.where(finite, value, 0.0), axis=2)
    return load, np.where(seen > 0, total / np.maximum(seen, 1), np.nan)


def _growth(
    bound: BoundSignal, window: Window, ours: FloatArray, theirs: FloatArray
) -> SignalVerdict | None:
    """Growth of memory per 10 minutes beside the stable pods' own."""
    width = round(_SLOPE_WINDOW_S / window.step_s)
    times = np.arange(width, dtype=np.float64) * np.float64(window.step_s)
    if ours.shape[1] < width:
        return None
    both = np.concatenate([ours[:, -width:], theirs[:, -width:]])
    slopes = log_slopes(both, times) * _SLOPE_WINDOW_S
    since, stable = (s[np.isfinite(s)] for s in (slopes[: len(ours)], slopes[len(ours) :]))
    if not len(since) or not len(stable):
        return None
    usual = median(stable.tolist())
    spread = float(stable.std()) if len(stable) > 1 else 0.02
    error = max(spread, 0.002) * math.sqrt(1 / len(since) + 1 / len(stable))
    found = (float(since.mean()) - usual, error)
    row = ROWS[RowName.SLOPE]
    sides = math.expm1(float(since.mean())), math.expm1(usual)
    return _shown(bound, row, found, *sides, unit="ratio per 10 minutes")


def _level(
    bound: BoundSignal, window: Window, ours: FloatArray, theirs: FloatArray
) -> SignalVerdict | None:
    """Means of the last ten minutes beside the stable pods' own."""
    width = round(_LEVEL_S / window.step_s)
    since, stable = (_lately(values, width) for values in (ours, theirs))
    if not len(since) or not len(stable):
        return None
    usual = float(np.median(stable))
    # A tenth of the usual, or a hundredth of the canary's where the usual is 0, keeps logs finite.
    floor = _FLOOR * abs(usual) or 0.01 * float(np.abs(since).max())
    if floor <= 0:
        found = 0.0, _LEAST_SD
    else:
        logs = [
            np.log((np.maximum(each, 0.0) + floor) / (usual + floor)) for each in (since, stable)
        ]
        error = max(float(logs[1].std()), _LEAST_SD) * math.sqrt(1 / len(since) + 1 / len(stable))
        found = float(logs[0].mean()), error
    row = ROWS[RowName.GAUGE]
    return _shown(bound, row, found, float(since.mean()), usual, unit=bound.signal.unit)


def _lately(values: FloatArray, width: int) -> FloatArray:
    """Mean of each pod's last bins, of those that have any."""
    last = values[:, -width:]
    known = np.isfinite(last)
    seen = known.sum(axis=1)
    total = np.where(known, last, 0.0).sum(axis=1)
    means: FloatArray = total[seen > 0] / seen[seen > 0]
    return means


def _shown(
    bound: BoundSignal,
    row: Row,
    found: tuple[float, float],
    canary: float | None,
    control: float | None,
    *,
    unit: str,
) -> SignalVerdict:
    effect = _effect(row, *found)
    worse = found[0] - _Z90 * found[1] > row.tolerate
    code = ReasonCode.SUSPICIOUS if worse else ReasonCode.HEALTHY
    verb = "more than" if worse else "in line with"
    return SignalVerdict(
        name=bound.signal.name,
        outcome=Outcome.INCONCLUSIVE if worse else Outcome.PASS,
        required=False,
        judged=False,
        unit=unit,
        canary=canary,
        control=control,
        effect=effect,
        evidence=1.0,
        needed=None,
        samples=Samples(canary=0.0, control=0.0),
        scope="arm",
        since=None,
        reason=Reason(code, f"x{effect.value:.2f}, {verb} the control; advice only, not judged."),
        details={},
    )


def _effect(row: Row, value: float, error: float) -> Effect:
    """Times as much, from a log excess and its standard error."""
    return Effect(
        kind="ratio",
        value=math.exp(value),
        low=math.exp(value - _Z90 * error),
        high=math.exp(value + _Z90 * error),
        tolerate=math.exp(row.tolerate),
        limit=math.exp(row.limit),
    )
