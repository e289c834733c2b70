"""The judge of one attempt: right however often it is asked, and only ever on what it saw."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.gate.frame import Arm, Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage
from detector.gate.verdict import Outcome
from tests.detector.gate.rollouts import PLAN, Recipe, Run, dropped, evidence_of, make
from tests.profiles import HEAVY

FAULTY = Recipe(seed=4, more_errors=0.02, begins=0.3)
HEALTHY = Recipe(seed=5)


def test_healthy_rollout_passes() -> None:
    """A release like the last one may go on."""
    judgement = Run(make(HEALTHY)).all()
    assert (judgement.outcome, judgement.reason.code) == (Outcome.PASS, ReasonCode.HEALTHY)
    assert judgement.needs.requests == 0


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        (FAULTY, "error_rate_up"),
        (Recipe(seed=6, slower=0.5), "latency_up"),
        (Recipe(seed=7, restarts_per_hour=20.0), "restarts_up"),
    ],
    ids=["errors", "latency", "restarts"],
)
def test_a_plain_regression_fails(recipe: Recipe, code: str) -> None:
    """And the reason names the signal."""
    judgement = Run(make(recipe)).all()
    assert (judgement.outcome, judgement.reason.code) == (Outcome.FAIL, code)
    assert judgement.first_fail is not None


def test_one_bad_pod_is_named() -> None:
    """Errors on one pod of four fail, and the sentence says which pod."""
    judgement = Run(make(Recipe(seed=8, canary=4, more_errors=0.08, only_pod=2))).all()
    assert judgement.outcome is Outcome.FAIL
    assert "checkout-v2-2" in judgement.reason.text


def test_nothing_fails_before_its_fault_begins() -> None:
    """The first fail lies after the fault."""
    first = Run(make(FAULTY)).all().first_fail
    assert first is not None
    assert first.at > 0.3 * 100 * 15


@cache
def at_once() -> Judgement:
    """The faulty rollout, judged at its end alone."""
    return Run(make(FAULTY)).all()


@HEAVY
@given(st.lists(st.integers(1, 99), max_size=12, unique=True))
def test_polling_rhythm_changes_nothing(polls: list[int]) -> None:
    """Any poll times give the same first fail, to the bin, and the same evidence."""
    once, often = at_once(), Run(make(FAULTY))
    for poll in sorted(polls):
        often.to(poll)
    last = often.all()
    assert last.first_fail is not None
    assert once.first_fail is not None
    assert last.first_fail.at == once.first_fail.at
    for signal in once.signals:
        assert evidence_of(last, signal.name) == pytest.approx(
            evidence_of(once, signal.name), abs=1e-5
        )


def test_every_answer_on_the_way_is_what_was_due_then() -> None:
    """Judging at a bin after polling each bin equals judging at that bin alone."""
    frame = make(HEALTHY)
    often = Run(frame)
    for bin_ in range(1, 101, 7):
        step = often.to(bin_)
        alone = Run(frame).to(bin_)
        assert (step.outcome, step.reason) == (alone.outcome, alone.reason)


def permuted(frame: Frame, order: list[int]) -> Frame:
    """Control pods in another order."""
    control = frame.control
    histogram = control.histograms["latency"]
    return replace(
        frame,
        control=replace(
            control,
            requests=control.requests[order],
            age=control.age[order],
            seen=control.seen[order],
            counts={k: replace(c, n=c.n[order], x=c.x[order]) for k, c in control.counts.items()},
            histograms={"latency": replace(histogram, counts=histogram.counts[order])},
        ),
    )


@settings(max_examples=5)
@given(st.permutations(range(6)))
def test_order_of_stable_pods_changes_nothing(order: list[int]) -> None:
    """The control is a set."""
    frame = make(HEALTHY)
    one, two = Run(frame).to(60), Run(permuted(frame, order)).to(60)
    for signal in one.signals:
        assert evidence_of(one, signal.name) == pytest.approx(
            evidence_of(two, signal.name), abs=1e-4
        )


def test_shared_incident_cancels() -> None:
    """Eight times the errors on both arms at once move the evidence by less than one nat."""
    calm = Run(make(Recipe(seed=9, errors=0.01)))
    stormy = Run(make(Recipe(seed=9, errors=0.01, incident=slice(60, 75))))
    for bin_ in (61, 65, 75, 90):
        one, two = calm.to(bin_), stormy.to(bin_)
        assert two.outcome is not Outcome.FAIL
        assert evidence_of(two, "error_rate") - evidence_of(one, "error_rate") < 1.0


def test_shared_incident_withholds_pass() -> None:
    """While both arms suffer no rollout goes on."""
    run = Run(make(Recipe(seed=9, errors=0.01, incident=slice(60, 90))))
    codes = {run.to(bin_).reason.code for bin_ in range(64, 80, 2)}
    assert codes & {ReasonCode.SHARED_INCIDENT, ReasonCode.BUDGET_BURNING}
    assert ReasonCode.HEALTHY not in codes


def test_a_burst_does_not_fail() -> None:
    """Thirty seconds of errors on the canary, however many, are a burst."""
    frame = make(HEALTHY)
    counts = frame.canary.counts["error_rate"]
    column = 480 + 70
    counts.x[:, column : column + 2] = 0.4 * counts.n[:, column : column + 2]
    run = Run(frame)
    judgements = [run.to(bin_) for bin_ in range(70, 80)]
    assert all(j.outcome is not Outcome.FAIL for j in judgements)
    assert all(j.outcome is Outcome.INCONCLUSIVE for j in judgements[3:])


def test_a_total_outage_fails_within_two_minutes() -> None:
    """Nothing but errors on every pod needs no persistence."""
    first = Run(make(Recipe(seed=10, more_errors=0.97, begins=0.5))).all().first_fail
    assert first is not None
    assert first.at - 0.5 * 100 * 15 <= 120


def test_silent_canary_never_passes() -> None:
    """A canary without requests is no good news at any time."""
    run = Run(make(Recipe(seed=11, shares=(0.0,))))
    for bin_ in (1, 20, 50):
        assert run.to(bin_).outcome is Outcome.INCONCLUSIVE
    last = run.to(100)
    assert (last.outcome, last.reason.code) == (Outcome.INCONCLUSIVE, ReasonCode.LOW_TRAFFIC)


def test_traffic_that_stops_withholds_pass() -> None:
    """Old requests do not vouch for a canary that serves nothing now."""
    run = Run(make(Recipe(seed=12, shares=(0.3, 0.3, 0.3, 0.0))))
    assert run.to(70).outcome is Outcome.PASS
    assert run.to(100).reason.code == ReasonCode.LOW_TRAFFIC


def test_low_traffic_says_how_much_is_missing() -> None:
    """`waiting for traffic: ... of ... requests, about ... minutes`."""
    judgement = Run(make(Recipe(seed=13, requests=6.0))).to(80)
    assert judgement.reason.code == ReasonCode.LOW_TRAFFIC
    assert judgement.waiting is not None
    assert judgement.waiting.startswith("waiting for traffic: ")
    assert judgement.needs.requests is not None
    assert judgement.needs.requests > 0


def test_first_minutes_warm_up() -> None:
    """Young pods are not judged to be safe."""
    assert Run(make(HEALTHY)).to(6).reason.code == ReasonCode.WARMING_UP


def test_a_step_collects_anew() -> None:
    """A pass speaks of the exposure seen so far; after a step it is earned again."""
    run = Run(make(Recipe(seed=14, shares=(0.33,))))
    run.session.set_weight(1.0, 10.0)
    assert run.to(50).outcome is Outcome.PASS
    run.session.set_weight(50 * 15.0, 30.0)
    after = run.to(56)
    assert after.reason.code == ReasonCode.COLLECTING
    assert after.exposure_since == 50 * 15.0
    assert run.to(80).outcome is Outcome.PASS


def test_a_step_just_told_is_not_passed_on_what_was_seen_before_it() -> None:
    """A controller that asks right after raising the weight does not skip the new step."""
    run = Run(make(Recipe(seed=14, shares=(0.33,))))
    run.session.set_weight(1.0, 10.0)
    assert run.to(50).outcome is Outcome.PASS
    run.session.set_weight(50 * 15.0 + 1.0, 30.0)
    asked = run.session.judge(as_of=50 * 15.0 + 1.0, stage=Stage.STEP, deadline=None)
    assert (asked.outcome, asked.reason.code) == (Outcome.INCONCLUSIVE, ReasonCode.COLLECTING)
    assert asked.exposure_since == 51 * 15.0


def test_final_needs_ten_minutes() -> None:
    """Promotion asks for more time than a step."""
    recipe = Recipe(seed=15, shares=(0.3,))
    assert Run(make(recipe)).to(36).outcome is Outcome.PASS
    assert Run(make(recipe)).to(36, stage=Stage.FINAL).reason.code == ReasonCode.COLLECTING
    assert Run(make(recipe)).to(60, stage=Stage.FINAL).outcome is Outcome.PASS


def test_the_last_step_before_the_deadline_is_final() -> None:
    """From deadline minus one step on the stage is final."""
    recipe = Recipe(seed=15, shares=(0.3,))
    judgement = Run(make(recipe)).to(36, deadline=36 * 15.0 + 60)
    assert judgement.reason.code == ReasonCode.COLLECTING


def test_overloaded_canary_is_not_comparable() -> None:
    """One pod with three times the load of the others: latency is not judged there."""
    run = Run(make(Recipe(seed=16, canary=1, control=6, shares=(0.33,), slower=0.25)))
    judgement = run.to(60)
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert judgement.reason.code in {ReasonCode.LOAD_NOT_COMPARABLE, ReasonCode.NEEDS_PODS}


def test_exhausted_control_is_named() -> None:
    """At 98 % of the traffic there is nothing left to compare with."""
    run = Run(make(Recipe(seed=17, canary=6, control=6, shares=(0.5, 0.98))))
    assert run.to(100).reason.code == ReasonCode.CONTROL_EXHAUSTED


def test_stale_data_is_inconclusive() -> None:
    """An answer from old samples is not given."""
    run = Run(make(HEALTHY))
    run.all()
    late = run.session.judge(as_of=100 * 15.0 + 600, stage=Stage.STEP, deadline=None)
    assert late.reason.code == ReasonCode.STALE_DATA


def test_missing_histogram_is_named() -> None:
    """A required signal that does not exist withholds a pass, unless the policy waives it."""
    frame = make(HEALTHY)
    bare = replace(
        frame,
        canary=replace(frame.canary, histograms={}),
        control=replace(frame.control, histograms={}),
    )
    assert Run(bare).all().reason.code == ReasonCode.SIGNAL_MISSING
    waived = Policy(signals={"latency": SignalPolicy(required=False)})
    assert Run(bare, waived).all().outcome is Outcome.PASS


def test_no_control_is_inconclusive() -> None:
    """A first deployment without a control is not judged by guesswork."""
    frame = make(Recipe(seed=18, control=1))
    frame.control.requests[:] = 0
    frame.control.counts["error_rate"].x[:] = 0
    frame.control.histograms["latency"].counts[:] = 0
    assert Run(frame).all().reason.code == ReasonCode.NO_CONTROL_DATA


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(seed=20, canary=1, control=1),
        Recipe(seed=21, errors=0.0),
        Recipe(seed=22, errors=0.5),
        Recipe(seed=23, bins=1),
        Recipe(seed=24, history=0),
        Recipe(seed=25, requests=2e6, bins=20),
        Recipe(seed=26, canary=30, control=40, bins=30),
        Recipe(seed=27, step=60.0, history=120, bins=25),
    ],
    ids=["one pod", "no errors", "half errors", "one bin", "no history", "busy", "70 pods", "60 s"],
)
def test_no_input_breaks_the_numbers(recipe: Recipe) -> None:
    """No NaN, no inf, no exception: every number shown is finite or absent."""
    for signal in Run(make(recipe)).all().signals:
        assert signal.evidence is None or np.isfinite(signal.evidence)
        assert all(
            v is None or isinstance(v, str) or np.isfinite(v) for v in signal.details.values()
        )


@pytest.mark.parametrize("slo", [0.0, 0.9, 0.999, 1.0])
def test_any_slo_is_judged(slo: float) -> None:
    """An error budget of nothing or of everything divides by nothing."""
    assert Run(make(HEALTHY), Policy(slo=slo)).all().outcome in Outcome


def test_scaled_clock_gives_the_same_answer() -> None:
    """The demo's fifteen-fold clock is the same engine: same evidence, same first fail."""
    frame = make(FAULTY)
    quick = replace(
        frame,
        step=1.0,
        interval=1.0,
        canary=replace(frame.canary, age=frame.canary.age / 15, newest=100.0),
        control=replace(frame.control, newest=100.0),
    )
    real, fast = Run(frame).all(), Run(quick, Policy(time_scale=1 / 15)).all()
    assert real.first_fail is not None
    assert fast.first_fail is not None
    assert real.first_fail.at == pytest.approx(15 * fast.first_fail.at)
    assert evidence_of(real, "latency") == pytest.approx(evidence_of(fast, "latency"), abs=1e-6)


def test_pods_that_come_later_do_not_raise_evidence() -> None:
    """A pod without data changes no other pod's evidence."""
    frame = make(Recipe(seed=28, canary=4))
    for array in (frame.canary.requests, frame.canary.counts["error_rate"].n):
        array[3] = 0
    frame.canary.counts["error_rate"].x[3] = 0
    frame.canary.histograms["latency"].counts[3] = 0
    frame.canary.age[3] = np.nan
    fewer = replace(frame, canary=take(frame.canary, 3))
    four, three = Run(frame).to(80), Run(fewer).to(80)
    for signal in three.signals:
        assert evidence_of(four, signal.name) <= evidence_of(three, signal.name) + 1e-6


def take(arm: Arm, pods: int) -> Arm:
    """The first pods of an arm."""
    histogram = arm.histograms["latency"]
    return replace(
        arm,
        pods=arm.pods[:pods],
        born=arm.born[:pods],
        age=arm.age[:pods],
        seen=arm.seen[:pods],
        requests=arm.requests[:pods],
        counts={k: replace(c, n=c.n[:pods], x=c.x[:pods]) for k, c in arm.counts.items()},
        histograms={"latency": replace(histogram, counts=histogram.counts[:pods])},
    )


def test_history_length_matters_only_for_learning() -> None:
    """An attempt can be judged with an hour of history as with two."""
    frame = make(HEALTHY)
    assert Run(dropped(frame, -240)).all().outcome is Outcome.PASS


def test_state_stays_small() -> None:
    """Sums, snapshots and memory of 5 canary pods, 10 stable ones: under a megabyte."""
    run = Run(make(Recipe(seed=30, canary=5, control=10)), plan=PLAN)
    for bin_ in range(1, 101):
        run.to(bin_)
    assert run.session.nbytes < 1_000_000
