"""Which advisory signals may fail a rollout: those that the service's own placebos certify.

CPU per request has to pass at unequal load, for a lighter or heavier canary is what it would be
blamed for. A promoted signal is one of the plan's, so that an attempt keeps what it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from detector.gate.aa import AaResult
from detector.signals.plan import BoundSignal, Plan

__all__ = ["ADVISORY", "on_trial", "promoted"]

# The advisory signals that can become evidence, and whether loads must have differed.
ADVISORY: Mapping[str, bool] = {
    "tail99": False,
    "cpu_per_request": True,
    "memory_growth": False,
}


def promoted(plan: Plan, aa: AaResult | None) -> Plan:
    """The plan with what its self-check certifies promoted, and all else as without one."""
    certified = {
        name
        for name, unequal in ADVISORY.items()
        if aa is not None and aa.certifies(name, at_unequal_load=unequal)
    }
    return _with(plan, certified)


def on_trial(plan: Plan) -> Plan:
    """The plan by which placebos are judged: with evidence of every signal that could be promoted.

    What such a signal says of a placebo counts for its certificate, not as a false alarm.
    """
    return _with(plan, set(ADVISORY))


def _with(plan: Plan, names: set[str]) -> Plan:
    signals = tuple(_marked(bound, bound.signal.name in names) for bound in plan.signals)
    return plan if signals == plan.signals else replace(plan, signals=signals)


def _marked(bound: BoundSignal, is_promoted: bool) -> BoundSignal:
    if bound.signal.promoted == is_promoted:
        return bound
    return replace(bound, signal=replace(bound.signal, promoted=is_promoted))
