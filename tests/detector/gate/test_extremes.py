"""Policies at the edge of what the doors take: each can be judged by, none divides by zero."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.verdict import Outcome
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make
from tests.profiles import HEAVY

HEALTHY = make(Recipe(bins=60, history=240))
BROKEN = make(Recipe(bins=60, history=240, more_errors=0.3, slower=1.5))
NAMES = tuple(bound.signal.name for bound in PLAN.signals)
WISHES = st.builds(
    SignalPolicy,
    tolerate=st.none() | st.sampled_from([0.0, 1e-9, 0.5, 3.0, 100.0]),
    limit=st.none() | st.sampled_from([0.001, 0.2, 100.0]),
    tolerate_points=st.none() | st.sampled_from([0.0, 1e-9, 0.5, 1.0]),
    limit_points=st.none() | st.sampled_from([1e-6, 0.01, 1.0]),
    weight=st.none() | st.sampled_from([1e-6, 1.0, 1000.0]),
    required=st.none() | st.booleans(),
    judged=st.none() | st.booleans(),
)
POLICIES = st.builds(
    Policy,
    alpha=st.sampled_from([1e-9, 0.005, 0.5]),
    slo=st.sampled_from([1e-6, 0.999, 1 - 1e-12]),
    pass_level=st.sampled_from([0.5, 0.95, 1 - 1e-12]),
    min_step_s=st.sampled_from([1e-6, 180.0, 30 * 86_400.0]),
    time_scale=st.sampled_from([0.01, 1 / 15, 1.0]),
    signals=st.dictionaries(st.sampled_from(NAMES), WISHES, max_size=4),
)


def judged(policy: Policy, *, broken: bool) -> Judgement:
    """The end of a short rollout; a warning of numpy is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Run(BROKEN if broken else HEALTHY, policy).all()


@HEAVY
@given(POLICIES, st.booleans())
def test_every_policy_that_is_taken_can_be_judged_by(policy: Policy, broken: bool) -> None:
    """A number in a policy must not make an error of each answer of its rollout."""
    judgement = judged(policy, broken=broken)
    evidence = [s.evidence for s in judgement.signals if s.evidence is not None]
    assert not np.isnan(np.array(evidence, dtype=float)).any()
    assert judgement.reason.text


@pytest.mark.parametrize("points", [0.5, 1.0])
def test_what_is_tolerated_whole_never_fails(points: float) -> None:
    """A tolerance above all that can be seen makes the signal harmless, and breaks nothing."""
    wish = SignalPolicy(tolerate_points=points, limit_points=1.0)
    others = {name: SignalPolicy(judged=False) for name in NAMES if name != "error_rate"}
    judgement = judged(Policy(signals={**others, "error_rate": wish}), broken=True)
    assert judgement.outcome is not Outcome.FAIL


def test_a_tight_tolerance_fails_what_is_broken() -> None:
    """The edge at the other end still judges."""
    wish = SignalPolicy(tolerate=0.0, limit=0.001)
    judgement = judged(Policy(signals={"error_rate": wish}), broken=True)
    assert judgement.outcome is Outcome.FAIL
