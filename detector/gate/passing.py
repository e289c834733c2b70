"""When a rollout may go on: every reason that holds a pass back, in the order people read them.

Section 7 of the method. Each rule is a function of the moment that gives a reason or None.
"""

from __future__ import annotations

from collections.abc import Iterator

from detector.gate.exposure import collecting, no_traffic, partial, warming_up
from detector.gate.harm import burst, suspicious, unbounded
from detector.gate.moment import Moment
from detector.gate.reason import Reason
from detector.gate.service import budget_burning, control_exhausted, shared_incident
from detector.gate.sides import (
    incompatible,
    no_canary,
    no_control,
    nothing_judged,
    signal_missing,
    stale,
)
from detector.gate.weaker import held, recalling, unfair, unguarded

__all__ = ["holds"]

_RULES = (
    stale,
    no_canary,
    no_control,
    signal_missing,
    incompatible,
    nothing_judged,
    shared_incident,
    held,
    budget_burning,
    control_exhausted,
    unfair,
    recalling,
    unguarded,
    burst,
    suspicious,
    no_traffic,
    warming_up,
    partial,
    collecting,
    unbounded,
)


def holds(moment: Moment) -> Iterator[Reason]:
    """Reasons that hold a pass back, most telling first; nothing means pass."""
    for rule in _RULES:
        reason = rule(moment)
        if reason is not None:
            yield reason
