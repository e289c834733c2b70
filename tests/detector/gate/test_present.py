"""From sums to an answer: what is told of a moment, of each signal, and of what is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from detector.gate.frame import Arm, Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage
from detector.gate.verdict import Needs, Outcome
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make
from tests.detector.gate.scraped import signal_of

STEP, BINS = 15.0, 60
END = BINS * STEP
ERRORS, LATENCY = "error_rate", "latency"


@pytest.fixture(scope="module")
def healthy() -> Run:
    """Fifteen minutes like the control."""
    run = Run(make(Recipe(seed=5, bins=BINS)))
    run.all()
    return run


@pytest.fixture(scope="module")
def failed() -> Run:
    """Fifteen minutes of two points more errors."""
    run = Run(make(Recipe(seed=5, bins=BINS, more_errors=0.03)))
    run.all()
    return run


def judge(
    run: Run, at: float = END, *, stage: Stage = Stage.STEP, deadline: float | None = None
) -> Judgement:
    """The answer from what the run has seen."""
    return run.session.judge(as_of=at, stage=stage, deadline=deadline)


def facts(judgement: Judgement) -> tuple[str, str]:
    return judgement.outcome.value, judgement.reason.code


# -- before there is anything


def test_before_the_first_bin_an_attempt_waits() -> None:
    """Asked in its first seconds the gate says when it began, and judges nothing."""
    run = Run(make(Recipe(seed=5, bins=BINS)))
    said = run.to(0)
    assert facts(said) == ("inconclusive", ReasonCode.COLLECTING)
    assert said.reason.text == "The attempt began at 00:00; its first samples are still coming in."
    assert (said.signals, said.evaluated_to, said.exposure_since) == ((), None, None)
    assert said.needs == Needs(requests=None, seconds=180, canary_pods=None)


def test_on_a_faster_clock_the_first_wait_is_shorter() -> None:
    """A demo does not promise three minutes where it takes twelve seconds."""
    run = Run(make(Recipe(seed=5, bins=4)), Policy(time_scale=1 / 15))
    assert run.to(0).needs.seconds == 12


def test_no_canary_is_told_before_time() -> None:
    """Whoever mistyped a selector does not wait for bins that never come."""
    frame = make(Recipe(seed=5, bins=4))
    nobody = Arm(
        pods=(),
        born=frame.canary.born[:0],
        age=frame.canary.age[:0],
        seen=frame.canary.seen[:0],
        requests=frame.canary.requests[:0],
    )
    said = Run(replace(frame, canary=nobody)).to(0)
    assert facts(said) == ("inconclusive", ReasonCode.NO_CANARY_DATA)
    assert "checkout" in said.reason.text


# -- the answer


def test_a_pass_says_what_it_rests_on(healthy: Run) -> None:
    """How many requests, since when; and nothing more is needed."""
    said = judge(healthy)
    assert facts(said) == ("pass", ReasonCode.HEALTHY)
    assert said.reason.text.startswith("No signal is worse than its limit after ")
    assert said.reason.text.endswith(" canary requests since 00:00.")
    assert said.needs == Needs(requests=0, seconds=0)
    assert said.waiting is None
    assert (said.evaluated_to, said.first_fail) == (END, None)


def test_a_fail_says_the_signal_and_asks_for_nothing(failed: Run) -> None:
    """No `waiting for traffic` beside a rollback."""
    said = judge(failed)
    assert facts(said) == ("fail", "error_rate_up")
    assert said.reason.text.startswith("Errors: ")
    assert said.needs == Needs()
    assert said.waiting is None
    assert said.first_fail is not None
    assert 0 < said.first_fail.at < END
    assert said.first_fail.at % STEP == 0


def test_the_signal_that_failed_says_what_the_verdict_says(failed: Run) -> None:
    """Alert and page tell one story; the others are not blamed."""
    said = judge(failed)
    outcomes = {s.name: s.outcome for s in said.signals}
    assert signal_of(said, ERRORS).reason == said.reason
    assert [name for name, outcome in outcomes.items() if outcome is Outcome.FAIL] == [ERRORS]


def test_one_bad_pod_is_named() -> None:
    """Somebody has to look at its log."""
    run = Run(make(Recipe(seed=5, bins=BINS, more_errors=0.2, only_pod=1)))
    said = run.all()
    assert said.reason.code == "error_rate_up"
    assert said.reason.text.startswith("Errors on checkout-v2-1: ")
    assert signal_of(said, ERRORS).scope == "checkout-v2-1"


# -- stale samples


@pytest.mark.parametrize(
    ("late", "code"), [(135.0, ReasonCode.HEALTHY), (136.0, ReasonCode.STALE_DATA)]
)
def test_old_samples_are_no_present(healthy: Run, late: float, code: str) -> None:
    """Two minutes and a bin: a canary whose metrics stopped is not promoted on its past."""
    said = judge(healthy, END + late)
    assert said.reason.code == code
    if code == ReasonCode.STALE_DATA:
        assert said.outcome is Outcome.INCONCLUSIVE
        assert said.reason.text == (
            "The newest sample of the canary is 2 minutes old (from 00:15)."
        )


def older(frame: Frame, side: str, by: float) -> Frame:
    arm = getattr(frame, side)
    return replace(frame, **{side: replace(arm, newest=arm.newest - by)})


@pytest.mark.parametrize("side", ["canary", "control"])
def test_either_side_may_be_the_stale_one(side: str) -> None:
    """A control that stopped says nothing of now either; the text names the side."""
    run = Run(older(make(Recipe(seed=5, bins=24)), side, 300.0))
    said = run.all()
    assert said.reason.code == ReasonCode.STALE_DATA
    assert f"of the {side} is 5 minutes old" in said.reason.text


def test_a_fail_is_not_forgotten_when_samples_stop(failed: Run) -> None:
    """A canary that crashed so hard that it exposes nothing stays failed."""
    assert facts(judge(failed, END + 3600)) == ("fail", "error_rate_up")


def test_long_scrapes_are_not_stale_between_two_of_them() -> None:
    """With a scrape each minute three minutes without one are waited for."""
    run = Run(make(Recipe(seed=5, bins=20, step=60.0, history=120)))
    run.all()
    now = 20 * 60.0
    assert judge(run, now + 239.0).reason.code != ReasonCode.STALE_DATA
    assert judge(run, now + 241.0).reason.code == ReasonCode.STALE_DATA


# -- time


@pytest.mark.parametrize(
    ("deadline", "code"),
    [
        pytest.param(None, ReasonCode.HEALTHY, id="a step"),
        pytest.param(450.0 + 181.0, ReasonCode.HEALTHY, id="long before the deadline"),
        pytest.param(450.0 + 180.0, ReasonCode.COLLECTING, id="the last step before it"),
        pytest.param(450.0, ReasonCode.COLLECTING, id="at the deadline"),
    ],
)
def test_the_last_step_before_a_deadline_is_the_end(deadline: float | None, code: str) -> None:
    """What passes there becomes stable: it asks for ten minutes, not for three."""
    run = Run(make(Recipe(seed=5, bins=30, shares=(0.33,))))
    run.all()
    assert judge(run, 450.0, deadline=deadline).reason.code == code


def test_the_exposure_begins_with_the_newest_weight() -> None:
    """Also with one that was told just now, whose bins are still to come."""
    run = Run(make(Recipe(seed=5, bins=30, shares=(0.33,))))
    run.session.set_weight(1.0, 10.0)
    run.all()
    assert judge(run, 450.0).exposure_since == 0.0
    run.session.set_weight(447.0, 30.0)
    assert judge(run, 448.0).exposure_since == 450.0
    assert judge(run, 446.0).exposure_since == 0.0


# -- each signal


def test_every_signal_with_samples_is_told(healthy: Run) -> None:
    """In the plan's order, required and judged as the policy has them."""
    said = judge(healthy)
    assert [s.name for s in said.signals] == [ERRORS, LATENCY, "tail95", "restarts"]
    told = {s.name: (s.required, s.judged) for s in said.signals}
    assert told[ERRORS] == told[LATENCY] == told["tail95"] == (True, True)
    assert told["restarts"] == (False, True)


def test_a_shown_signal_is_no_evidence() -> None:
    """E is one: a chart of advice can neither stop nor clear a release."""
    shown = Policy(signals={ERRORS: SignalPolicy(judged=False, required=False)})
    said = Run(make(Recipe(seed=5, bins=40, more_errors=0.5)), shown).all()
    signal = signal_of(said, ERRORS)
    assert (signal.judged, signal.evidence) == (False, 1.0)
    assert said.outcome is not Outcome.FAIL
    assert (signal.canary or 0.0) > 0.4


def test_a_signal_shows_both_sides_and_what_they_served(healthy: Run) -> None:
    """Enough to check the effect by hand."""
    for name in (ERRORS, LATENCY):
        signal = signal_of(judge(healthy), name)
        assert signal.canary is not None
        assert signal.control is not None
        assert signal.samples.canary > 1000
        assert signal.samples.control > signal.samples.canary
        assert signal.effect is not None
        assert (signal.outcome, signal.reason.code) == (Outcome.PASS, ReasonCode.HEALTHY)
        assert signal.reason.text.endswith("harm is below its limit.")


def test_details_are_numbers_that_can_be_true(healthy: Run) -> None:
    """What section 8 of the method promises to show, each in its range."""
    for signal in judge(healthy).signals:
        told = {n: v for n, v in signal.details.items() if isinstance(v, float)}
        assert all(math.isfinite(value) for value in told.values())
        assert 0 <= told["reference_weight"] <= 1
        assert 0 <= told["judged_on_history"] <= 1
        assert min(told[n] for n in ("pod_sd", "scrape_sd", "arm_sd")) > 0
        assert 1 < told["tolerate"] <= told["limit"]
        assert told["smallest_detectable"] > told["tolerate"]
        assert told["needed_db"] > told["evidence_db"]
        assert ("base_rate" in told) is (signal.name != LATENCY)


def test_few_requests_are_told_as_such() -> None:
    """Each signal says for itself that it waits for traffic, and the verdict how much."""
    run = Run(make(Recipe(seed=13, requests=6.0, bins=40)))
    said = run.all()
    signal = signal_of(said, ERRORS)
    assert facts(said) == ("inconclusive", ReasonCode.LOW_TRAFFIC)
    assert (signal.outcome, signal.reason.code) == (Outcome.INCONCLUSIVE, ReasonCode.LOW_TRAFFIC)
    assert said.waiting is not None
    assert said.waiting.startswith("waiting for traffic: ")
    assert (said.needs.requests or 0) > 0


# -- what is missing


def requiring(**wishes: bool) -> Policy:
    return Policy(signals={name: SignalPolicy(required=wish) for name, wish in wishes.items()})


def missing(policy: Policy, *, without: str = "", **notes: int) -> list[str]:
    """Names that the reason of a missing signal names, of a service without some signal."""
    frame = make(Recipe(seed=5, bins=16))
    plan = replace(PLAN, signals=tuple(s for s in PLAN.signals if s.signal.name != without))
    said = Run(replace(frame, notes=notes), policy, plan).all()
    if said.reason.code != ReasonCode.SIGNAL_MISSING:
        return [said.reason.code]
    return said.reason.text.removeprefix("Required but absent: ").split(".")[0].split(", ")


def test_errors_and_latency_are_wanted_of_every_service() -> None:
    """A release is not judged by restarts alone unless somebody says so."""
    assert missing(Policy(), without=ERRORS) == [ERRORS]
    assert missing(Policy(), without=LATENCY) == [LATENCY]


def test_a_policy_may_want_more_or_less() -> None:
    """All that is missing is named at once, in order."""
    assert missing(requiring(log_templates=True, cpu=True)) == ["cpu", "log_templates"]
    assert LATENCY not in missing(requiring(latency=False), without=LATENCY)


def test_buckets_that_do_not_fit_are_not_called_missing() -> None:
    """The metric is there; another text says what to mend."""
    assert missing(Policy(), without=LATENCY, incompatible_histograms=3) == [
        ReasonCode.INCOMPATIBLE_HISTOGRAMS
    ]


# -- notes


def test_notes_of_the_plan_come_before_what_was_left_out() -> None:
    """Whom it compares with, then what the samples lacked; nothing that did not happen."""
    frame = replace(make(Recipe(seed=5, bins=8)), notes={"resets": 2, "gaps": 1, "births": 0})
    said = Run(frame, plan=replace(PLAN, notes=("Of several workloads one was taken.",))).all()
    assert said.notes == (
        "Of several workloads one was taken.",
        "Gaps too long to bridge, left out: 1.",
        "Counter resets: 2.",
    )


def test_an_uneven_load_is_shown_as_a_ratio() -> None:
    """A pod with three times a control pod's load says `3`, so that people can scale it."""
    run = Run(make(Recipe(seed=16, canary=1, control=6, shares=(1 / 3,), bins=24)))
    ratio = signal_of(run.all(), LATENCY).details["load_ratio"]
    assert isinstance(ratio, float)
    assert ratio == pytest.approx(3.0, rel=0.1)
    assert np.log(ratio) > 0
