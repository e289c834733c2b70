"""Both sides are there, and what they show can be judged: each rule on both sides of its edge."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detector.gate.frame import Arm
from detector.gate.passing import holds
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from detector.signals.plan import Missing
from models.sequential.rows import RowName
from tests.detector.gate.moments import (
    BINS,
    PLAN,
    STEP,
    T0,
    arm,
    at_end,
    codes,
    moment,
    only,
    spread,
    state,
)
from tests.detector.gate.rollouts import Recipe, Run, make

C = ReasonCode


# -- how old the samples are


def test_samples_that_never_came_are_not_called_old() -> None:
    """A canary that was never scraped has no age; the text says where to look instead."""
    unseen = replace(arm("canary", 3), newest=-math.inf)
    late = moment(canary=unseen, control=arm("control", 0), as_of=T0 + 9_000.0)
    assert codes(late)[:2] == [C.NO_CANARY_DATA, C.NO_CONTROL_DATA]


@given(st.floats(0.0, 600.0), st.floats(0.01, 1.0))
def test_samples_grow_old_on_the_clock_of_the_rollout(late: float, scale: float) -> None:
    """Two minutes, or three bins of a slow scrape, and the bin that is not whole yet."""
    step = STEP * scale
    newest = T0 + BINS * STEP
    m = moment(policy=Policy(time_scale=scale), as_of=newest + late * scale)
    age = m.as_of - newest
    assume(abs(age - (120.0 * scale + step)) > 1e-6)
    assert (C.STALE_DATA in codes(m)) is (age > 120.0 * scale + step)


# -- who is there


@pytest.mark.parametrize(
    "canary",
    [
        pytest.param(arm("canary", 0), id="no pod"),
        pytest.param(replace(arm("canary", 3), newest=-math.inf), id="no sample"),
    ],
)
def test_a_canary_that_was_never_seen_is_no_good_canary(canary: Arm) -> None:
    """Silence promotes nothing, and the text says where to look."""
    first = next(holds(moment(canary=canary)))
    assert first.code == C.NO_CANARY_DATA
    assert "checkout" in first.text
    assert "selector" in first.text


def test_a_canary_without_a_number_is_not_called_unmatched() -> None:
    """Who reads `check its selector` looks for the fault where it is not."""
    nothing = moment(canary=arm("canary", 0), notes={"not_finite": 12})
    first = next(holds(nothing))
    assert first.code == C.NO_CANARY_DATA
    assert "NaN or infinite values" in first.text
    assert "selector" not in first.text


@pytest.mark.parametrize(
    ("control", "held"),
    [
        pytest.param(arm("control", 0), True, id="no pod"),
        pytest.param(arm("control", 2, requests=spread(2, 0.0)), True, id="no request"),
        pytest.param(arm("control", 1, requests=at_end({1: 1.0}, 0.0, 1)), False, id="one request"),
    ],
)
def test_without_a_control_nothing_can_be_compared(control: Arm, held: bool) -> None:
    """As good as nothing is not good."""
    assert (C.NO_CONTROL_DATA in codes(moment(control=control))) is held


# -- which signals are there


def test_a_required_signal_that_is_absent_is_named_with_why() -> None:
    """The person reads which metric to expose, and how to do without it."""
    why = (Missing(name="latency", why="no histogram"), Missing(name="tail99", why="no edge"))
    reason = only(moment(missing=("latency",), plan=replace(PLAN, missing=why)))
    assert reason.code == C.SIGNAL_MISSING
    assert reason.text == (
        "Required but absent: latency (latency: no histogram). A policy may set required: false"
        " for it."
    )


def test_an_absent_signal_without_a_known_why_is_still_named() -> None:
    """No empty brackets for a person to puzzle over."""
    assert "latency. A policy" in only(moment(missing=("latency",))).text


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"incompatible": True}, id="by the session"),
        pytest.param({"notes": {"incompatible_histograms": 2}}, id="by the intake"),
    ],
)
def test_buckets_that_do_not_fit_are_told(said: dict[str, Any]) -> None:
    """Two halves of a fleet with different buckets cannot be compared; guessing would pass."""
    assert only(moment(**said)).code == C.INCOMPATIBLE_HISTOGRAMS
    assert codes(moment(notes={"incompatible_histograms": 0, "gaps": 9})) == []


def test_a_policy_that_judges_nothing_passes_nothing() -> None:
    """Where no signal can fail, `healthy` would be an empty word."""
    shown = {name: state(name, judged=False, required=False) for name in ("latency", "error_rate")}
    reason = only(moment(states=shown, policy=Policy(name="lax")))
    assert reason.code == C.SIGNAL_MISSING
    assert "The policy lax judges nothing of checkout" in reason.text
    assert "only shown: error_rate, latency" in reason.text


def test_one_judged_signal_is_enough_to_pass() -> None:
    """Whoever only wants errors judged, or restarts alone, gets answers."""
    shown = {"latency": state("latency", RowName.LATENCY, judged=False, required=False)}
    judged = {"restarts": state("restarts", RowName.EVENTS, required=False)}
    assert codes(moment(states=shown | judged)) == []
    assert codes(moment(states=shown)) == [C.SIGNAL_MISSING]


def test_no_signal_at_all_passes_nothing() -> None:
    """A policy that requires nothing of a service that exposes nothing learned nothing."""
    assert "none of its signals is there" in only(moment(states={})).text


def test_a_whole_attempt_of_shown_signals_stays_open() -> None:
    """From counters to answer: an outage under such a policy is not `healthy`."""
    off = SignalPolicy(judged=False, required=False)
    lax = Policy(signals=dict.fromkeys(("error_rate", "latency", "tail95", "restarts"), off))
    judgement = Run(make(Recipe(seed=5, more_errors=0.9, bins=60)), lax).all()
    assert (judgement.outcome, judgement.reason.code) == (Outcome.INCONCLUSIVE, C.SIGNAL_MISSING)
    assert "judges nothing" in judgement.reason.text
