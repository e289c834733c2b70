"""History in place of a control: what is found, what passes, and by what it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector.gate.design import Elsewhere
from detector.gate.expression import all_of, any_of, signal
from detector.gate.frame import Frame
from detector.gate.judgement import Judgement
from detector.gate.memory import Memory, moments
from detector.gate.policy import Policy
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage
from detector.gate.scoring import Account
from detector.gate.verdict import Outcome
from tests.detector.gate.pasts import changed, shifted, steady
from tests.detector.gate.rollouts import Recipe, Run, make

# Smoke traffic on six new pods, then all users at once: the old ones stay, and serve nobody.
SWITCHED = Recipe(seed=5, canary=6, control=6, shares=(0.02, 1.0, 1.0, 1.0))
SWITCH, END = 25, 100
QUIET = Elsewhere(at=END * 15.0, services=("cart", "search"))


def judged(
    recipe: Recipe,
    memory: Memory,
    *,
    to: int = END,
    elsewhere: Elsewhere | None = QUIET,
    policy: Policy | None = None,
) -> Judgement:
    """The judgement of a rollout with a memory."""
    return after(make(recipe), memory, to=to, elsewhere=elsewhere, policy=policy)


def after(
    frame: Frame,
    memory: Memory,
    *,
    to: int = END,
    elsewhere: Elsewhere | None = QUIET,
    policy: Policy | None = None,
) -> Judgement:
    """The judgement of a frame with a memory."""
    run = Run(frame, policy or Policy(), memory=memory)
    if elsewhere is not None:
        run.session.look(elsewhere)
    return run.to(to)


def gone(recipe: Recipe) -> Frame:
    """A rollout whose old pods are gone at its start: recreated."""
    frame = make(replace(recipe, shares=(1.0,)))
    seen = frame.control.seen.copy()
    seen[:, recipe.history :] = 0.0
    return replace(frame, control=replace(frame.control, seen=seen, newest=0.0))


def test_a_switch_is_waited_with_until_the_past_was_read() -> None:
    """Nothing passes on what was seen of smoke traffic while the past is still to be read."""
    run = Run(make(SWITCHED))
    run.session.feed((), (), now=END * 15.0)
    judgement = run.session.judge(as_of=END * 15.0, stage=Stage.STEP, deadline=None)
    assert run.session.wants_memory
    assert judgement.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("bins", [1, 7, 25])
def test_who_polls_when_is_no_difference(bins: int) -> None:
    """The past is asked for at the same bin however often the gate is asked."""
    often, once = Run(make(SWITCHED), memory=steady()), Run(make(SWITCHED), memory=steady())
    for run in (often, once):
        run.session.look(QUIET)
    for at in range(bins, END, bins):
        often.to(at)
    one, other = often.to(END), once.to(END)
    assert one.outcome is other.outcome
    assert [s.evidence for s in one.signals] == pytest.approx([s.evidence for s in other.signals])


def test_a_healthy_switch_of_a_steady_service_passes_and_is_labelled() -> None:
    """People read that the pass leans on the past."""
    judgement = judged(SWITCHED, steady())
    assert judgement.outcome is Outcome.PASS
    assert "weaker comparison" in judgement.reason.text
    assert judgement.notes[0].startswith("Weaker comparison: no control serves")
    assert "before" in judgement.notes[0]
    assert "17 quiet times" in judgement.notes[0]


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"more_errors": 0.02}, "error_rate_up"), ({"slower": np.log(1.5)}, "latency_up")],
    ids=["errors", "latency"],
)
def test_a_plain_fault_after_the_switch_fails_within_ten_minutes(
    fault: dict[str, Any], code: str
) -> None:
    """Two points of errors, or half as slow again, are found without a control."""
    judgement = judged(replace(SWITCHED, **fault, begins=0.25), steady(), to=SWITCH + 40)
    assert judgement.outcome is Outcome.FAIL
    assert judgement.reason.code == code


@pytest.mark.parametrize("slower", [0.0, np.log(1.5)], ids=["healthy", "slower"])
def test_recreated_pods_are_judged_by_those_before_them(slower: float) -> None:
    """No control pod is left: its last two hours are the reference, and no reason to be stale."""
    judgement = after(gone(replace(SWITCHED, slower=slower)), steady())
    assert judgement.outcome is (Outcome.FAIL if slower else Outcome.PASS)
    assert (" before (x" in judgement.reason.text) is bool(slower)


def test_a_service_that_wanders_is_not_rolled_back_for_it() -> None:
    """Where the same half hour differs by a third from week to week, a quarter is no fault."""
    slower = replace(SWITCHED, slower=np.log(1.25), begins=0.25)
    assert judged(slower, steady(wander=0.3)).outcome is Outcome.INCONCLUSIVE


def test_moments_of_other_releases_teach_nothing() -> None:
    """A week in which every look fell into a release does not make the comparison exact."""
    run = Run(make(SWITCHED), memory=changed(steady()))
    run.to(END)
    told = run.session.past.standing().recalled
    assert told["latency"].before == pytest.approx(0.08, rel=0.02)
    assert told["latency"].quiet == 0


def test_no_pass_while_other_services_have_moved() -> None:
    """An incident of the cluster looks like the release, or hides what it does."""
    moved = replace(QUIET, moved=("cart",))
    judgement = judged(SWITCHED, steady(), elsewhere=moved)
    assert judgement.reason.code == ReasonCode.SHARED_INCIDENT
    assert "cart" in judgement.reason.text


@pytest.mark.parametrize(
    "seen",
    [None, Elsewhere(at=END * 15.0), Elsewhere(at=60.0, services=("cart",))],
    ids=["not looked", "nobody there", "long ago"],
)
def test_no_pass_without_a_witness_unless_the_policy_says_so(seen: Elsewhere | None) -> None:
    """With nobody to ask an incident cannot be excluded; who accepts that writes it down."""
    held = judged(SWITCHED, steady(), elsewhere=seen)
    assert held.reason.code == ReasonCode.CONTROL_EXHAUSTED
    allowed = Policy(allow_control_exhausted=True)
    assert judged(SWITCHED, steady(), elsewhere=seen, policy=allowed).outcome is Outcome.PASS


def test_a_control_that_starves_half_way_is_named_as_before() -> None:
    """Stop at 90 %: a canary that had a control is not passed on the past instead."""
    starving = Recipe(seed=17, canary=6, control=6, shares=(0.5, 0.98))
    judgement = judged(starving, steady())
    assert judgement.reason.code == ReasonCode.CONTROL_EXHAUSTED
    assert "90 %" in judgement.reason.text


def test_what_the_hour_does_each_day_is_not_put_on_the_release() -> None:
    """Where a batch makes this half hour twice as slow each day no release at it is rolled back.

    A release that is half as slow again on top is.
    """
    daily = np.where([m.is_same_hour for m in moments(0.0, 1.0)], np.log(2.0), 0.0)
    memory = shifted(steady(), daily)
    at_the_hour = replace(SWITCHED, slower=np.log(2.0), begins=0.25)
    assert judged(at_the_hour, memory).outcome is Outcome.PASS
    assert judged(at_the_hour, steady()).outcome is Outcome.FAIL
    worse = judged(replace(SWITCHED, slower=np.log(3.0), begins=0.25), memory)
    assert worse.reason.code == "latency_up"
    assert "moved as at this hour of 10 past days" in worse.notes[0]


def test_the_older_the_past_the_less_it_proves() -> None:
    """What wanders is further off two hours on: a bake is not rolled back by its old reference."""
    baked = make(replace(SWITCHED, bins=4 * END, shares=(0.02, *[1.0] * 15)))
    run = Run(baked, memory=steady())
    worth = [_worth(run, to) for to in (END, 2 * END, 4 * END)]
    assert worth[0] == pytest.approx(0.95, abs=0.03)
    assert 1.0 < worth[1] < worth[2]
    assert worth[2] == pytest.approx(1.72, rel=0.05)


def _worth(run: Run, to: int) -> float:
    """The variance that what was judged on history carries, of that of the half hour after."""
    run.to(to)
    accounts = run.session.tracks["error_rate"].accounts.sum(axis=0)
    return float(accounts[Account.ON_HISTORY] / accounts[Account.REQUESTS])


def test_without_any_past_nothing_is_judged() -> None:
    """No history and no promise: no data, neither pass nor fail."""
    judgement = after(_first(more_errors=0.5), Memory(at=0.0))
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert judgement.reason.code == ReasonCode.NO_CONTROL_DATA


def _first(**fault: Any) -> Frame:  # noqa: ANN401 - fields of a recipe
    """Nothing ever served before."""
    frame = make(replace(SWITCHED, shares=(1.0,), errors=1e-4, **fault))
    control = frame.control
    control.requests[:] = 0
    control.seen[:] = 0
    for counts in control.counts.values():
        counts.n[:] = counts.x[:] = 0
    for histogram in control.histograms.values():
        histogram.counts[:] = 0
    return frame


PROMISED = Policy(promises_slo=True)


@pytest.mark.parametrize(
    ("errors", "outcome"), [(0.0, Outcome.PASS), (0.02, Outcome.FAIL)], ids=["within", "beyond"]
)
def test_a_first_deployment_is_held_against_the_promise(errors: float, outcome: Outcome) -> None:
    """With an SLO written down it passes well below it, and fails plainly above."""
    judgement = after(_first(more_errors=errors), Memory(at=0.0), policy=PROMISED)
    assert judgement.outcome is outcome
    assert "absolute" in judgement.notes[0]
    if outcome is Outcome.FAIL:
        assert "0.10 % promised" in judgement.reason.text


@pytest.mark.parametrize(
    ("within_s", "outcome"), [(1.0, Outcome.PASS), (0.05, Outcome.FAIL)], ids=["fast", "slow"]
)
def test_a_latency_objective_judges_the_tail(within_s: float, outcome: Outcome) -> None:
    """95 % within the seconds that were promised."""
    policy = replace(PROMISED, latency_slo_s=within_s)
    judgement = after(_first(), Memory(at=0.0), policy=policy)
    assert judgement.outcome is outcome


def test_a_job_is_held_against_its_past_runs() -> None:
    """It ran at the same hour of past days; for two hours before its start nothing did."""
    frame = _first(more_errors=0.03)
    judgement = after(frame, steady(errors=1e-4))
    assert judgement.reason.code == "error_rate_up"
    assert "at the same hour of 4 past weeks" in judgement.notes[0]
    assert after(_first(), steady(errors=1e-4)).outcome is Outcome.PASS


FAULTY = replace(SWITCHED, more_errors=0.02, begins=0.25)
SHAKEN = replace(QUIET, moved=("cart",), worse=("cart",), errors_up=1.8)


@pytest.mark.parametrize(
    "recipe", [FAULTY, replace(SWITCHED, shares=(1.0,), more_errors=0.02)], ids=["switch", "gone"]
)
def test_no_fail_for_what_befell_the_others_as_well(recipe: Recipe) -> None:
    """An incident of the cluster right after a switch does not roll the release back."""
    frame = make(recipe) if recipe is FAULTY else gone(recipe)
    judgement = after(frame, steady(), elsewhere=SHAKEN)
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert judgement.reason.code == ReasonCode.SHARED_INCIDENT
    assert "cart" in judgement.reason.text


def test_an_outage_in_an_incident_is_no_incident() -> None:
    """Where half of all fail here and others have six times their few errors it is the release."""
    outage = replace(FAULTY, more_errors=0.5)
    assert judged(outage, steady(), elsewhere=SHAKEN).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "seen",
    [
        QUIET,
        Elsewhere(at=END * 15.0),
        replace(SHAKEN, errors_up=0.3),
        replace(QUIET, moved=("cart",)),
    ],
    ids=["calm", "nobody there", "far less", "better"],
)
def test_a_fail_waits_for_one_look_at_the_others(seen: Elsewhere) -> None:
    """Until somebody has looked it may be the cluster; then, or where nobody is, it stands."""
    run = Run(make(FAULTY), memory=steady())
    assert run.to(END).outcome is Outcome.INCONCLUSIVE
    assert run.session.wants_elsewhere
    assert run.session.wants_witness
    run.session.look(seen)
    assert run.to(END).outcome is Outcome.FAIL
    assert not run.session.wants_witness


def test_a_look_from_before_the_fail_is_none() -> None:
    """That the cluster was well ten minutes ago says nothing of the minute of the fail."""
    run = Run(make(FAULTY), memory=steady())
    run.session.look(replace(QUIET, at=SWITCH * 15.0))
    assert run.to(END).outcome is Outcome.INCONCLUSIVE
    assert run.session.wants_witness


def test_after_the_incident_the_release_is_judged_by_what_followed() -> None:
    """A fault that is still there when the others are well again is the release's own."""
    run = Run(make(replace(FAULTY, bins=4 * END, shares=(0.02, *[1.0] * 15))), memory=steady())
    run.to(50)
    run.session.look(replace(SHAKEN, at=50 * 15.0))
    assert run.to(51).reason.code == ReasonCode.SHARED_INCIDENT
    for at in range(60, 200, 10):
        run.to(at)
        run.session.look(replace(QUIET, at=at * 15.0))
    judgement = run.to(200)
    assert judgement.outcome is Outcome.FAIL
    assert judgement.first_fail is not None
    assert judgement.first_fail.at > 60 * 15.0


def test_beside_a_control_nobody_else_is_asked() -> None:
    """A control that serves at the same time had the incident too: a fail waits for no witness."""
    beside = Recipe(seed=5, canary=6, control=6, shares=(0.3,), more_errors=0.03)
    assert judged(beside, steady(), elsewhere=SHAKEN).outcome is Outcome.FAIL


BOTH = Policy(fail_when=all_of(signal("error_rate"), signal("latency")))
# Errors are plain at once, a third slower takes longer: the second part is proved minutes later.
TWICE = replace(FAULTY, slower=np.log(1.3))


def proved_first(policy: Policy) -> tuple[Run, int]:
    """A run at the bin at which something is proved for the first time."""
    run = Run(make(TWICE), policy, memory=steady())
    at = next(at for at in range(SWITCH + 4, END) if _wants_witness(run, at))
    return run, at


def _wants_witness(run: Run, at: int) -> bool:
    run.to(at)
    return run.session.wants_witness


def test_a_part_of_a_condition_is_seen_to_when_it_is_proved() -> None:
    """When the last part is proved ten minutes later nobody can tell how the others were then."""
    run, at = proved_first(BOTH)
    assert run.session.first_fail is None
    run.session.look(replace(QUIET, at=at * 15.0))
    assert not run.session.wants_witness
    assert not run.session.failing.is_held


def test_a_part_that_befell_the_others_too_is_no_proof() -> None:
    """Errors of the whole cluster do not become the release's own because it is slow as well.

    If they are still there when the others are well again, they are: proved anew, and later.
    """
    run, at = proved_first(BOTH)
    run.session.look(replace(SHAKEN, at=at * 15.0))
    assert run.session.failing.is_held
    run.to(END)
    run.session.look(QUIET)
    late = run.session.first_fail
    assert late is not None
    assert late.at >= (at + 10) * 15.0


def test_a_condition_whose_parts_are_all_the_release_s_own_fails() -> None:
    """With a calm cluster at every moment both parts stand."""
    run, at = proved_first(BOTH)
    for bin_ in range(at, END, 10):
        run.to(bin_)
        run.session.look(replace(QUIET, at=bin_ * 15.0))
    run.session.look(QUIET)
    assert run.to(END).outcome is Outcome.FAIL


def test_a_part_that_needs_no_witness_does_not_wait_for_one() -> None:
    """What was proved beside a control stands, whatever else is asked for."""
    either = Policy(fail_when=any_of(signal("error_rate"), signal("latency")))
    beside = Recipe(seed=5, canary=6, control=6, shares=(0.3,), more_errors=0.03)
    run = Run(make(beside), either, memory=steady())
    assert run.to(END).outcome is Outcome.FAIL
    assert not run.session.wants_witness
