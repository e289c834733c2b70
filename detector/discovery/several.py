"""Several canaries of one service at once: none of them is a control of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from detector.discovery.matching import merged, negated
from detector.gate.memory import scope_of
from detector.series import Matcher
from detector.signals.plan import Plan

__all__ = ["without_others"]

# A control is a choice of selectors; each canary that is left out multiplies them.
_MOST = 16


def without_others(plan: Plan, canaries: Iterable[Sequence[Matcher]]) -> Plan:
    """The plan with the other canaries of the service left out of its control."""
    scope, control, left_out = scope_of(plan), plan.control, 0
    for canary in canaries:
        own = tuple(m for m in canary if m not in scope and m not in plan.canary)
        made = tuple(merged(one, rest) for one in control for rest in negated(own))
        if own and len(made) <= _MOST:
            control, left_out = made, left_out + 1
    if not left_out:
        return plan
    text = f"{left_out} other canaries of this service are left out of the control."
    note = text if left_out > 1 else "Another canary of this service is left out of the control."
    return replace(plan, control=control, notes=(*plan.notes, note))
