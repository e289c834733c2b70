"""Log lines as evidence: what fails a rollout, what must not, and what it may cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.expression import signal as named
from detector.gate.frame import Arm, Counts, Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.verdict import Outcome, SignalVerdict, TemplateVerdict
from detector.gate.vocabulary import OTHERS
from detector.series import FloatArray
from tests.detector.gate.logged import LOGGED, NEW, Talk, logged
from tests.detector.gate.rollouts import Recipe, Run, make
from tests.profiles import HEAVY

FAULTY = logged(Recipe(seed=7), Talk(canary={NEW: 0.01}))


def run(frame: Frame, policy: Policy | None = None) -> Run:
    """A session on frames with lines."""
    return Run(frame, policy or Policy(), plan=LOGGED)


def signal(judgement: Judgement) -> SignalVerdict:
    """The signal of log lines."""
    return next(one for one in judgement.signals if one.name == "log_templates")


def top(judgement: Judgement) -> TemplateVerdict:
    """The template that tells most."""
    return signal(judgement).templates[0]


def edited(
    frame: Frame, template: str, canary: FloatArray, stable: FloatArray | None = None
) -> Frame:
    """The frame with so many lines of a template in each bin from the start on, on each pod."""
    lines = frame.lines
    assert lines is not None
    counts, place = lines.counts.copy(), lines.templates.index(template)
    for values, ours in ((canary, True), (stable, False)):
        if values is not None:
            rows = (lines.canary == ours) & (lines.template == place)
            counts[rows, -frame.first : -frame.first + len(values)] = values
    return replace(frame, lines=replace(lines, counts=counts))


def rewritten(frame: Frame, counts: FloatArray) -> Frame:
    """The frame with these lines of its templates, and as many of all together."""
    lines = frame.lines
    assert lines is not None

    def told(arm: Arm, *, canary: bool) -> Arm:
        x = np.zeros(arm.requests.shape)
        np.add.at(x, lines.pod[lines.canary == canary], counts[lines.canary == canary])
        both = Counts(n=arm.requests + 1e-6, x=x)
        return replace(arm, counts={**arm.counts, "log_templates": both})

    return replace(
        frame,
        lines=replace(lines, counts=counts),
        canary=told(frame.canary, canary=True),
        control=told(frame.control, canary=False),
    )


QUIET = logged(Recipe(seed=8), Talk(canary={NEW: 1e-12}))


# -- what fails


def test_a_new_template_fails_the_canary_and_is_named() -> None:
    """One request in a hundred logs an error that nobody saw before."""
    judgement = run(FAULTY).all()
    assert (judgement.outcome, judgement.reason.code) == (Outcome.FAIL, "log_templates_up")
    assert (top(judgement).id, top(judgement).is_new, top(judgement).scope) == (NEW, True, "arm")
    assert NEW in judgement.reason.text
    assert "New error lines" in judgement.reason.text


def test_a_known_template_ten_times_as_frequent_fails() -> None:
    """The old error is back: its base rate is what it is held against."""
    frame = logged(Recipe(seed=9), Talk(both={"lt_0a": 1e-3}, canary={"lt_0a": 9e-3}))
    judgement = run(frame).all()
    assert judgement.reason.code == "log_templates_up"
    assert (top(judgement).id, top(judgement).is_new) == ("lt_0a", False)
    assert top(judgement).lines.control > 20


def test_one_pod_that_writes_them_is_named() -> None:
    """A bad node shows on one pod, and there the on-call looks."""
    frame = logged(Recipe(seed=10, canary=4), Talk(canary={NEW: 0.05}, pods=[2]))
    judgement = run(frame).all()
    assert judgement.reason.code == "log_templates_up"
    assert top(judgement).scope in {"arm", "checkout-v2-2"}


def test_a_template_that_begins_late_is_found() -> None:
    """An attempt is long; what begins in its second half hour is read back from there."""
    frame = logged(Recipe(seed=11, bins=240), Talk(canary={NEW: 0.01}, later=200))
    judgement = run(frame).all()
    assert judgement.first_fail is not None
    assert judgement.first_fail.signal == "log_templates"
    assert 200 * 15 < judgement.first_fail.at <= 225 * 15
    assert top(judgement).since.timestamp() >= 150 * 15


def test_many_new_templates_fail_by_the_one_that_is_written_most() -> None:
    """A stack of errors is told by its loudest."""
    frame = logged(Recipe(seed=12), Talk(canary={NEW: 0.02, "lt_f1": 0.004, "lt_f2": 0.004}))
    judgement = run(frame).all()
    assert top(judgement).id == NEW
    assert {one.id for one in signal(judgement).templates} == {NEW, "lt_f1", "lt_f2"}


def test_rare_known_templates_fail_together() -> None:
    """Beyond the fifty commonest no single one has a share, but all of them have."""
    both = {f"lt_{n:02x}": 1e-3 for n in range(50)} | {f"lt_r{n:02x}": 1e-4 for n in range(10)}
    more = {f"lt_r{n:02x}": 2e-3 for n in range(10)}
    judgement = run(logged(Recipe(seed=13), Talk(both=both, canary=more))).all()
    assert judgement.reason.code == "log_templates_up"
    assert OTHERS in {one.id for one in signal(judgement).templates}


# -- what must not


@pytest.mark.parametrize("seed", range(8))
def test_what_both_sides_write_fails_nobody(seed: int) -> None:
    """Placebo: templates of all rates, pods that differ, nothing changed."""
    both = {f"lt_{n:02x}": 10.0**-exponent for n, exponent in enumerate((2, 3, 3.5, 4, 5, 5))}
    judgement = run(logged(Recipe(seed=100 + seed), Talk(both=both, spread=0.3))).all()
    assert judgement.outcome is not Outcome.FAIL


def test_a_rare_new_template_fails_nobody() -> None:
    """New texts with the version in them, once in twenty thousand requests each."""
    new = {f"lt_v{n}": 5e-5 for n in range(6)}
    judgement = run(logged(Recipe(seed=14), Talk(canary=new))).all()
    assert judgement.outcome is not Outcome.FAIL


def test_one_burst_on_the_canary_fails_nobody() -> None:
    """A minute of errors on one side is a burst: it must last to count."""
    burst = np.zeros(60)
    burst[30:34] = 40.0
    assert run(edited(QUIET, NEW, burst)).all().outcome is not Outcome.FAIL


def test_a_burst_long_ago_fails_nobody_where_nothing_is_served() -> None:
    """With a request in twenty seconds no later bin takes back what a bad minute said."""
    frame = logged(Recipe(seed=8, requests=0.05), Talk(canary={NEW: 1e-12}))
    burst = np.zeros(60)
    burst[30:34] = 40.0
    assert run(edited(frame, NEW, burst)).all().outcome is not Outcome.FAIL


@pytest.mark.parametrize("requests", [2.0, 20.0, 600.0])
def test_what_each_pod_writes_each_minute_fails_no_canary_that_serves_less(requests: float) -> None:
    """A loop that fails once a minute on every pod, old and new, is no news of the release."""
    frame = logged(
        Recipe(seed=8, canary=6, requests=requests, shares=(0.02, 0.02, 0.05)),
        Talk(both={NEW: 1e-12}),
    )
    assert frame.lines is not None
    each_minute = np.random.default_rng(1).poisson(0.25, frame.lines.counts.shape).astype(float)
    assert run(rewritten(frame, each_minute)).all().outcome is not Outcome.FAIL


def test_what_all_pods_write_while_they_start_fails_nobody_at_next_to_no_traffic() -> None:
    """A dozen pods cannot reach something for two minutes: hundreds of lines, and no request."""
    frame = logged(Recipe(seed=23, canary=12, requests=0.2), Talk(both={NEW: 1e-12}))
    assert frame.lines is not None
    counts = np.zeros_like(frame.lines.counts)
    fading = 6.0 * np.exp(-15.0 * np.arange(60) / 40.0)
    drawn = np.random.default_rng(3).poisson(fading, (12, 60))
    counts[np.flatnonzero(frame.lines.canary), -frame.first : -frame.first + 60] = drawn
    assert run(rewritten(frame, counts)).all().outcome is not Outcome.FAIL


def test_a_burst_that_both_sides_share_fails_nobody() -> None:
    """A dependency fails for five minutes: a new error, on the control as on the canary."""
    burst = np.zeros(90)
    burst[30:50] = 10.0
    shared = edited(QUIET, NEW, burst, 2.5 * burst)
    assert run(shared).all().outcome is not Outcome.FAIL


def test_what_pods_write_while_they_start_fails_nobody() -> None:
    """Banners and dumps at error level come with every start."""
    dump = np.zeros(60)
    dump[:3] = 300.0
    judgement = run(edited(QUIET, NEW, dump)).all()
    assert judgement.outcome is not Outcome.FAIL
    assert signal(judgement).templates == ()


def test_a_timer_that_writes_now_and_then_is_no_news_at_any_traffic() -> None:
    """With a request a minute, a line each quarter of an hour would be every tenth request."""
    frame = logged(Recipe(seed=15, requests=0.2), Talk(canary={NEW: 1e-12}))
    now_and_then = np.zeros(100)
    now_and_then[10::60] = 1.0
    assert run(edited(frame, NEW, now_and_then)).all().outcome is not Outcome.FAIL


def test_a_template_that_vanishes_fails_nobody() -> None:
    """Only harm counts."""
    frame = logged(Recipe(seed=16), Talk(both={"lt_0a": 0.01}))
    assert run(edited(frame, "lt_0a", np.zeros(100))).all().outcome is not Outcome.FAIL


def test_where_no_control_serves_lines_fail_nobody() -> None:
    """After the switch of a blue/green nothing tells what the logs would say otherwise."""
    frame = logged(Recipe(seed=21, shares=(0.3, 1.0, 1.0)), Talk(canary={NEW: 0.02}, later=45))
    judgement = run(frame).all()
    assert judgement.outcome is not Outcome.FAIL
    assert any("log_templates is shown and not judged" in note for note in judgement.notes)


def test_beside_a_control_nothing_is_said_of_lines_that_are_not_judged() -> None:
    """A note that stands everywhere is read nowhere."""
    assert not any("not judged" in note for note in run(FAULTY).all().notes)


# -- policies


def test_advice_only_shows_the_template_and_stops_nobody() -> None:
    """Who does not trust their logs yet still sees them."""
    policy = Policy(signals={"log_templates": SignalPolicy(judged=False)})
    judgement = run(FAULTY, policy).all()
    assert judgement.outcome is not Outcome.FAIL
    assert top(judgement).id == NEW
    assert (signal(judgement).judged, top(judgement).evidence) == (False, 1.0)


def test_a_policy_may_tolerate_more() -> None:
    """A service that is allowed twenty times its lines is not failed by ten times as many."""
    frame = logged(Recipe(seed=9), Talk(both={"lt_0a": 1e-3}, canary={"lt_0a": 9e-3}))
    wide = Policy(signals={"log_templates": SignalPolicy(tolerate=20.0)})
    assert run(frame, wide).all().outcome is not Outcome.FAIL


def test_without_its_own_expression_log_lines_fail_nobody() -> None:
    """A policy that names what may fail a rollout means what it says."""
    only = Policy(fail_when=named("error_rate"))
    assert run(FAULTY, only).all().outcome is not Outcome.FAIL


# -- laws


@pytest.mark.slow
@given(polls=st.lists(st.integers(1, 99), max_size=8, unique=True).map(sorted))
@HEAVY
def test_polls_of_any_rhythm_come_to_the_same_judgement(polls: list[int]) -> None:
    """Replay, restart and controllers of any rhythm must say the same, to the bit."""
    often, once = run(FAULTY), run(FAULTY)
    for bin_ in polls:
        often.to(bin_)
    assert often.to(100) == once.to(100)


@pytest.mark.slow
@given(order=st.permutations(range(4)))
@HEAVY
def test_the_order_of_templates_changes_nothing(order: list[int]) -> None:
    """Sources tell series in any order."""
    talk = Talk(both={"lt_0a": 2e-3, "lt_0b": 1e-3, "lt_0c": 1e-4}, canary={NEW: 0.01})
    frame = logged(Recipe(seed=17, bins=50), talk)
    lines = frame.lines
    assert lines is not None
    place = np.argsort(order)
    turned = replace(
        lines,
        templates=tuple(lines.templates[at] for at in order),
        template=place[lines.template],
    )
    assert run(replace(frame, lines=turned)).all() == run(frame).all()


@pytest.mark.slow
@given(more=st.integers(1, 20))
@HEAVY
def test_more_lines_are_never_found_later(more: int) -> None:
    """Monotone: of two that write all along the worse canary is not the longer spared."""
    some = np.zeros(60)
    some[4:] = 1.0
    found = [run(edited(QUIET, NEW, some * by)).to(60).first_fail for by in (1, more)]
    first, worse = found
    assert first is not None
    assert worse is not None
    assert worse.at <= first.at


# -- bounds


def test_a_template_explosion_is_bounded_and_still_fails() -> None:
    """An id in each line makes thousands of texts: together they are far too many lines."""
    new = {f"lt_{n:04x}": 2e-4 for n in range(300)}
    tested = run(logged(Recipe(seed=18), Talk(canary=new)))
    judgement = tested.all()
    assert judgement.reason.code == "log_templates_up"
    assert len(tested.session.hearing.ensembles) <= 24
    assert tested.session.nbytes < 12e6


def test_a_loud_template_takes_the_place_of_a_quiet_one() -> None:
    """Whatever came first must not hide what matters."""
    quiet = {f"lt_{n:04x}": 6e-4 for n in range(60)}
    frame = logged(Recipe(seed=19, requests=300.0), Talk(canary=quiet))
    lines = frame.lines
    assert lines is not None
    loud = lines.templates[-1]
    late = np.zeros(100)
    late[40:] = 10.0
    judgement = run(edited(frame, loud, late)).all()
    assert loud in {one.id for one in signal(judgement).templates}


def test_a_template_that_falls_silent_is_forgotten() -> None:
    """What was odd for a while does not take memory for a day."""
    some = np.zeros(260)
    some[10:30] = 1.0
    frame = logged(Recipe(seed=20, bins=260), Talk(both={}, canary={NEW: 1e-12}))
    tested = run(edited(frame, NEW, some))
    tested.to(40)
    assert len(tested.session.hearing.ensembles) == 1
    tested.to(260)
    assert not tested.session.hearing.ensembles


def test_without_logs_nothing_is_heard() -> None:
    """Who sends no logs pays nothing for them."""
    tested = Run(make(Recipe(seed=7)))
    tested.all()
    assert tested.session.hearing.vocabulary is None
    assert tested.session.hearing.ensembles == ()
