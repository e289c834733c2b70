"""Whom an attempt learns from when it never had a control: its own past, or what was promised.

A pod that never was takes the control's place in the frame that tracks are built from: what it
served before the start is what the memory tells, or just what the policy's objectives allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.weekly import pooled_counts, pooled_latency
from detector.series import FloatArray
from detector.signals.plan import Plan
from detector.signals.signal import Kind

__all__ = ["has_served", "promised", "remembered"]

# Requests that an objective is worth: no doubt about what was promised, only about the canary.
_PROMISED = 1e7
_TAIL = 0.05


def has_served(arm: Arm) -> bool:
    """Whether any pod of the arm had a request in the retained bins."""
    return bool(arm.requests.any())


def remembered(frame: Frame, plan: Plan, memory: Memory) -> Frame | None:
    """The frame with the service's past in the control's place; None where there is none."""
    counts: dict[str, Counts] = {}
    histograms: dict[str, Histogram] = {}
    for bound in plan.signals:
        name = bound.signal.name
        if bound.signal.kind is Kind.RATIO:
            n, x = pooled_counts(memory, name)
            if n > 0:
                counts[name] = Counts(n=_first(frame, n), x=_first(frame, x))
        found = frame.canary.histograms.get(name)
        if bound.signal.kind is Kind.LATENCY and found is not None:
            pooled = pooled_latency(memory, name, found.edges)
            if pooled.sum() > 0:
                histograms[name] = _histogram(frame, found.edges, pooled)
    return _standing_in(frame, counts, histograms) if counts else None


def promised(frame: Frame, plan: Plan, policy: Policy) -> Frame | None:
    """The frame with a control that just keeps the policy's objectives; None where it has none."""
    if not policy.promises_slo:
        return None
    ratios = [b.signal.name for b in plan.signals if b.signal.kind is Kind.RATIO]
    bad = _first(frame, _PROMISED * (1.0 - policy.slo))
    counts = {name: Counts(n=_first(frame, _PROMISED), x=bad) for name in ratios}
    return _standing_in(frame, counts, _within(frame, policy))


def _within(frame: Frame, policy: Policy) -> dict[str, Histogram]:
    """Latencies of which 5 % are beyond the objective, at the next edge that the canary counts."""
    found = frame.canary.histograms.get("tail95") or frame.canary.histograms.get("latency")
    if policy.latency_slo_s is None or found is None:
        return {}
    at = int(np.searchsorted(found.edges, policy.latency_slo_s * (1 - 1e-9)))
    if at >= len(found.edges):
        return {}
    counts = np.zeros(len(found.edges) + 1)
    counts[at], counts[at + 1] = _PROMISED * (1 - _TAIL), _PROMISED * _TAIL
    return {"tail95": _histogram(frame, found.edges, counts)}


def _first(frame: Frame, value: float) -> FloatArray:
    """One pod's values, all of it in the first bin: (1, T)."""
    values = np.zeros((1, frame.bins))
    values[0, 0] = value
    return values


def _histogram(frame: Frame, edges: FloatArray, counts: FloatArray) -> Histogram:
    whole = np.zeros((1, frame.bins, len(counts)))
    whole[0, 0] = counts
    return Histogram(edges=edges, counts=whole)


def _standing_in(
    frame: Frame, counts: Mapping[str, Counts], histograms: Mapping[str, Histogram]
) -> Frame:
    """Learning looks before the start only: the frame begins there, if it did not."""
    served = next(iter(counts.values())).n
    arm = Arm(
        pods=("before",),
        born=np.array([-math.inf]),
        age=np.full((1, frame.bins), np.inf),
        seen=np.zeros((1, frame.bins)),
        requests=served,
        counts=counts,
        histograms=histograms,
    )
    return replace(frame, first=min(frame.first, -1), control=arm)
