"""Rollouts whose pods use CPU and hold memory, for tests of gauges that are evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.gate.frame import Arm, Frame
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from tests.detector.gate.rollouts import PLAN, REQUESTS, Recipe, make

CPU = BoundSignal(
    signal=Signal(name="cpu_per_request", kind=Kind.GAUGE, judged=False, promoted=True),
    pack="test",
    unit=Unit.POD,
    total=Family(metric="cpu_seconds_total", shape=Shape.COUNTER),
    load=REQUESTS,
)
MEMORY = BoundSignal(
    signal=Signal(name="memory_growth", kind=Kind.GAUGE, judged=False, promoted=True, grows=True),
    pack="test",
    unit=Unit.POD,
    total=Family(metric="memory_bytes", shape=Shape.GAUGE),
)
PROMOTED = replace(PLAN, signals=(*PLAN.signals, CPU, MEMORY))
SHOWN = replace(
    PLAN,
    signals=(
        *PLAN.signals,
        *(replace(b, signal=replace(b.signal, promoted=False)) for b in (CPU, MEMORY)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What pods use: `cores` idle and `each` CPU seconds a request; the canary `dearer` times.

    `wobble`: sd of a bin's log use; `pods`, `arm`: sds of log use between pods and shared by the
    canary's. Memory fills by `fills` (log) over the first 15 minutes of age and then stays but for
    `creep` (sd of log growth in ten minutes); the canary's grows by `leak` in ten minutes.
    `starts`: bins before the attempt at which control pods started, one after the other.
    """

    cores: float = 0.1
    each: float = 0.01
    dearer: float = 1.0
    wobble: float = 0.08
    pods: float = 0.02
    arm: float = 0.025
    fills: float = 0.4
    creep: float = 0.004
    leak: float = 0.0
    starts: Sequence[int] = (400, 390, 380)


def used(recipe: Recipe, use: Use | None = None) -> Frame:
    """The rollout of a recipe with CPU and memory of every pod."""
    use, frame = use or Use(), make(recipe)
    rng = np.random.default_rng(recipe.seed + 99)
    control = _started(frame.control, use, frame)
    return replace(
        frame,
        canary=_with(frame.canary, frame, use, rng, canary=True),
        control=_with(control, frame, use, rng, canary=False),
    )


def _started(control: Arm, use: Use, frame: Frame) -> Arm:
    """The control with starts within the history, whose ages are known."""
    bins = np.arange(frame.bins) + frame.first
    age = np.full((len(control.pods), frame.bins), 5e5) + (bins + 1) * frame.step
    for pod, start in enumerate(use.starts[: len(age)]):
        young = (bins + start + 1) * frame.step
        age[pod] = np.where(young > 0, young, age[pod])
    return replace(control, age=age)


def _with(arm: Arm, frame: Frame, use: Use, rng: np.random.Generator, *, canary: bool) -> Arm:
    shape = arm.requests.shape
    shared = rng.normal(0, use.arm) + np.log(use.dearer) if canary else 0.0
    each = rng.normal(0, use.pods, (shape[0], 1)) + shared + rng.normal(0, use.wobble, shape)
    cpu = (use.cores + use.each * arm.requests / frame.step) * np.exp(each)
    there = ~np.isnan(arm.age)
    gauges = {"cpu_per_request": cpu, "memory_growth": _memory(arm.age, frame, use, rng, canary)}
    return replace(arm, gauges={k: np.where(there, g, np.nan) for k, g in gauges.items()})


def _memory(
    age: FloatArray, frame: Frame, use: Use, rng: np.random.Generator, canary: bool
) -> FloatArray:
    filled = use.fills * -np.expm1(-np.nan_to_num(age) / 300.0)
    creep = rng.normal(0, use.creep, (len(age), 1)) + (use.leak if canary else 0.0)
    grown = creep * np.minimum(np.nan_to_num(age), frame.bins * frame.step) / 600.0
    return 2e8 * np.exp(filled + grown + rng.normal(0, 0.003, age.shape))


def plan_of(*signals: BoundSignal) -> Plan:
    """The usual plan with gauges beside."""
    return replace(PLAN, signals=(*PLAN.signals, *signals))
