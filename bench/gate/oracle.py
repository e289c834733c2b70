"""What could be known at best: the power of one look at the end with every noise known.

As gate.md defines it: tau, the arm's sd and the noise are known, the test is one-sided against
`tolerate` at the signal's own share of alpha. No start has to be searched, no cold start learned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, poisson

from bench.gate.rates import Rates, buckets_at
from bench.gate.rollout import Fault, Rollout
from detector.gate.learn import error_floor, error_limits
from detector.series import FloatArray

__all__ = ["Harm", "harm_of", "power"]

_SLO = 0.999
_ALPHA = {"errors": 0.0015, "latency": 0.001, "tail": 0.00075, "restarts": 0.0005}
_LATENCY, _TAIL = 0.05, 0.15
_LATENCY_LIMIT = 0.20
_TAIL_FLOOR = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """True harm of a fault on all canary pods beside the limit of its signal (logs)."""

    size: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Requests of both sides while the fault was there, and what they amount to in pods."""

    canary: float
    control: float
    pods: float
    stables: float
    seconds: float


def power(rollout: Rollout, rates: Rates) -> float | None:
    """Chance that the oracle finds the fault, None where it is not asked."""
    if rollout.fault is None or rollout.fault is Fault.CPU:
        return None
    seen = _seen(rollout, rates)
    if seen.canary <= 0 or seen.control <= 0:
        return 0.0
    if rollout.fault is Fault.RESTARTS:
        return _restarts(rollout)
    if rollout.fault is Fault.TAIL:
        return max(_tail(rollout, seen), _latency(rollout, seen, 0.05 * math.log(4.5)))
    if rollout.fault_errors > 0:
        return _errors(rollout, seen)
    return _latency(rollout, seen, rollout.fault_latency)


def _seen(rollout: Rollout, rates: Rates) -> _Seen:
    mid = (rates.times[1:] + rates.times[:-1]) / 2
    during = (mid >= rollout.fault_at) & (mid < rollout.length)
    counts = (rates.requests * np.diff(rates.times))[:, during].sum(axis=1)
    canary = np.array([p.canary for p in rollout.pods])
    ours = counts[canary] if rollout.fault_pod < 0 else counts[[rollout.fault_pod]]
    return _Seen(
        canary=float(ours.sum()),
        control=float(counts[~canary].sum()),
        pods=_effective(ours),
        stables=_effective(counts[~canary]),
        seconds=float(rollout.length - rollout.fault_at),
    )


def _effective(counts: FloatArray) -> float:
    return float(counts.sum() ** 2 / max((counts**2).sum(), 1e-12))


def _variance(rollout: Rollout, seen: _Seen, *, tau: float, arm: float, wave: float) -> float:
    """Everything but counting: pods, arm, waves in time."""
    each = tau**2 + wave**2 * min(1.0, 2 * rollout.wave[2] / seen.seconds)
    return each / seen.pods + each / seen.stables + arm**2


def _errors(rollout: Rollout, seen: _Seen) -> float:
    p = rollout.error_rate
    floor = error_floor(p, _SLO)
    tolerate, _ = error_limits(p, floor, _SLO)
    edge = (p + floor) * math.exp(tolerate) - floor
    bad = p + rollout.fault_errors * (1 - p)
    square = _variance(
        rollout, seen, tau=rollout.tau_errors, arm=rollout.arm_sd[1], wave=rollout.wave[1]
    )
    spread = p**2 * square + p / seen.control
    z = norm.isf(_ALPHA["errors"])
    critical = edge + z * math.sqrt(edge / seen.canary + spread)
    if seen.canary * critical < 30:
        least = poisson.isf(_ALPHA["errors"], seen.canary * edge) + 1
        return float(poisson.sf(least - 1, seen.canary * bad))
    sd = math.sqrt(bad * (1 - bad) / seen.canary + spread)
    return float(norm.sf((critical - bad) / sd))


def _latency(rollout: Rollout, seen: _Seen, effect: float) -> float:
    each = _information(rollout)
    square = _variance(
        rollout, seen, tau=rollout.tau_latency, arm=rollout.arm_sd[0], wave=rollout.wave[0]
    )
    square += 1 / (each * seen.canary) + 1 / (each * seen.control)
    return float(norm.sf(norm.isf(_ALPHA["latency"]) - (effect - _LATENCY) / math.sqrt(square)))


def _information(rollout: Rollout) -> float:
    """Fisher information of one request's bucket about the log scale."""
    low, mid, high = (buckets_at(rollout, t) for t in (-0.01, 0.0, 0.01))
    slope = (high - low) / 0.02
    return float((slope**2 / np.maximum(mid, 1e-9)).sum())


def _tail(rollout: Rollout, seen: _Seen) -> float:
    """Requests above the edge that history exceeds most nearly 5 % of the time."""
    base = buckets_at(rollout, 0.0)
    above = 1 - np.cumsum(base)[:-1]
    usable = (above > 0.015) & (above <= 0.20)
    if not usable.any():
        return 0.0
    at = int(np.where(usable, np.abs(np.log(np.maximum(above, 1e-12) / 0.05)), np.inf).argmin())
    slower = 0.95 * base + 0.05 * buckets_at(rollout, math.log(4.5))
    p, bad = float(above[at]), float(1 - np.cumsum(slower)[at])
    shifted = 1 - np.cumsum(buckets_at(rollout, 0.01))[at]
    gain = math.log(max(shifted, 1e-12) / p) / 0.01
    square = _variance(
        rollout,
        seen,
        tau=gain * rollout.tau_latency,
        arm=gain * rollout.arm_sd[0],
        wave=gain * rollout.wave[0],
    )
    square += 1 / (bad * seen.canary) + 1 / (p * seen.control)
    effect = math.log((bad + _TAIL_FLOOR) / (p + _TAIL_FLOOR))
    return float(norm.sf(norm.isf(_ALPHA["tail"]) - (effect - _TAIL) / math.sqrt(square)))


def _restarts(rollout: Rollout) -> float:
    hours = sum((min(p.death, rollout.length) - p.birth) / 3600 for p in rollout.pods if p.canary)
    events = sum(len(p.starts) - 1 for p in rollout.pods if p.canary)
    least = poisson.isf(_ALPHA["restarts"], 2 * hours / 24) + 1
    return float(events >= least)


def harm_of(rollout: Rollout) -> Harm | None:
    """True harm beside its limit for faults on all pods from the start, None for others."""
    if rollout.fault_at > 0 or rollout.fault_pod >= 0:
        return None
    if rollout.fault_errors > 0:
        p = rollout.error_rate
        floor = error_floor(p, _SLO)
        mine = p * math.exp(rollout.arm_errors) + rollout.fault_errors
        size = math.log((mine + floor) / (p + floor))
        return Harm(size=size, limit=error_limits(p, floor, _SLO)[1])
    if rollout.fault_latency > 0:
        return Harm(size=rollout.fault_latency + rollout.arm_latency, limit=_LATENCY_LIMIT)
    return None
