"""Which advisory signals may fail a rollout: those that the service's own placebos certify.

CPU per request has to pass at unequal load, for a lighter or heavier canary is what it would be
blamed for. A promoted signal is one of the plan's, so that an attempt keeps what it began with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detector.gate.aa import AaResult
from detector.signals.plan import AgeGrowth, BoundSignal, Plan

__all__ = ["ADVISORY", "MEMORY", "on_trial", "promoted"]

MEMORY = "memory_growth"
# The advisory signals that can become evidence, and whether loads must have differed.
ADVISORY: Mapping[str, bool] = {
    "tail99": False,
    "cpu_per_request": True,
    MEMORY: False,
}


def promoted(plan: Plan, aa: AaResult | None) -> Plan:
    """The plan with what its self-check certifies promoted, and all else as without one."""
    certified = {
        name
        for name, unequal in ADVISORY.items()
        if aa is not None and aa.certifies(name, at_unequal_load=unequal)
    }
    return _with(plan, certified, aa.growth if aa is not None else ())


def on_trial(plan: Plan) -> Plan:
    """The plan by which placebos are judged: with evidence of every signal that could be promoted.

    What such a signal says of a placebo counts for its certificate, not as a false alarm.
    """
    return _with(plan, set(ADVISORY), ())


def _with(plan: Plan, names: set[str], growth: Sequence[AgeGrowth]) -> Plan:
    signals = tuple(_marked(b, b.signal.name in names, tuple(growth)) for b in plan.signals)
    return plan if signals == plan.signals else replace(plan, signals=signals)


def _marked(bound: BoundSignal, is_promoted: bool, growth: tuple[AgeGrowth, ...]) -> BoundSignal:
    is_memory = is_promoted and bound.signal.name == MEMORY
    usual = (growth or bound.usual) if is_memory else bound.usual
    if bound.signal.promoted == is_promoted and bound.usual == usual:
        return bound
    return replace(bound, signal=replace(bound.signal, promoted=is_promoted), usual=usual)
