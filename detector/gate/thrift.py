"""What is left of error budgets holds a rollout back, or tightens the limits that it begins with.

Limits are fixed when an attempt begins: sequential tests hold for the limits that they began with.
The hold is looked at with each question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detector.gate.policy import Policy, RollbackRule
from detector.gate.reason import Reason, ReasonCode
from detector.slo.policy import Spent, worst_of

__all__ = ["held_by_budget", "thrift_notes", "tightened"]


def tightened(policy: Policy, spent: Sequence[Spent]) -> Policy:
    """The policy that an attempt begins with: its limits are those of the budgets now."""
    if policy.budget is None or not spent:
        return policy
    limits = worst_of(spent, policy.budget).limits
    return replace(policy, budget=replace(policy.budget, limits=limits))


def held_by_budget(policy: Policy, spent: Sequence[Spent], *, is_rollback: bool) -> Reason | None:
    """Why nothing passes now; a return to what was stable is what saves a budget."""
    if policy.budget is None or (is_rollback and policy.rollback is RollbackRule.PASS):
        return None
    hold = worst_of(spent, policy.budget).hold
    return None if hold is None else Reason(ReasonCode.BUDGET_BURNING, hold)


def thrift_notes(policy: Policy, spent: Sequence[Spent]) -> tuple[str, ...]:
    """What a person should know of budgets beside the outcome."""
    notes = []
    effect = None if policy.budget is None else worst_of(spent, policy.budget)
    if effect is not None and effect.why is not None and effect.hold is None:
        notes.append(effect.why)
    if policy.limits != 1.0:
        notes.append(
            f"All limits are {policy.limits:.2g} times what they are else: when this attempt began"
            " an error budget was low, or not known."
        )
    return tuple(notes)
