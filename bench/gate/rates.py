"""From a drawn rollout to expected counts: what every pod would serve, fail and take, over time.

Everything random that both ways of observing share (waves, balancing) is drawn here; counting
noise is added by `samples.py` (raw scrapes) or `frames.py` (bins). Times are seconds from the
attempt's start on a grid of 15 s in history and 5 s from ten minutes before the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter
from scipy.special import ndtr

from bench.gate.rollout import HISTORY_S, Cold, Fault, Rollout
from detector.series import FloatArray

__all__ = ["EDGES", "Rates", "buckets_at", "expected"]

EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
DOWN_S = 8.0
SLOW = math.log(4.5)
_FINE_S, _COARSE_S, _FINE_FROM_S = 5.0, 15.0, -600.0
_BURST_ERRORS, _BURST_LATENCY = 0.3, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Sums from the grid's beginning to each of its `times` (F + 1,), and values in its cells.

    `buckets` (P, F + 1, B + 1) expected requests per latency bucket; `errors`, `second` (P, F + 1)
    expected 5xx and requests on the second route; `cpu` (P, F + 1) seconds; `memory` (P, F) bytes.
    `theta` (P, F) log latency and `rate` (P, F) error share are the truth.
    """

    times: FloatArray
    buckets: FloatArray
    errors: FloatArray
    second: FloatArray
    cpu: FloatArray
    memory: FloatArray
    theta: FloatArray
    rate: FloatArray
    requests: FloatArray


def expected(rollout: Rollout) -> Rates:
    """The rollout's rates; equal for equal rollouts."""
    rng = np.random.default_rng([rollout.seed, 77])
    times = np.concatenate(
        [
            np.arange(-HISTORY_S, _FINE_FROM_S, _COARSE_S),
            np.arange(_FINE_FROM_S, rollout.length + _FINE_S, _FINE_S),
        ]
    )
    mid, width = (times[1:] + times[:-1]) / 2, np.diff(times)
    age = _ages(rollout, mid)
    requests = _requests(rng, rollout, mid, age)
    share = _second_route(rollout, mid)
    wave = [_waves(rng, len(rollout.pods), mid, rollout.wave[2]) for _ in range(2)]
    theta = _theta(rng, rollout, mid, age, requests) + rollout.wave[0] * wave[0]
    rate = _error_share(rollout, mid, age, share, rollout.wave[1] * wave[1])
    slow = _slow_share(rng, rollout, mid, age)
    counts = (requests * width)[..., None] * _buckets(rollout, theta, slow, share)
    cpu = _cpu(rng, rollout, age, requests, mid)
    return Rates(
        times=times,
        buckets=_sums(counts),
        errors=_sums(requests * width * rate),
        second=_sums(requests * width * share),
        cpu=_sums(cpu * width),
        memory=_memory(rollout, age, mid),
        theta=theta,
        rate=rate,
        requests=requests,
    )


def _sums(cells: FloatArray) -> FloatArray:
    out = np.zeros((cells.shape[0], cells.shape[1] + 1, *cells.shape[2:]))
    np.cumsum(cells, axis=1, out=out[:, 1:])
    return out


def _ages(rollout: Rollout, mid: FloatArray) -> FloatArray:
    """Seconds since the latest container start (P, F); NaN where the pod does not exist."""
    age = np.full((len(rollout.pods), len(mid)), np.nan)
    for row, pod in zip(age, rollout.pods, strict=True):
        starts = np.array(pod.starts)
        last = np.searchsorted(starts, mid, side="right") - 1
        alive = (last >= 0) & (mid < pod.death)
        row[alive] = mid[alive] - starts[last[alive]]
    return age


def _canary_share(rollout: Rollout, mid: FloatArray) -> FloatArray:
    times = np.array([t for t, _ in rollout.steps])
    weights = np.array([0.0, *(w for _, w in rollout.steps)])
    share: FloatArray = weights[np.searchsorted(times, mid, side="right")]
    return share


def _requests(rng: Generator, rollout: Rollout, mid: FloatArray, age: FloatArray) -> FloatArray:
    """Requests per second of each pod."""
    size, phase = rollout.season
    begin, factor, over = rollout.ramp
    total = rollout.rps * np.exp(
        size * (np.sin(2 * np.pi * mid / 86400 * 4 + phase) - math.sin(phase))
        + math.log(factor) * np.clip((mid - begin) / over, 0, 1)
        + 0.05 * _waves(rng, 1, mid, 60.0)[0]
    )
    canary = np.array([p.canary for p in rollout.pods])
    share = np.array([p.share for p in rollout.pods])
    born_here = np.array([p.birth > -HISTORY_S for p in rollout.pods])
    serving = (age > np.where(born_here, DOWN_S, 0.0)[:, None]) & ~np.isnan(age)
    part = share[:, None] * serving * np.exp(0.03 * _waves(rng, len(share), mid, 120.0))
    weight = _canary_share(rollout, mid) * serving[canary].any(axis=0)
    out = np.zeros_like(age)
    for arm, to_arm in ((canary, weight), (~canary, 1 - weight)):
        all_parts = part[arm].sum(axis=0)
        out[arm] = part[arm] / np.maximum(all_parts, 1e-12) * to_arm * total
    return out


def _waves(rng: Generator, rows: int, mid: FloatArray, constant: float) -> FloatArray:
    """Autocorrelated standard normal noise (rows, F)."""
    ticks = int((mid[-1] + HISTORY_S) / _FINE_S) + 2
    keep = math.exp(-_FINE_S / constant)
    white = rng.standard_normal((rows, ticks + 64)) * math.sqrt(1 - keep**2)
    smooth = lfilter([1.0], [1.0, -keep], white, axis=1)[:, 64:]
    chosen: FloatArray = smooth[:, ((mid + HISTORY_S) / _FINE_S).astype(np.int64)]
    return chosen


def _second_route(rollout: Rollout, mid: FloatArray) -> FloatArray:
    size, at = rollout.mix
    logit = math.log(rollout.mixing / (1 - rollout.mixing)) + size / (1 + np.exp(-(mid - at) / 60))
    share: FloatArray = 1 / (1 + np.exp(-logit))
    return share


def _warming(rollout: Rollout, age: FloatArray) -> FloatArray:
    """Shape of the cold start, 1 at birth, by age (P, F); each pod warms up a little otherwise."""
    warm = np.array([p.warm for p in rollout.pods])[:, None]
    t = np.nan_to_num(age, nan=1e9) / rollout.cold_span
    match rollout.cold:
        case Cold.EXPONENTIAL:
            shape = np.exp(-t / 70)
        case Cold.PLATEAU:
            shape = np.clip((160 - t) / 40, 0, 1)
        case Cold.RAMP:
            shape = np.clip(1 - t / 220, 0, 1)
        case Cold.TWO_PHASE:
            shape = 0.6 * np.exp(-t / 20) + 0.4 * np.exp(-t / 150)
        case Cold.BUMP:
            shape = np.exp(-t / 40) + 0.5 * np.exp(-(((t - 150) / 25) ** 2) / 2)
        case _:
            assert_never(rollout.cold)
    warmed: FloatArray = warm * shape
    return warmed


def _load(rollout: Rollout, requests: FloatArray) -> FloatArray:
    """Load over that of a stable pod in history."""
    nominal = rollout.rps / max(rollout.stables, 1)
    return np.clip(requests / nominal, 0.02, None)


def _theta(
    rng: Generator, rollout: Rollout, mid: FloatArray, age: FloatArray, requests: FloatArray
) -> FloatArray:
    """Log latency beside the service's own, without the waves."""
    canary = np.array([p.canary for p in rollout.pods])[:, None]
    load = _load(rollout, requests)
    theta = np.array([p.latency for p in rollout.pods])[:, None] + canary * rollout.arm_latency
    theta = theta + rollout.elasticity * np.log(load)
    busy = np.minimum(rollout.utilisation * load, 0.9)
    theta = theta - np.log1p(-busy) + math.log1p(-rollout.utilisation)
    theta = theta + rollout.cold_size * _warming(rollout, age)
    period, height, _ = rollout.pauses
    offset = rng.uniform(0, period, len(rollout.pods))[:, None]
    theta = theta + height * (np.mod(mid + offset, period) / period - 0.5)
    for span in rollout.incidents_latency:
        theta = theta + span.size * _during(span.begin, span.end, mid)
    for span in rollout.bursts:
        if span.size > 0:
            theta[span.pod] += _BURST_LATENCY * _during(span.begin, span.end, mid)
    return theta + _faulty(rollout, mid) * rollout.fault_latency


def _during(begin: float, end: float, mid: FloatArray) -> FloatArray:
    return ((mid >= begin) & (mid < end)).astype(np.float64)


def _faulty(rollout: Rollout, mid: FloatArray) -> FloatArray:
    """Where the fault is at work (P, F)."""
    rows = np.array([p.canary for p in rollout.pods])
    if rollout.fault is None:
        rows = np.zeros(len(rows), dtype=np.bool_)
    elif rollout.fault_pod >= 0:
        rows = np.arange(len(rows)) == rollout.fault_pod
    faulty: FloatArray = rows[:, None] * (mid >= rollout.fault_at)
    return faulty


def _slow_share(rng: Generator, rollout: Rollout, mid: FloatArray, age: FloatArray) -> FloatArray:
    """Share of requests that take 4.5 times as long."""
    slow = np.minimum(0.25, 0.08 * rollout.cold_size * _warming(rollout, age))
    period, _, share = rollout.pauses
    if share > 0:
        offset = rng.uniform(0, period, len(rollout.pods))[:, None]
        slow = slow + 2 * share * (np.mod(mid + offset, period) < period / 2)
    if rollout.fault is Fault.TAIL:
        slow = slow + 0.05 * _faulty(rollout, mid)
    return np.minimum(slow, 1.0)


def _error_share(
    rollout: Rollout, mid: FloatArray, age: FloatArray, share: FloatArray, wave: FloatArray
) -> FloatArray:
    canary = np.array([p.canary for p in rollout.pods])[:, None]
    level = np.array([p.errors for p in rollout.pods])[:, None] + canary * rollout.arm_errors
    level = level + wave + rollout.cold_errors * _warming(rollout, age)
    routes = (1 + share) / (1 + rollout.mixing)
    good = 1 - np.minimum(rollout.error_rate * routes * np.exp(level), 0.9)
    for span in rollout.incidents_errors:
        good = good * (1 - span.size * _during(span.begin, span.end, mid))
    for span in rollout.bursts:
        if span.size < 0:
            good[span.pod] *= 1 - _BURST_ERRORS * _during(span.begin, span.end, mid)
    rate: FloatArray = 1 - good * (1 - rollout.fault_errors * _faulty(rollout, mid))
    return rate


def _buckets(
    rollout: Rollout, theta: FloatArray, slow: FloatArray, share: FloatArray
) -> FloatArray:
    """Probability of each latency bucket (P, F, B + 1)."""
    below = _below(rollout, theta, share)
    if (slow > 0).any():
        below = below + slow[..., None] * (_below(rollout, theta + SLOW, share) - below)
    whole = np.ones((*theta.shape, 1))
    return np.maximum(np.diff(np.concatenate([0 * whole, below, whole], axis=-1), axis=-1), 0.0)


def _below(rollout: Rollout, theta: FloatArray, share: FloatArray) -> FloatArray:
    """Share of requests up to each edge (P, F, B)."""
    routes = len(rollout.medians) // 2
    below = np.zeros((*theta.shape, len(EDGES)))
    for k, (median, width, weight) in enumerate(
        zip(rollout.medians, rollout.widths, rollout.weights, strict=True)
    ):
        route = share if k >= routes else 1 - share
        z = (np.log(EDGES) - math.log(median) - theta[..., None]) / width
        below += (weight * route)[None, :, None] * ndtr(z)
    return below


def _cpu(
    rng: Generator, rollout: Rollout, age: FloatArray, requests: FloatArray, mid: FloatArray
) -> FloatArray:
    """Cores of each pod: affine in load."""
    each = 0.4 / max(rollout.rps / max(rollout.stables, 1), 1.0)
    canary = np.array([p.canary for p in rollout.pods])[:, None]
    level = np.array([p.cpu for p in rollout.pods])[:, None] + canary * rollout.arm_cpu
    level = level + 0.05 * _waves(rng, len(rollout.pods), mid, 60.0)
    if rollout.fault is Fault.CPU:
        level = level + math.log(1.4) * _faulty(rollout, mid)
    warm = 1 + rollout.cold_size * _warming(rollout, age)
    cores: FloatArray = (0.08 + each * requests) * np.exp(level) * warm * ~np.isnan(age)
    return cores


def _memory(rollout: Rollout, age: FloatArray, mid: FloatArray) -> FloatArray:
    """Resident bytes: fills for half an hour, and a saw-tooth."""
    filled = 1 + 0.5 * (1 - np.exp(-np.nan_to_num(age) / 1800))
    period = rollout.pauses[0]
    size: FloatArray = 3e8 * (filled + 0.1 * np.mod(mid, period) / period)
    return size


def buckets_at(rollout: Rollout, theta: float) -> FloatArray:
    """Bucket probabilities of the service at a log latency beside its own (B + 1,)."""
    share = np.array([rollout.mixing])
    shares: FloatArray = _buckets(rollout, np.full((1, 1), theta), np.zeros((1, 1)), share)[0, 0]
    return shares
