"""What holds a pass back: each rule on both sides of its edge, and which is told first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Arm
from detector.gate.passing import Moment, holds, needs_of, waiting_text
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.state import State
from detector.gate.verdict import Needs, Outcome
from detector.series import FloatArray
from detector.signals.plan import Missing
from models.sequential.bound import Outlook
from models.sequential.rows import RowName
from tests.detector.gate.moments import (
    BINS,
    EACH,
    LIMIT,
    PLAN,
    RATE,
    STEP,
    T0,
    arm,
    moment,
    spread,
    state,
)
from tests.detector.gate.rollouts import Recipe, Run, make

C = ReasonCode


def codes(m: Moment) -> list[str]:
    """Every reason, in the order in which people are told."""
    return [reason.code for reason in holds(m)]


def only(m: Moment) -> Reason:
    """The one reason."""
    (reason,) = holds(m)
    return reason


def at_end(values: Mapping[int, float], usual: float = EACH, pods: int = 3) -> FloatArray:
    """The usual value, but others in the last so many bins."""
    out = spread(pods, usual)
    for bins, value in sorted(values.items(), reverse=True):
        out[:, BINS - bins :] = value
    return out


def test_nothing_wrong_holds_nothing_back() -> None:
    """A healthy release goes on: no rule is a reason to wait for ever."""
    assert codes(moment()) == []


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


# -- what befalls the whole service


@pytest.mark.parametrize(
    ("incidents", "held"),
    [
        pytest.param([1, 1, 1, 1, 0, 0, 0, 0], True, id="60 s of the last 120"),
        pytest.param([1, 0, 1, 0, 0, 1, 0, 0], False, id="45 s"),
        pytest.param([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], False, id="over"),
        pytest.param([0, 1, 0, 1, 0, 1, 0, 1], True, id="on and off"),
    ],
)
def test_an_incident_of_both_arms_is_waited_for(incidents: list[int], held: bool) -> None:
    """Promoting in the middle of an outage is promoting blindly; after it a pass may come."""
    shaken = moment(states={"error_rate": state(incidents=incidents)})
    assert (codes(shaken) == [C.SHARED_INCIDENT]) is held
    spared = moment(states={"error_rate": state(incidents=incidents, required=False)})
    assert codes(spared) == []
    usual = moment(states={"error_rate": state(incidents=incidents, unrest=0.3)})
    assert codes(usual) == []


def failing(
    ours: float,
    theirs: float,
    states: Mapping[str, State] | None = None,
    policy: Policy | None = None,
) -> Moment:
    """The last five minutes with so many errors per pod and bin on either side."""
    return moment(
        canary=arm("canary", 3, failed=at_end({20: ours}, EACH * RATE)),
        control=arm("control", 6, failed=at_end({20: theirs}, EACH * RATE, 6)),
        states=states,
        policy=policy,
    )


# Ten times a budget of 1 in 1,000 beside the 3 in 1,000 that always fail.
BURNING = EACH * (10 * 0.001 + RATE)


def test_a_budget_that_burns_away_holds_every_release() -> None:
    """What harms both arms alike cancels in every comparison; the budget still tells it."""
    assert C.BUDGET_BURNING not in codes(failing(BURNING * 0.999, BURNING * 0.999))
    burning = list(holds(failing(BURNING * 1.01, BURNING * 1.01)))
    assert burning[0].code == C.BUDGET_BURNING
    assert "13 times too fast" in burning[0].text


def test_a_promise_that_is_wider_burns_later() -> None:
    """The edge is the service's own objective."""
    much = EACH * 0.02
    assert codes(failing(much, much))[:1] == [C.BUDGET_BURNING]
    assert codes(failing(much, much, policy=Policy(slo=0.99))) == []


def test_errors_that_are_a_habit_do_not_hold_a_release() -> None:
    """A service that always failed 4 % could else never be released again."""
    bad = state()
    learned = replace(bad.track.learned, rate=0.04)
    bad.track.learned = learned
    usual = EACH * 0.04
    assert codes(failing(usual, usual, states={"error_rate": bad})) == []


def test_a_handful_of_errors_burns_no_budget() -> None:
    """Nine errors of ten requests at night are nothing to stop for; ten are."""

    def quiet(errors: float) -> Moment:
        # The last five minutes of one pod on each side: twenty requests each.
        served, failed = at_end({}, 1.0, 1), at_end({}, errors / 40, 1)
        return moment(
            canary=arm("canary", 1, requests=served, failed=failed),
            control=arm("control", 1, requests=served, failed=failed),
        )

    assert C.BUDGET_BURNING not in codes(quiet(9.9))
    assert C.BUDGET_BURNING in codes(quiet(10.1))


def test_without_an_error_signal_no_budget_is_watched() -> None:
    """A service known by its latency alone is not held for a rate that nobody reads."""
    latency = {"latency": state("latency", RowName.LATENCY)}
    assert codes(failing(BURNING * 9, BURNING * 9, states=latency)) == []


@pytest.mark.parametrize(("share", "held"), [(0.049, True), (0.051, False)])
def test_a_control_that_hardly_serves_is_exhausted(share: float, held: bool) -> None:
    """Below a twentieth of the traffic the control can no longer say what is normal."""
    theirs = 3 * EACH * share / (1 - share) / 2
    control = arm("control", 2, requests=at_end({20: theirs}, EACH, 2))
    assert (C.CONTROL_EXHAUSTED in codes(moment(control=control))) is held
    allowed = Policy(allow_control_exhausted=True)
    assert C.CONTROL_EXHAUSTED not in codes(moment(control=control, policy=allowed))


# -- harm that is not proved


def test_a_burst_that_the_fail_rule_found_is_told() -> None:
    """Enough evidence, but all of one minute: no fail yet, and no pass."""
    reason = only(moment(burst="latency"))
    assert (reason.code, reason.text.split()[0]) == (C.BURST, "Latency")


def bursting(per_bin: float, theirs: float = EACH * RATE) -> Moment:
    """A canary whose pods show so many errors in each bin of the last minute."""
    return moment(
        canary=arm("canary", 3, failed=at_end({4: per_bin}, EACH * RATE)),
        control=arm("control", 6, failed=at_end({4: theirs}, EACH * RATE, 6)),
        policy=Policy(slo=0.9),
    )


def edge_of_a_burst(rate: float) -> float:
    """Errors of a pod and bin at five sd and ten events beyond the limit."""
    most = 4 * 3 * EACH * rate * math.exp(LIMIT)
    return (most + 5 * math.sqrt(most) + 10) / 12


def test_nobody_goes_on_in_the_middle_of_a_burst() -> None:
    """A canary that fails right now is not promoted, however quiet it was before."""
    edge = edge_of_a_burst(RATE + 5e-4)
    assert codes(bursting(edge * 0.99)) == []
    assert codes(bursting(edge * 1.01)) == [C.BURST]


def test_a_burst_on_both_sides_is_not_the_canarys() -> None:
    """What befalls the control alike is judged against the control."""
    much = edge_of_a_burst(RATE + 5e-4) * 2
    assert C.BURST in codes(bursting(much))
    assert C.BURST not in codes(bursting(much, theirs=much))


@given(st.floats(0.0, 40.0), st.floats(0.0, 40.0))
def test_more_errors_never_end_a_burst(errors: float, more: float) -> None:
    """A canary that gets worse is never let through for it."""
    if C.BURST in codes(bursting(errors)):
        assert C.BURST in codes(bursting(errors + more))


def test_what_looks_worse_is_waited_for() -> None:
    """Five to one against the canary is too little for a fail and too much for a pass."""
    edge = math.log(5.0)
    calm, wary = (moment(states={"error_rate": state(suspicion=at)}) for at in (edge, edge + 0.001))
    assert codes(calm) == []
    assert only(wary).code == C.SUSPICIOUS


def test_the_most_suspect_signal_is_named() -> None:
    """The person looks at the right chart."""
    states = {
        "error_rate": state(suspicion=2.0),
        "latency": state("latency", RowName.LATENCY, suspicion=3.0),
    }
    assert only(moment(states=states)).text.startswith("Latency")


def test_a_signal_that_is_only_shown_raises_no_suspicion() -> None:
    """Advice can neither stop nor delay a release."""
    shown = state("tail99", RowName.TAIL99, judged=False, required=False, suspicion=99.0)
    assert codes(moment(states={"error_rate": state(), "tail99": shown})) == []


# -- traffic and age


def test_a_canary_without_requests_waits_for_them() -> None:
    """Two minutes of silence: whatever was fine before says nothing of now."""
    silent = moment(canary=arm("canary", 3, requests=at_end({8: 0.0})))
    (reason, *_) = holds(silent)
    assert reason.code == C.LOW_TRAFFIC
    assert reason.text == (
        "The canary had no request in the last two minutes; waiting for traffic."
    )
    assert codes(moment(canary=arm("canary", 3, requests=at_end({7: 0.0})))) == []


def test_silence_tells_how_much_is_missing_where_that_is_known() -> None:
    """`waiting for traffic: 1000 of 1500 requests` beside the silence."""
    open_ = {"error_rate": state(bound=1.0)}
    silent = moment(canary=arm("canary", 3, requests=at_end({8: 0.0})), states=open_)
    assert next(holds(silent)).text.endswith("waiting for traffic: 1000 of 1500 requests.")


def aged(*ages: float) -> Arm:
    """Canary pods of these ages in all of the last two minutes, with equal traffic."""
    age = np.tile(np.array(ages)[:, None], (1, BINS))
    return arm("canary", len(ages), age=age)


def test_most_requests_must_come_from_pods_past_their_start() -> None:
    """Caches fill in the first minutes: nobody is let on by pods that have not begun."""
    assert codes(moment(canary=aged(180.0, 179.0))) == []
    assert codes(moment(canary=aged(180.0, 179.0, 179.0))) == [C.WARMING_UP]


@pytest.mark.parametrize(
    ("age", "scale", "text"),
    [
        pytest.param(60.0, 1.0, "about 2 minutes left", id="two minutes"),
        pytest.param(100.0, 1.0, "about 80 s left", id="eighty seconds"),
        pytest.param(179.0, 1.0, "about 15 s left", id="never less than a bin"),
        pytest.param(4.0, 1 / 15, "about 8 s left", id="on a faster clock"),
    ],
)
def test_the_time_that_warming_still_takes_is_told(age: float, scale: float, text: str) -> None:
    """Somebody who waits knows how long."""
    young = moment(canary=aged(age, age), policy=Policy(time_scale=scale))
    reason = next(r for r in holds(young) if r.code == C.WARMING_UP)
    assert text in reason.text


def test_the_youngest_pod_of_now_says_how_long() -> None:
    """Of pods that were added one after the other the last is waited for."""
    began = (np.arange(BINS) + 1) * STEP
    ages = np.stack([began - 480.0, began - 540.0])
    young = arm("canary", 2, age=np.where(ages > 0, ages, np.nan))
    reason = next(r for r in holds(moment(canary=young)) if r.code == C.WARMING_UP)
    assert "about 2 minutes left" in reason.text


@pytest.mark.parametrize("side", ["canary", "control"])
@pytest.mark.parametrize(("missing", "held"), [(6, False), (7, True)], ids=["70 %", "65 %"])
def test_holes_in_the_samples_hold_a_pass(side: str, missing: int, held: bool) -> None:
    """What was not scraped may be what was wrong."""
    pods = 3 if side == "canary" else 6
    holed = {side: arm(side, pods, seen=at_end({missing: 0.0}, 1.0, pods))}
    found = list(holds(moment(**holed)))  # type: ignore[arg-type]
    assert [r.code for r in found] == ([C.PARTIAL_DATA] if held else [])
    if held:
        assert f"65 % of the {side}'s" in found[0].text


def test_a_pod_that_ended_is_not_missing() -> None:
    """A canary that was scaled down is not half unseen."""
    gone = spread(3, 1.0)
    gone[0, BINS - 20 :] = 0.0
    assert codes(moment(canary=arm("canary", 3, seen=gone))) == []


def test_a_pod_that_was_not_yet_born_is_not_missing() -> None:
    """A pod added two minutes ago owes two minutes of samples."""
    age, seen = np.full((3, BINS), 900.0), spread(3, 1.0)
    age[2, : BINS - 8], seen[2, : BINS - 8] = np.nan, 0.0
    assert codes(moment(canary=arm("canary", 3, age=age, seen=seen))) == []


def test_nobody_seen_for_five_minutes_is_nobody() -> None:
    """When every pod is silent there is no sample left to be complete."""
    blind = moment(canary=arm("canary", 3, seen=at_end({20: 0.0}, 1.0)))
    assert "Only 0 %" in next(r for r in holds(blind) if r.code == C.PARTIAL_DATA).text


# -- time


@pytest.mark.parametrize(
    ("stage", "since", "started", "held"),
    [
        pytest.param(Stage.STEP, 180, 180, False, id="a step after three minutes"),
        pytest.param(Stage.STEP, 179, 590, True, id="a step that is too young"),
        pytest.param(Stage.FINAL, 300, 600, False, id="the end after ten minutes"),
        pytest.param(Stage.FINAL, 300, 599, True, id="an end too soon"),
        pytest.param(Stage.FINAL, 179, 900, True, id="an end just after a step"),
    ],
)
def test_every_exposure_lasts_its_time(stage: Stage, since: int, started: int, held: bool) -> None:
    """Three minutes at each weight, ten in all before it becomes the new stable."""
    now = T0 + BINS * STEP
    m = moment(stage=stage, exposure_since=now - since, started_at=now - started)
    assert (codes(m) == [C.COLLECTING]) is held


def test_the_time_that_is_missing_is_told_with_its_begin() -> None:
    """On which clock, how long."""
    now = T0 + BINS * STEP
    reason = only(moment(exposure_since=now - 30.0))
    assert reason.text == "This exposure began at 14:22; 2 minutes more are needed."
    last = only(moment(stage=Stage.FINAL, started_at=now - 500.0))
    assert last.text.startswith("This attempt")
    assert "100 s" in last.text


@pytest.mark.parametrize(("stage", "engine"), [(Stage.STEP, 180.0), (Stage.FINAL, 600.0)])
@given(scale=st.floats(0.01, 1.0), engine_s=st.floats(0.0, 900.0))
def test_a_faster_clock_waits_in_proportion(
    stage: Stage, engine: float, scale: float, engine_s: float
) -> None:
    """A demo fifteen times as fast asks for a fifteenth, by every rule alike."""
    m = moment(
        stage=stage,
        policy=Policy(time_scale=scale),
        exposure_since=T0,
        evaluated_to=T0 + engine_s * scale,
    )
    seconds = needs_of(m).seconds
    assert seconds is not None
    assert 0 <= seconds - max(engine - engine_s, 0.0) * scale + 1e-6 <= 1 + 2e-6


# -- the bound of harm


def open_state(name: str = "error_rate", row: RowName = RowName.ERROR, **changes: object) -> State:
    """A signal whose harm may still be above its limit."""
    return state(name, row, **({"bound": 1.0} | changes))


def unclear(**changes: object) -> Moment:
    """Errors whose harm is not yet known to be below the limit."""
    return moment(states={"error_rate": open_state("error_rate", RowName.ERROR, **changes)})


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        pytest.param({"bound": LIMIT - 1e-9}, False, id="just below"),
        pytest.param({"bound": LIMIT}, True, id="at the limit"),
        pytest.param({"bound": math.inf}, True, id="nothing known"),
        pytest.param({"bound": 0.1, "bound_now": LIMIT}, True, id="not since the last step"),
        pytest.param({"bound": 0.1, "exposure_log_e": 1.7}, True, id="worse since the last step"),
        pytest.param({"bound": 0.1, "exposure_log_e": 1.6}, False, id="calm since then"),
        pytest.param({"required": False}, False, id="not required"),
    ],
)
def test_harm_must_be_known_to_be_below_its_limit(changes: dict[str, object], held: bool) -> None:
    """No evidence of harm is not enough: its absence is proved, on all and on the last step."""
    assert bool(codes(unclear(**changes))) is held


def test_more_requests_are_asked_for_where_they_help() -> None:
    """The person reads how many, and how long at this rate."""
    reason = only(unclear())
    assert reason.code == C.LOW_TRAFFIC
    assert reason.text == (
        "Errors: harm is not yet known to be below its limit;"
        " waiting for traffic: 1000 of 1500 requests, about 17 s."
    )


@pytest.mark.parametrize(
    ("units", "text"),
    [(9, "about 9 canary pods would do"), (None, "only a wider limit or a learned arm effect")],
)
def test_more_pods_are_asked_for_where_requests_cannot_help(units: int | None, text: str) -> None:
    """Nobody waits for traffic that would prove nothing."""
    reason = only(unclear(outlook=Outlook(requests=None, units=units)))
    assert reason.code == C.NEEDS_PODS
    assert "3 of them" in reason.text
    assert text in reason.text


def latency(**changes: object) -> dict[str, State]:
    """A latency whose harm is not yet known, masked by load where load is uneven."""
    return {"latency": open_state("latency", RowName.LATENCY, **changes)}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"unmasked": 1.0}, C.LOW_TRAFFIC, id="even load"),
        pytest.param({"unmasked": 1.0, "load": 0.40}, C.LOW_TRAFFIC, id="x1.49"),
        pytest.param({"unmasked": 1.0, "load": 0.41}, C.LOAD_NOT_COMPARABLE, id="x1.51"),
        pytest.param({"unmasked": 1.0, "load": -0.41}, C.LOAD_NOT_COMPARABLE, id="a third less"),
        pytest.param({"unmasked": 0.1}, C.LOAD_NOT_COMPARABLE, id="the mask alone withholds"),
    ],
)
def test_uneven_load_is_told_before_traffic(changes: dict[str, object], code: str) -> None:
    """Waiting would not help a canary that runs at three times the load."""
    (reason,) = holds(moment(states=latency(**changes)))
    assert reason.code == code


def test_load_says_nothing_of_errors() -> None:
    """Errors are compared at any load."""
    assert only(unclear(load=2.0)).code == C.LOW_TRAFFIC


def test_how_many_pods_would_balance_the_load_is_told() -> None:
    """One pod with a third of the traffic of nine wants to be three."""
    loaded = arm("canary", 1, requests=spread(1, 3 * EACH))
    states = latency(load=math.log(3.0), unmasked=1.0)
    reason = only(moment(canary=loaded, states=states))
    assert reason.text == (
        "Latency: not comparable, a canary pod carries 3.0 times a control pod's load;"
        " about 3 canary pods would balance it."
    )


@pytest.mark.parametrize(
    ("served", "pods"),
    [
        pytest.param((EACH, EACH, EACH, 0.0), 3, id="an idle pod is no measure"),
        pytest.param((EACH, 3 * EACH, 3 * EACH), 1, id="the middle one is"),
        pytest.param((9 * EACH, 9 * EACH), 1, id="never less than one"),
    ],
)
def test_the_load_of_a_control_pod_is_that_of_one_that_serves(
    served: tuple[float, ...], pods: int
) -> None:
    """Nobody is told to run fifty canary pods because a standby serves nobody."""
    control = arm("control", len(served), requests=np.tile(np.array(served)[:, None], (1, BINS)))
    loaded = arm("canary", 1, requests=spread(1, 3 * EACH))
    m = moment(canary=loaded, control=control, states=latency(load=math.log(3.0), unmasked=1.0))
    assert f"about {pods} canary pods would balance it" in list(holds(m))[-1].text


def test_load_that_was_uneven_before_is_told_as_such() -> None:
    """The fix is over and done; nobody is sent to scale what is balanced now."""
    reason = only(moment(states=latency(unmasked=0.1)))
    assert "earlier in this attempt" in reason.text


def test_the_signal_farthest_from_its_limit_is_named() -> None:
    """Of several open signals the one that takes longest."""
    states = {
        "error_rate": state(bound=0.9),
        "latency": state("latency", RowName.LATENCY, bound=1.5, unmasked=1.5),
        "tail95": state("tail95", RowName.TAIL95, bound=1.2, unmasked=1.2),
    }
    assert only(moment(states=states)).text.startswith("Latency")


# -- the order


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    C.NO_CANARY_DATA: lambda o: o.update(canary=replace(o["canary"], newest=-math.inf)),
    C.SIGNAL_MISSING: lambda o: o.update(missing=("latency",)),
    C.INCOMPATIBLE_HISTOGRAMS: lambda o: o.update(incompatible=True),
    C.SHARED_INCIDENT: lambda o: o["signal"].update(incidents=np.ones(8)),
    C.BUDGET_BURNING: lambda o: o.update(
        control=arm("control", 6, failed=at_end({20: 9.0}, EACH * RATE, 6))
    ),
    C.BURST: lambda o: o.update(burst="error_rate"),
    C.SUSPICIOUS: lambda o: o["signal"].update(suspicion=3.0),
    C.WARMING_UP: lambda o: o.update(canary=replace(o["canary"], age=spread(3, 100.0))),
    C.PARTIAL_DATA: lambda o: o.update(canary=replace(o["canary"], seen=at_end({9: 0.0}, 1.0))),
    C.COLLECTING: lambda o: o.update(exposure_since=T0 + 590),
    C.LOW_TRAFFIC: lambda o: o["signal"].update(bound=1.0),
}


@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=1), st.randoms(use_true_random=False))
def test_reasons_come_in_the_documented_order(chosen: set[str], random: Random) -> None:
    """What a person can mend comes before what only time mends, whatever else is wrong."""
    options: dict[str, Any] = {"canary": arm("canary", 3), "signal": {}}
    told = sorted(chosen)
    random.shuffle(told)
    for code in told:
        FAULTS[code](options)
    signal = options.pop("signal")
    found = codes(moment(states={"error_rate": state(**signal)}, **options))
    assert found == [code for code in ReasonCode if code in chosen]


# -- what is still needed


def test_a_pass_needs_nothing_more() -> None:
    """A controller that reads zeros goes on."""
    assert needs_of(moment()) == Needs(requests=0, seconds=0, canary_pods=None)
    assert waiting_text(moment()) is None


def test_time_alone_may_be_missing() -> None:
    """Enough requests, too soon."""
    m = moment(exposure_since=T0 + BINS * STEP - 100)
    assert needs_of(m) == Needs(requests=0, seconds=80, canary_pods=None)
    assert waiting_text(m) is None


def test_the_most_of_all_signals_is_needed() -> None:
    """Whoever waits for the quicker of two asks in vain."""
    states = {
        "error_rate": state(bound=1.0, outlook=Outlook(requests=9000.0, units=None)),
        "latency": state("latency", RowName.LATENCY, bound=1.0),
    }
    needs = needs_of(moment(states=states))
    assert needs == Needs(requests=9000, seconds=300, canary_pods=None)


@given(st.floats(0.0, 1e7), st.floats(1.0, 1e4), st.floats(0.05, 1.0))
def test_waiting_is_requests_over_their_rate(requests: float, each: float, scale: float) -> None:
    """The minutes that are told are those that the traffic of now will take, by people's clocks."""
    m = moment(
        policy=Policy(time_scale=scale),
        canary=arm("canary", 3, requests=spread(3, each)),
        states={"error_rate": state(bound=1.0, outlook=Outlook(requests=requests, units=None))},
    )
    needs = needs_of(m)
    assert needs.requests == math.ceil(requests)
    assert needs.seconds is not None
    took = requests / (3 * each / (STEP * scale))
    assert needs.seconds == pytest.approx(took, abs=1.0, rel=1e-9)


def test_without_traffic_no_time_is_promised() -> None:
    """`about 9 minutes` of a canary that nobody calls would be invented."""
    m = moment(
        canary=arm("canary", 3, requests=at_end({8: 0.0})), states={"error_rate": state(bound=1.0)}
    )
    assert needs_of(m) == Needs(requests=500, seconds=None, canary_pods=None)
    assert waiting_text(m) == "waiting for traffic: 1000 of 1500 requests"


@pytest.mark.parametrize(
    ("units", "pods"),
    [
        pytest.param((4, 7), 7, id="the most"),
        pytest.param((4, None), None, id="one that no pods can help"),
        pytest.param((None, None), None, id="none that pods can help"),
    ],
)
def test_where_requests_cannot_help_pods_may(
    units: tuple[int | None, int | None], pods: int | None
) -> None:
    """A number of pods is told only if it would do for every signal."""
    outlooks = [Outlook(requests=None, units=unit) for unit in units]
    states = {
        "error_rate": state(bound=1.0, outlook=outlooks[0]),
        "latency": state("latency", RowName.LATENCY, bound=1.0, outlook=outlooks[1]),
        "tail95": state("tail95", RowName.TAIL95, bound=1.0),
    }
    m = moment(states=states)
    assert needs_of(m) == Needs(requests=None, seconds=None, canary_pods=pods)
    assert waiting_text(m) is None


def test_the_window_of_a_rule_is_never_a_single_bin() -> None:
    """On a scrape each minute a rule of 60 s still sees two of them."""
    assert len(moment().last(np.arange(40.0), 1.0)) == 2
    assert len(moment().last(np.arange(40.0), 120.0)) == 8
