"""From a bound plan and the history before the start to the tracks of an attempt."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.gauging import learn_by_age, learn_by_load
from detector.gate.learn import (
    Learned,
    error_floor,
    error_limits,
    history_rate,
    learn_counts,
    learn_scale,
    learn_usual,
    tail_edge,
)
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.track import Track
from detector.gate.unrest import count_unrest, scale_unrest
from detector.gate.vocabulary import Past
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind, Unit
from models.sequential.noise import COUNT_TAU, Noise, prior_noise
from models.sequential.rows import ROWS, Row, RowName

__all__ = [
    "build_track",
    "histogram_of",
    "row_of",
    "shares_of",
    "tail_counts",
    "template_track",
]

_BY_NAME = {"tail95": RowName.TAIL95, "tail99": RowName.TAIL99}
_BY_KIND = {
    Kind.RATIO: RowName.ERROR,
    Kind.LATENCY: RowName.LATENCY,
    Kind.EVENTS: RowName.EVENTS,
}
_OF_LINES = ROWS[RowName.LOGS]
# Signals whose shares of alpha are fixed; others take theirs from these in proportion.
_BUILT_IN = {
    "error_rate": 0.30,
    "latency": 0.20,
    "tail95": 0.15,
    "restarts": 0.10,
    "log_templates": 0.10,
    "tail99": 0.05,
    "cpu_per_request": 0.05,
    "memory_growth": 0.05,
}
_CUSTOM = 0.05
# Shown until a service's own placebos, or its policy, say that they may be judged.
_ADVISORY = frozenset({RowName.TAIL99, RowName.GAUGE, RowName.SLOPE})
_REQUIRED = frozenset({"error_rate", "latency", "tail95"})
_MEMORY_HOURS = 1.0
# One restart a day and pod is expected of any service, whatever its history shows.
_RESTARTS_PER_HOUR = 1.0 / 24.0


def row_of(bound: BoundSignal) -> Row | None:
    """The row of constants that judges a signal, None where it is shown only."""
    signal = bound.signal
    if bound.apart:
        return _OF_LINES
    if signal.kind is Kind.GAUGE and not signal.grows and bound.load is None:
        return None
    gauge = RowName.SLOPE if signal.grows else RowName.GAUGE
    name = _BY_NAME.get(signal.name) or {**_BY_KIND, Kind.GAUGE: gauge}.get(signal.kind)
    return ROWS[name] if name else None


def shares_of(plan: Plan, policy: Policy) -> dict[str, float]:
    """Each signal's share of alpha; those that the plan can judge share all of it."""
    share = dict(_BUILT_IN)
    for bound in plan.signals:
        name, wish = bound.signal.name, policy.signals.get(bound.signal.name)
        told = wish.weight if wish and wish.weight is not None else bound.signal.weight
        if told is not None or name not in share:
            share[name] = told if told is not None else _CUSTOM
    judged = {bound.signal.name for bound in plan.signals if _is_judged(bound, policy)}
    total = sum(weight for name, weight in share.items() if name in judged)
    return {name: weight / (total or 1.0) for name, weight in share.items()}


def _is_judged(bound: BoundSignal, policy: Policy) -> bool:
    """Whether a signal may fail an attempt; what is advisory only where promoted or wished."""
    row, wish = row_of(bound), policy.signals.get(bound.signal.name)
    if row is None or (policy.fail_when is not None and not _named(bound, policy)):
        return False
    if wish and wish.judged is not None:
        return wish.judged
    return bound.signal.promoted if row.name in _ADVISORY else bound.signal.judged


def histogram_of(arm: Arm, name: str) -> Histogram | None:
    """The histogram that feeds a signal; tails read the latency's."""
    return arm.histograms.get(name) or arm.histograms.get("latency")


def tail_counts(counts: FloatArray, edge: int) -> Counts:
    """Requests, and those above `edge`, per pod and bin, of histograms (pods, T, B + 1)."""
    above = counts[:, :, edge + 1 :]
    return Counts(n=np.add.reduce(counts, axis=2), x=np.add.reduce(above, axis=2))


def build_track(
    bound: BoundSignal, frame: Frame, policy: Policy, weight: float, edges: FloatArray | None
) -> Track | None:
    """The track of a signal, None while it has no data on the control's side."""
    row = row_of(bound)
    if row is None or (bound.signal.kind is Kind.GAUGE and not _is_judged(bound, policy)):
        return None
    wish = policy.signals.get(bound.signal.name, SignalPolicy())
    learned = _learn(bound, row, frame, policy, wish, edges)
    if learned is None:
        return None
    learned = _tightened(learned, policy.limits)
    on_histogram = row.name in {RowName.LATENCY, RowName.GAUGE, RowName.SLOPE}
    tally = 2 if row.name is not RowName.LATENCY or edges is None else len(edges) + 1
    name = bound.signal.name
    required = wish.required if wish.required is not None else _required(bound)
    if policy.pass_needs is not None:
        required = bound.signal.name in policy.pass_needs.names
    judged = wish.judged if wish.judged is not None else bound.signal.judged
    return Track(
        name=name,
        learned=learned,
        judged=_is_judged(bound, policy),
        required=required and judged,
        weight=weight,
        tally=tally,
        on_counts=not on_histogram,
        told_apart=bound.unit is Unit.POD,
        grace=row.name is not RowName.EVENTS,
    )


def template_track(
    bound: BoundSignal, policy: Policy, kind: str, weight: float, past: Past, *, is_new: bool
) -> Track:
    """The track of one kind of log line, by what was counted of it before."""
    wish = policy.signals.get(bound.signal.name, SignalPolicy())
    noise = prior_noise(COUNT_TAU, 0.1) if is_new else past.noise(_OF_LINES)
    lines = _of_lines(wish, noise, past.rate, past.requests, past.pods)
    return Track(
        name=f"{bound.signal.name}/{kind}",
        learned=_tightened(lines, policy.limits),
        judged=_is_judged(bound, policy),
        required=False,
        weight=weight,
        tally=2,
        on_counts=True,
        told_apart=bound.unit is Unit.POD,
        template=kind,
        is_new=is_new,
    )


def _of_lines(wish: SignalPolicy, noise: Noise, rate: float, requests: float, pods: int) -> Learned:
    """What is known of lines; they need no errors of the service to be judged."""
    row = _OF_LINES
    r = rate / (rate + row.eps0)
    return Learned(
        row=_limited(row, wish, (row.tolerate, row.limit), rate + row.eps0),
        noise=noise.scaled(r),
        arm=row.arm * max(r, 0.1),
        rate=rate,
        eps0=row.eps0,
        pods=pods,
        requests=requests,
    )


def _named(bound: BoundSignal, policy: Policy) -> bool:
    """Whether the policy's expression lets a signal fail an attempt."""
    return policy.fail_when is not None and bound.signal.name in policy.fail_when.names


def _required(bound: BoundSignal) -> bool:
    return bound.signal.required or bound.signal.name in _REQUIRED


def _learn(
    bound: BoundSignal,
    row: Row,
    frame: Frame,
    policy: Policy,
    wish: SignalPolicy,
    edges: FloatArray | None,
) -> Learned | None:
    scale = policy.time_scale
    name = bound.signal.name
    match row.name:
        case RowName.ERROR | RowName.LOGS:
            counts = frame.control.counts.get(name)
            made = _errors if row.name is RowName.ERROR else _lines
            return None if counts is None else made(row, counts, frame, policy, wish)
        case RowName.EVENTS:
            counts = frame.control.counts.get(name) or frame.canary.counts.get(name)
            return (
                None
                if counts is None
                else _events(row, frame.control.counts.get(name), frame, wish)
            )
        case RowName.LATENCY:
            histogram = histogram_of(frame.control, name)
            if histogram is None or edges is None:
                return None
            return _scale(row, histogram, frame, scale, wish)
        case RowName.TAIL95 | RowName.TAIL99:
            histogram = histogram_of(frame.control, name)
            if histogram is None or edges is None:
                return None
            return _tails(row, histogram, frame, scale, wish)
        case RowName.GAUGE:
            limited = _limited(row, wish, (row.tolerate, row.limit), None)
            return learn_by_load(limited, name, frame, scale)
        case RowName.SLOPE:
            limited = _limited(row, wish, (row.tolerate, row.limit), None)
            return learn_by_age(limited, name, frame, scale, bound.usual)


def _errors(row: Row, counts: Counts, frame: Frame, policy: Policy, wish: SignalPolicy) -> Learned:
    rate, requests = history_rate(counts.n, counts.x, frame)
    eps0 = error_floor(rate, policy.slo)
    limited = _limited(row, wish, error_limits(rate, eps0, policy.slo), rate + eps0)
    noise = learn_counts(row, counts.n, counts.x, frame, policy.time_scale)
    r = rate / (rate + eps0)
    return Learned(
        row=limited,
        noise=noise.scaled(r),
        arm=row.arm * max(r, 0.1),
        rate=rate,
        eps0=eps0,
        pods=_taught(counts.n, frame),
        requests=requests,
        unrest=count_unrest(counts.n, counts.x, rate, frame, policy.time_scale),
    )


def _lines(row: Row, counts: Counts, frame: Frame, policy: Policy, wish: SignalPolicy) -> Learned:
    """All error lines together."""
    scale = policy.time_scale
    rate, requests = history_rate(counts.n, counts.x, frame)
    noise = learn_counts(row, counts.n, counts.x, frame, scale)
    learned = _of_lines(wish, noise, rate, requests, _taught(counts.n, frame))
    return replace(learned, unrest=count_unrest(counts.n, counts.x, rate, frame, scale))


def _tails(
    row: Row, histogram: Histogram, frame: Frame, scale: float, wish: SignalPolicy
) -> Learned | None:
    past = max(0, -frame.first)
    edge = tail_edge(histogram.counts[:, :past].sum(axis=(0, 1)), row.name)
    if edge is None:
        return None
    counts = tail_counts(histogram.counts, edge)
    rate, requests = history_rate(counts.n, counts.x, frame)
    r = rate / (rate + row.eps0)
    noise = learn_counts(row, counts.n, counts.x, frame, scale)
    return Learned(
        row=_limited(row, wish, (row.tolerate, row.limit), rate),
        noise=noise.scaled(r),
        arm=row.arm * max(r, 0.1),
        rate=rate,
        eps0=row.eps0,
        edge=edge,
        pods=_taught(counts.n, frame),
        requests=requests,
        unrest=count_unrest(counts.n, counts.x, rate, frame, scale),
    )


def _scale(
    row: Row, histogram: Histogram, frame: Frame, scale: float, wish: SignalPolicy
) -> Learned:
    past = max(0, -frame.first)
    reference = histogram.counts[:, :past].sum(axis=(0, 1))
    return Learned(
        row=_limited(row, wish, (row.tolerate, row.limit), None),
        noise=learn_scale(row, histogram.counts, histogram.edges, frame, scale),
        arm=row.arm,
        pods=_taught(histogram.counts.sum(axis=2), frame),
        requests=float(reference.sum()),
        reference=reference if reference.sum() > 0 else None,
        unrest=scale_unrest(histogram.counts, histogram.edges, frame, scale),
        usual=learn_usual(histogram.counts, histogram.edges, frame, scale),
    )


def _events(row: Row, counts: Counts | None, frame: Frame, wish: SignalPolicy) -> Learned:
    """Base rate per pod-hour (gate method, 3.3)."""
    past = max(0, -frame.first)
    hours = float(counts.n[:, :past].sum()) if counts else 0.0
    events = float(counts.x[:, :past].sum()) if counts else 0.0
    rate = 0.5 * (events + 0.5) / (hours + _MEMORY_HOURS) + _RESTARTS_PER_HOUR
    return Learned(
        row=_limited(row, wish, (row.tolerate, row.limit), None),
        noise=prior_noise(COUNT_TAU, 0.1),
        arm=row.arm,
        rate=rate,
        requests=hours,
    )


def _tightened(learned: Learned, limits: float) -> Learned:
    """Both limits multiplied, as the increases that they are; by 1 nothing is, to the bit."""
    if limits == 1.0:
        return learned
    row = learned.row
    ends = (math.log1p(limits * math.expm1(end)) for end in (row.tolerate, row.limit))
    return replace(learned, row=row.with_limits(*ends))


def _limited(row: Row, wish: SignalPolicy, default: tuple[float, float], rate: float | None) -> Row:
    """The row with the policy's limits where it has some, as log ratios; limit >= tolerate."""
    tolerate = _log_ratio(wish.tolerate, wish.tolerate_points, rate, default[0])
    limit = _log_ratio(wish.limit, wish.limit_points, rate, default[1])
    return row.with_limits(tolerate, max(limit, tolerate))


def _log_ratio(
    relative: float | None, points: float | None, rate: float | None, default: float
) -> float:
    if points is not None and rate:
        return math.log1p(points / rate)
    return default if relative is None else math.log1p(relative)


def _taught(requests: FloatArray, frame: Frame) -> int:
    """Control pods with traffic in the history."""
    return int(np.count_nonzero(requests[:, : max(0, -frame.first)].sum(axis=1) > 0))
