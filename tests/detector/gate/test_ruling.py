"""From judgement to verdict: what goes before what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.attempt import Latch
from detector.gate.decision import Override
from detector.gate.judgement import Judgement
from detector.gate.policy import Mode, Policy, RollbackRule
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances, first_step, nothing, rule, verdict_id
from detector.gate.verdict import Needs, Outcome, answer_of
from tests.detector.gate.test_attempt import T0, attempt

HEALTHY = Reason(ReasonCode.HEALTHY, "all is well")
UP = Reason("error_rate_up", "errors rose")
LATCH = Latch(at=T0, found_at=T0, signal="error_rate", reason=UP)
DOWN = Reason(ReasonCode.SOURCE_UNAVAILABLE, "down")
HOLES = Reason(ReasonCode.PARTIAL_DATA, "holes")
OVERRIDE = Override(
    attempt="a", outcome=Outcome.PASS, person="ann", reason="seen", at=T0, until=T0 + 60
)


def judgement(outcome: Outcome, reason: Reason = HEALTHY) -> Judgement:
    """What the statistics say."""
    return replace(nothing(reason), outcome=outcome, needs=Needs(requests=7, seconds=9))


def circumstances(**changes: object) -> Circumstances:
    """How it was asked."""
    base = Circumstances(
        id="v",
        as_of=T0,
        stage=Stage.STEP,
        deadline=None,
        mode=Mode.ENFORCE,
        started_at=T0,
        revision=None,
        head="h",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


PASS, FAIL, UNSURE = (
    judgement(Outcome.PASS),
    judgement(Outcome.FAIL, UP),
    judgement(Outcome.INCONCLUSIVE, Reason(ReasonCode.LOW_TRAFFIC, "few")),
)


@pytest.mark.parametrize(
    ("said", "changes", "outcome", "code", "final"),
    [
        (PASS, {}, "pass", "healthy", False),
        (PASS, {"stage": Stage.FINAL}, "pass", "healthy", True),
        (FAIL, {}, "fail", "error_rate_up", True),
        (UNSURE, {}, "inconclusive", "low_traffic", False),
        (UNSURE, {"stage": Stage.FINAL}, "inconclusive", "low_traffic", False),
        (PASS, {"latch": LATCH}, "fail", "error_rate_up", True),
        (PASS, {"problem": DOWN}, "inconclusive", "source_unavailable", False),
        (FAIL, {"problem": DOWN}, "fail", "error_rate_up", True),
        (PASS, {"problem": DOWN, "latch": LATCH}, "fail", "error_rate_up", True),
        (PASS, {"partial": HOLES}, "inconclusive", "partial_data", False),
        (FAIL, {"partial": HOLES}, "fail", "error_rate_up", True),
        (UNSURE, {"partial": HOLES}, "inconclusive", "low_traffic", False),
        (UNSURE, {"rollback": "hash:b"}, "pass", "rollback", False),
        (FAIL, {"rollback": "hash:b"}, "fail", "error_rate_up", True),
        (
            PASS,
            {"rollback": "hash:b", "problem": DOWN},
            "inconclusive",
            "source_unavailable",
            False,
        ),
        (FAIL, {"override": OVERRIDE}, "pass", "overridden", True),
        (PASS, {"override": OVERRIDE, "problem": DOWN}, "pass", "overridden", True),
        (UNSURE, {"deadline": T0}, "inconclusive", "deadline_reached", True),
        (UNSURE, {"deadline": T0 + 1}, "inconclusive", "low_traffic", False),
        (PASS, {"deadline": T0}, "pass", "healthy", True),
        (PASS, {"deadline": T0, "problem": DOWN}, "inconclusive", "deadline_reached", True),
        (FAIL, {"deadline": T0}, "fail", "error_rate_up", True),
    ],
)
def test_what_goes_before_what(
    said: Judgement, changes: dict[str, object], outcome: str, code: str, final: bool
) -> None:
    """A person, then a fail, then what is missing, then the rest."""
    verdict = rule(attempt(), said, circumstances(**changes))
    assert (verdict.outcome.value, verdict.reason.code, verdict.final) == (outcome, code, final)


def test_no_canary_is_no_rollback() -> None:
    """No data never passes, not even a known revision."""
    none = judgement(Outcome.INCONCLUSIVE, Reason(ReasonCode.NO_CANARY_DATA, "none"))
    verdict = rule(attempt(), none, circumstances(rollback="hash:b"))
    assert verdict.reason.code == "no_canary_data"


def test_a_policy_may_judge_rollbacks() -> None:
    """`rollback: judge`."""
    policy = Policy(rollback=RollbackRule.JUDGE)
    verdict = rule(attempt(policy=policy), UNSURE, circumstances(rollback="hash:b"))
    assert verdict.reason.code == "low_traffic"


@given(
    st.sampled_from([PASS, FAIL, UNSURE]),
    st.sampled_from(list(Mode)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, T0 - 1, T0 + 1]),
)
def test_missing_samples_never_pass_and_a_latch_never_goes(
    said: Judgement,
    mode: Mode,
    latched: bool,
    down: bool,
    known: bool,
    deadline: float | None,
) -> None:
    """Under every circumstance but a person's decision."""
    seen = circumstances(
        mode=mode,
        latch=LATCH if latched else None,
        problem=DOWN if down else None,
        rollback="hash:b" if known else None,
        deadline=deadline,
    )
    verdict = rule(attempt(), said, seen)
    assert (verdict.outcome is Outcome.FAIL) == (latched or said is FAIL)
    if down:
        assert verdict.outcome is not Outcome.PASS
    assert verdict.answer is answer_of(verdict.outcome, mode)
    assert verdict.needs == (UNSURE.needs if verdict.outcome is Outcome.INCONCLUSIVE else Needs())


def test_the_first_step_is_a_pass_in_words() -> None:
    """Nothing else of the verdict changes."""
    verdict = rule(attempt(), UNSURE, circumstances())
    yes = first_step(verdict)
    assert (yes.outcome, yes.answer, yes.reason.code) == (Outcome.PASS, Outcome.PASS, "first_step")
    assert yes.id == verdict.id


def test_names_of_verdicts_are_in_order_of_time() -> None:
    """So that a page can go on where the last ended."""
    names = [verdict_id("a", T0 + n / 100) for n in range(50)]
    assert names == sorted(names)
    assert len(set(names)) == 50
    assert verdict_id("a", T0) != verdict_id("b", T0) != verdict_id("b", T0, "final")
