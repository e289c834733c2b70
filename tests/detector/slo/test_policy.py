"""What is left of the budget decides how bold a rollout may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.slo.budget import Budget
from detector.slo.counts import Flaw
from detector.slo.policy import BudgetPolicy, Spent, effect_of, worst_of

POLICY = BudgetPolicy()


def budget(left: float | None) -> Budget:
    flaw = Flaw.NO_DATA if left is None else None
    bad = 0.0 if left is None else 100 * (1 - left)
    return Budget(total=1e5, bad=bad, allowed=100.0, left=left, known=1.0, flaw=flaw)


@pytest.mark.parametrize(
    ("left", "limits", "holds"),
    [(1.0, 1.0, False), (0.2, 1.0, False), (0.19, 0.5, False), (0.0, 0.5, True), (-3.0, 0.5, True)],
)
def test_no_rollout_while_it_is_gone(left: float, limits: float, holds: bool) -> None:
    """And half the limits below a fifth."""
    effect = effect_of("checkout", budget(left), POLICY)
    assert (effect.limits, effect.hold is not None) == (limits, holds)


def test_the_reason_counts() -> None:
    """People see how far it is overspent."""
    hold = effect_of("checkout", budget(-0.5), POLICY).hold
    assert hold is not None
    assert "150 bad of 100 allowed" in hold


def test_unknown_is_never_fine() -> None:
    """It tightens, and holds where that is asked for."""
    lenient = effect_of("checkout", budget(None), POLICY)
    strict = effect_of("checkout", budget(None), BudgetPolicy(hold_unknown=True))
    assert (lenient.limits, lenient.hold) == (0.5, None)
    assert strict.hold is not None
    assert "no_data" in strict.hold


@given(st.floats(-5, 1), st.floats(-5, 1))
def test_less_budget_is_never_bolder(one: float, other: float) -> None:
    """Monotone in what is left."""
    less, more = (effect_of("a", budget(x), POLICY) for x in (min(one, other), max(one, other)))
    assert less.limits <= more.limits
    assert (more.hold is None) or (less.hold is not None)


@given(st.lists(st.one_of(st.none(), st.floats(-5, 1)), max_size=5))
def test_of_several_the_worst_counts(lefts: list[float | None]) -> None:
    """One that is gone holds, whatever is left of the others."""
    spent = [Spent(name=f"o{at}", budget=budget(left)) for at, left in enumerate(lefts)]
    found = worst_of(spent, POLICY)
    each = [effect_of(one.name, one.budget, POLICY) for one in spent]
    assert found.limits == min([one.limits for one in each], default=1.0)
    assert (found.hold is None) == all(one.hold is None for one in each)
    assert (found.why is None) == (found.limits == 1.0)
