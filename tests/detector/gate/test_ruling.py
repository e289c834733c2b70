"""From judgement to verdict: what goes before what, and the body that is sent."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.attempt import Latch, Override
from detector.gate.judgement import Judgement
from detector.gate.policy import Mode, Policy, RollbackRule
from detector.gate.reason import Reason, ReasonCode
from detector.gate.render import utc_text, verdict_body
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances, first_step, nothing, rule, verdict_id
from detector.gate.verdict import (
    Effect,
    Needs,
    Outcome,
    Samples,
    SignalVerdict,
    Verdict,
    answer_of,
)
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


def full() -> Verdict:
    """A verdict with one signal."""
    signal = SignalVerdict(
        name="error_rate",
        outcome=Outcome.FAIL,
        required=True,
        judged=True,
        unit="ratio",
        canary=0.0212345678,
        control=math.nan,
        effect=Effect(
            kind="difference", value=0.017, low=-math.inf, high=None, tolerate=0.001, limit=0.005
        ),
        evidence=math.inf,
        needed=2 / 3 * 1000,
        samples=Samples(canary=1234.0, control=9123.0),
        scope="arm",
        since=datetime.fromtimestamp(T0 + 0.25, UTC),
        reason=UP,
        details={"bound": math.nan, "scope": "arm", "none": None, "tau": 1 / 3},
    )
    return replace(rule(attempt(), FAIL, circumstances()), signals=(signal,))


DOCUMENTED = {
    "id", "outcome", "answer", "final", "stage", "reason", "as_of", "started_at",
    "exposure_since", "attempt", "service", "rollout", "revision", "policy", "engine", "mode",
    "signals", "needs", "links",
}  # fmt: skip


def test_every_documented_key_is_always_there() -> None:
    """A controller's condition on a missing key errs."""
    empty = verdict_body(
        rule(attempt(), nothing(DOWN), circumstances(started_at=None)), brief=False
    )
    body = verdict_body(full(), brief=False)
    assert set(body) == set(empty) >= DOCUMENTED
    assert set(verdict_body(full(), brief=True)) == set(body) - {"signals"}
    assert body["links"] == {"self": "/v1/verdicts/v", "ui": "/rollouts/a"}


def test_the_body_is_strict_json() -> None:
    """A NaN token in the body makes Argo read it as a string."""
    body: Any = verdict_body(full(), brief=False)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    signal = body["signals"][0]
    assert (signal["canary"], signal["control"], signal["evidence"]) == (0.0212346, None, None)
    assert signal["needed"] == 666.667
    assert signal["effect"]["low"] is None
    assert signal["details"] == {"bound": None, "scope": "arm", "none": None, "tau": 0.333333}
    assert signal["since"].endswith(".250Z")
    assert body["as_of"] == "2026-09-21T14:13:20Z"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_keep_six_digits(value: float) -> None:
    """Or are null; rounding again changes nothing."""
    signal = replace(full().signals[0], canary=value)
    body: Any = verdict_body(replace(full(), signals=(signal,)), brief=False)
    sent = body["signals"][0]["canary"]
    if math.isfinite(value):
        assert sent == pytest.approx(value, rel=1e-5, abs=5e-324)
        assert float(f"{sent:.6g}") == sent
    else:
        assert sent is None


def test_no_time_is_null() -> None:
    """And any zone becomes UTC."""
    assert utc_text(None) is None
    assert utc_text(datetime.fromisoformat("2026-11-23T15:00:00+01:00")) == "2026-11-23T14:00:00Z"
