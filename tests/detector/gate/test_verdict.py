"""What a mode lets a controller act on, and whether anybody was served yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.policy import Mode
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import nothing, rule
from detector.gate.verdict import Outcome, Samples, Verdict, answer_of
from tests.detector.gate.test_attempt import attempt
from tests.detector.gate.test_render import full
from tests.detector.gate.test_ruling import circumstances

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


def silent(code: ReasonCode) -> Verdict:
    """A verdict without any signal."""
    return rule(attempt(), nothing(Reason(code, "why")), circumstances())


@pytest.mark.parametrize(
    ("code", "unseen"),
    [
        (ReasonCode.NO_CANARY_DATA, True),
        (ReasonCode.COLLECTING, True),
        (ReasonCode.LOW_TRAFFIC, True),
        (ReasonCode.SOURCE_UNAVAILABLE, False),
        (ReasonCode.STALE_DATA, False),
        (ReasonCode.NO_CONTROL_DATA, False),
    ],
)
def test_a_source_that_is_silent_is_no_canary_that_is_not_there_yet(
    code: ReasonCode, unseen: bool
) -> None:
    """The first step is let through before any traffic, and never because nobody could look."""
    assert silent(code).is_unseen is unseen


@pytest.mark.parametrize(("requests", "unseen"), [(0.0, True), (1.0, False)])
def test_one_counted_request_is_traffic(requests: float, unseen: bool) -> None:
    """From then on the gate has to wait for its verdict like everybody."""
    (signal,) = full().signals
    counted = replace(signal, samples=Samples(canary=requests, control=900.0))
    early = replace(silent(ReasonCode.COLLECTING), signals=(counted,))
    assert early.is_unseen is unseen
