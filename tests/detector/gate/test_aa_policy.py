"""A self-check makes the gate slower to fail, never quicker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.aa_policy import checked
from detector.gate.policy import Policy
from tests.detector.gate.test_aa import result


@given(st.floats(0.0, 1e12), st.floats(1e-6, 0.5))
def test_what_is_needed_is_multiplied_and_never_lowered(raised: float, alpha: float) -> None:
    """One over alpha is what a fail needs; all else of the policy stays."""
    policy = Policy(alpha=alpha)
    made = checked(policy, result(raised=raised))
    assert made.alpha == pytest.approx(alpha / max(raised, 1.0))
    assert replace(made, alpha=alpha) == policy


def test_without_a_check_the_policy_stands() -> None:
    """A service that was never checked is judged as the policy says."""
    policy = Policy()
    assert checked(policy, None) is policy
