"""How a resource stands: whether it has run out, will, may, or lasts as far as is looked."""

from __future__ import annotations

from enum import StrEnum

from detector.capacity.assessed import Assessment

__all__ = ["State", "state_of"]

_LIKELY, _POSSIBLE = 0.5, 0.1


class State(StrEnum):
    """The most urgent first."""

    OUT = "has run out"
    LIKELY = "runs out"
    POSSIBLE = "may run out"
    UNKNOWN = "not known"
    LASTS = "lasts"


def state_of(told: Assessment) -> State:
    """By the chance that it runs out within the horizon; what has a problem is not known."""
    out = told.exhaustion
    if out is None or told.problem is not None:
        return State.UNKNOWN
    if out.since is not None:
        return State.OUT
    if out.chance >= _LIKELY or out.p50 is not None:
        return State.LIKELY
    is_possible = out.chance >= _POSSIBLE or out.p10 is not None
    return State.POSSIBLE if is_possible else State.LASTS
