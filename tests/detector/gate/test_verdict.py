"""What a mode lets a controller act on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.policy import Mode
from detector.gate.verdict import Outcome, answer_of

OUTCOMES, MODES = st.sampled_from(list(Outcome)), st.sampled_from(list(Mode))
# Greater lets a rollout go further.
ORDER = {Outcome.FAIL: 0, Outcome.INCONCLUSIVE: 1, Outcome.PASS: 2}


@pytest.mark.parametrize(
    ("mode", "answers"),
    [
        (Mode.SHADOW, ("pass", "pass", "pass")),
        (Mode.ADVISE, ("pass", "pass", "pass")),
        (Mode.PAUSE, ("inconclusive", "inconclusive", "pass")),
        (Mode.ENFORCE, ("fail", "inconclusive", "pass")),
    ],
)
def test_a_mode_says_how_far_the_gate_may_go(mode: Mode, answers: tuple[str, str, str]) -> None:
    """Shadow and advice stop nothing, pause stops and rolls nothing back, enforce does both."""
    told = tuple(answer_of(outcome, mode).value for outcome in ORDER)
    assert told == answers


@given(OUTCOMES, MODES)
def test_no_mode_is_harsher_than_the_outcome(outcome: Outcome, mode: Mode) -> None:
    """Nothing is ever rolled back that was not judged a fail."""
    assert ORDER[answer_of(outcome, mode)] >= ORDER[outcome]


@given(OUTCOMES, OUTCOMES, MODES)
def test_a_better_outcome_is_never_answered_worse(one: Outcome, other: Outcome, mode: Mode) -> None:
    """In every mode alike."""
    worse, better = sorted((one, other), key=ORDER.__getitem__)
    assert ORDER[answer_of(better, mode)] >= ORDER[answer_of(worse, mode)]


@given(OUTCOMES, MODES)
def test_an_answer_answers_itself(outcome: Outcome, mode: Mode) -> None:
    """A proxy that asks again on the answer changes nothing."""
    answer = answer_of(outcome, mode)
    assert answer_of(answer, mode) is answer
