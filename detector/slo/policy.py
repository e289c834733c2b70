"""What the state of an error budget means for a rollout: hold, halve the limits, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from detector.gate.reason import Reason, ReasonCode
from detector.slo.budget import Budget

__all__ = ["BudgetEffect", "BudgetPolicy", "effect_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """Below `tighten_below` of the budget limits are multiplied by `tighten`; without any, hold.

    `hold_unknown`: hold also where the budget is not known, instead of halving.
    """

    tighten_below: float = 0.2
    tighten: float = 0.5
    hold_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEffect:
    """By what limits are multiplied, and the reason to hold, if there is one."""

    limits: float
    hold: Reason | None


def effect_of(name: str, budget: Budget, policy: BudgetPolicy) -> BudgetEffect:
    """What follows of the budget of the objective `name`; unknown is never fine: limits tighten."""
    if budget.left is None:
        why = f"The error budget of {name} is not known ({budget.flaw}); no pass until it is."
        hold = Reason(ReasonCode.BUDGET_BURNING, why) if policy.hold_unknown else None
        return BudgetEffect(limits=policy.tighten, hold=hold)
    if budget.left <= 0:
        text = (
            f"The error budget of {name} is gone: {budget.bad:,.0f} bad of {budget.allowed:,.0f}"
            " allowed in its window; no rollout until some is back."
        )
        return BudgetEffect(limits=policy.tighten, hold=Reason(ReasonCode.BUDGET_BURNING, text))
    tight = budget.left < policy.tighten_below
    return BudgetEffect(limits=policy.tighten if tight else 1.0, hold=None)
