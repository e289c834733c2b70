"""What is left of error budgets, as the gate takes it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.build import build_track
from detector.gate.policy import Policy, RollbackRule, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.thrift import held_by_budget, thrift_notes, tightened
from detector.signals.signal import Kind
from detector.slo.budget import Budget, unknown_budget
from detector.slo.counts import Flaw
from detector.slo.policy import BudgetPolicy, Spent
from models.sequential.rows import Row
from tests.detector.gate.rollouts import REQUESTS, Recipe, bound, make

ERRORS = bound("error_rate", Kind.RATIO, REQUESTS)
FRAME = make(Recipe(seed=5, bins=8, history=120))
THRIFTY = Policy(budget=BudgetPolicy())


def spent(*lefts: float | None) -> tuple[Spent, ...]:
    return tuple(Spent(name=f"o{at}", budget=_budget(left)) for at, left in enumerate(lefts))


def _budget(left: float | None) -> Budget:
    if left is None:
        return unknown_budget(Flaw.SOURCE_FAILED)
    return Budget(total=1e5, bad=100 * (1 - left), allowed=100.0, left=left, known=1.0)


def test_a_policy_that_does_not_look_is_not_touched() -> None:
    """Whatever somebody knows of budgets."""
    assert tightened(Policy(), spent(-1.0)) == Policy()
    assert held_by_budget(Policy(), spent(-1.0), is_rollback=False) is None
    assert thrift_notes(Policy(), spent(-1.0)) == ()


@pytest.mark.parametrize(("left", "limits"), [(1.0, 1.0), (0.1, 0.5), (-1.0, 0.5), (None, 0.5)])
def test_an_attempt_begins_with_tighter_limits(left: float | None, limits: float) -> None:
    """And under the name of another policy, since it is judged by another."""
    begun = tightened(THRIFTY, spent(left))
    assert begun.limits == limits
    assert (begun.digest == THRIFTY.digest) == (limits == 1.0)


def test_a_gone_budget_holds_a_release() -> None:
    """By a reason of the closed list; unknown holds where that is asked for."""
    held = held_by_budget(THRIFTY, spent(0.5, -0.1), is_rollback=False)
    assert held is not None
    assert held.code == ReasonCode.BUDGET_BURNING
    assert "o1 is gone" in held.text
    assert held_by_budget(THRIFTY, spent(None), is_rollback=False) is None
    strict = Policy(budget=BudgetPolicy(hold_unknown=True))
    assert held_by_budget(strict, spent(None), is_rollback=False) is not None


def test_a_return_to_what_was_stable_is_not_held() -> None:
    """It is what stops the burning; unless the policy judges it like any other."""
    assert held_by_budget(THRIFTY, spent(-1.0), is_rollback=True) is None
    judging = Policy(budget=BudgetPolicy(), rollback=RollbackRule.JUDGE)
    assert held_by_budget(judging, spent(-1.0), is_rollback=True) is not None


def test_notes_say_what_the_reason_does_not() -> None:
    """Why limits are tight, and that they are."""
    begun = tightened(THRIFTY, spent(0.1))
    low, tight = thrift_notes(begun, spent(0.1))
    assert "10 % is left" in low
    assert "0.5 times" in tight
    assert thrift_notes(begun, spent(0.9)) == (tight,)
    assert "source_failed" in thrift_notes(THRIFTY, spent(None))[0]


@given(st.floats(0.1, 1.0), st.sampled_from([None, 0.2, 0.6]), st.sampled_from([None, 0.004]))
def test_both_limits_are_scaled_as_increases(
    limits: float, relative: float | None, points: float | None
) -> None:
    """Of the engine's defaults, of relative and of absolute ones alike; by 1 not a bit moves."""
    wish = SignalPolicy(limit=relative, limit_points=points)
    whole = _row(Policy(signals={"error_rate": wish}))
    begun = BudgetPolicy(limits=limits)
    tight = _row(Policy(signals={"error_rate": wish}, budget=begun))
    for usual, now in ((whole.tolerate, tight.tolerate), (whole.limit, tight.limit)):
        assert math.isclose(math.expm1(now), limits * math.expm1(usual), rel_tol=1e-9)
        assert limits != 1.0 or now == usual


def _row(policy: Policy) -> Row:
    track = build_track(ERRORS, FRAME, policy, 1.0, None)
    assert track is not None
    return track.learned.row
