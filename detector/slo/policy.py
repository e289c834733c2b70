"""What the state of error budgets means for a rollout: hold, halve the limits, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.slo.budget import Budget

__all__ = ["BudgetEffect", "BudgetPolicy", "Spent", "effect_of", "worst_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """Below `tighten_below` of the budget limits are multiplied by `tighten`; without any, hold.

    `slo`: the objective that is looked at; None: all of the service. `hold_unknown`: hold also
    where a budget is not known, instead of tightening alone. `limits`: by what an attempt's limits
    are multiplied, which is set when it begins.
    """

    slo: str | None = None
    tighten_below: float = 0.2
    tighten: float = 0.5
    hold_unknown: bool = False
    limits: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was known of the budget of the objective `name` when it was asked for."""

    name: str
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEffect:
    """By what limits are multiplied, and why a pass is held, if it is; `why` they are tightened."""

    limits: float
    hold: str | None
    why: str | None = None


def effect_of(name: str, budget: Budget, policy: BudgetPolicy) -> BudgetEffect:
    """What follows of the budget of the objective `name`; unknown is never fine: limits tighten."""
    if budget.left is None:
        why = f"The error budget of {name} is not known ({budget.flaw})"
        hold = f"{why}; no pass until it is." if policy.hold_unknown else None
        return BudgetEffect(limits=policy.tighten, hold=hold, why=f"{why}.")
    if budget.left <= 0:
        text = (
            f"The error budget of {name} is gone: {budget.bad:,.0f} bad of {budget.allowed:,.0f}"
            " allowed in its window; no rollout until some is back."
        )
        return BudgetEffect(limits=policy.tighten, hold=text, why=text)
    if budget.left >= policy.tighten_below:
        return BudgetEffect(limits=1.0, hold=None)
    low = f"Of the error budget of {name} {100 * budget.left:.2g} % is left."
    return BudgetEffect(limits=policy.tighten, hold=None, why=low)


def worst_of(spent: Sequence[Spent], policy: BudgetPolicy) -> BudgetEffect:
    """What follows of several: the tightest limits, and the reasons of the first that has one."""
    each = [effect_of(one.name, one.budget, policy) for one in spent]
    return BudgetEffect(
        limits=min((one.limits for one in each), default=1.0),
        hold=next((one.hold for one in each if one.hold is not None), None),
        why=next((one.why for one in each if one.why is not None), None),
    )
