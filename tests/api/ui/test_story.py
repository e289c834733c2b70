"""Timeline and figures: what is told of many verdicts, and where it is marked."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from api.ui.figures import curve_figure, evidence_figure, marks
from api.ui.story import Moment, decisions, story
from detector.gate.attempt import Latch, Weight
from detector.gate.curve import Curve
from detector.gate.decision import ModeChange, Override
from detector.gate.policy import Mode
from detector.gate.reason import Reason
from detector.gate.verdict import Outcome, Verdict
from tests.api.ui.test_rows import signal
from tests.pipelines.stores.test_stores import T0, attempt, verdict

outcomes = st.lists(st.sampled_from(Outcome), min_size=1, max_size=40)


def given_verdicts(found: list[Outcome], every: float = 30.0) -> tuple[Verdict, ...]:
    """Verdicts of one attempt, newest first."""
    of = attempt()
    made = [verdict(of, T0 + every * at, outcome).verdict for at, outcome in enumerate(found)]
    return tuple(reversed(made))


@given(found=outcomes)
def test_no_verdict_is_lost_and_no_decision_told_twice(found: list[Outcome]) -> None:
    """The timeline is shorter than the list of verdicts and says the same."""
    told = decisions(given_verdicts(found))
    assert sum(moment.count for moment in told) == len(found)
    spelled = [m.outcome for m in reversed(told) for _ in range(m.count)]
    assert spelled == found
    assert all(a.outcome is not b.outcome for a, b in itertools.pairwise(told))


@given(found=outcomes)
def test_the_timeline_runs_backwards_in_time(found: list[Outcome]) -> None:
    """The newest is on top, whatever kind it is of."""
    of = attempt(weights=(Weight(at=T0 + 45, weight=5.0),), started_at=T0 - 5)
    told = story(of, given_verdicts(found), (), (), whole=True)
    assert [m.at for m in told] == sorted((m.at for m in told), reverse=True)


def test_all_that_happened_beside_the_verdicts_is_told() -> None:
    """First sample, weights, evidence, people and break-glass have their moment."""
    of = attempt(
        started_at=T0 - 5,
        weights=(Weight(at=T0 + 1, weight=12.5),),
        latch=Latch(at=T0 + 2, found_at=T0 + 3, signal="latency", reason=Reason("x", "y")),
    )
    override = Override(
        attempt="a1", outcome=Outcome.PASS, person="ann", reason="r", at=T0 + 4, until=T0 + 9
    )
    mode = ModeChange(
        tenant="default",
        service=None,
        mode=Mode.SHADOW,
        person="joe",
        reason="r",
        at=T0 + 6,
        until=T0 + 9,
    )
    told = story(of, given_verdicts([Outcome.FAIL]), (override,), (mode,), whole=True)
    kinds = ["mode", "override", "latch", "weight", "decision", "start"]
    assert [m.kind for m in told] == kinds
    assert (told[3].head, told[3].text) == ("canary weight 12.5 %", "")
    assert told[1].head == "ann decided pass until 14:13:29 UTC"


def test_a_page_in_the_middle_tells_only_its_span() -> None:
    """What lies before the page's oldest verdict is on the next page."""
    of = attempt(started_at=T0 - 500, weights=(Weight(at=T0 - 400, weight=5.0),))
    told = story(of, given_verdicts([Outcome.PASS]), (), (), whole=False)
    assert [m.kind for m in told] == ["decision"]


def test_what_an_answer_was_told_as_is_part_of_the_decision() -> None:
    """A fail told as pass is another decision than a fail."""
    fail = given_verdicts([Outcome.FAIL, Outcome.FAIL])
    softened = replace(fail[0], answer=Outcome.PASS, mode=Mode.SHADOW)
    told = decisions((softened, fail[1]))
    assert len(told) == 2
    assert told[0].head.startswith("fail, told as pass (mode shadow), final")


@given(found=outcomes, begin=st.integers(0, 600), length=st.integers(0, 600))
def test_marks_lie_within_the_chart_and_only_where_something_changed(
    found: list[Outcome], begin: int, length: int
) -> None:
    """A line at every poll would hide the curves."""
    told = decisions(given_verdicts(found))
    drawn = marks(told, begin=T0 + begin, end=T0 + begin + length)
    inside = [m for m in told if begin <= m.at - T0 <= begin + length]
    assert len(drawn) <= len(inside)
    first = [m for m in reversed(inside) if m.outcome is not Outcome.INCONCLUSIVE][:1]
    assert bool(drawn) == bool(first)


def test_a_weight_that_was_read_says_so() -> None:
    """Nobody sent it: a person sees whose word it is."""
    of = attempt(weights=(Weight(at=T0, weight=20.0, is_read=True),))
    (told,) = story(of, (), (), (), whole=True)
    assert told.text == "Read from the controller's own gauge."


def test_weights_are_marked_with_their_per_cent() -> None:
    """A step in the curves is seen to be a step of the weight."""
    weight = Moment(at=T0, kind="weight", head="canary weight 20 %")
    (mark,) = marks([weight], begin=T0 - 1, end=T0 + 1)
    assert mark["annotation"]["text"] == "20 %"
    assert mark["shape"]["x0"] == mark["shape"]["x1"] == "2026-09-21 14:13:20"


def test_words_at_the_right_edge_stand_before_their_mark() -> None:
    """The fail that ended a rollout is its last moment: its word must not be cut off."""
    fail = decisions(given_verdicts([Outcome.FAIL]))
    (early,), (late,) = marks(fail, begin=T0 - 1, end=T0 + 99), marks(fail, begin=T0 - 99, end=T0)
    assert early["annotation"]["xanchor"] == "left"
    assert late["annotation"]["xanchor"] == "right"
    assert late["annotation"]["text"] == "✕ fail"


def test_holes_of_a_curve_stay_holes() -> None:
    """Nothing counted is drawn as nothing, neither as zero nor as a line across."""
    curve = Curve(
        signal="latency",
        measure="median",
        unit="seconds",
        width=15.0,
        times=np.array([T0, T0 + 15, T0 + 30]),
        canary=np.array([math.nan, math.inf, 0.5]),
        control=np.ones(3),
    )
    figure = curve_figure(curve, None, [])
    assert figure["data"][1]["y"] == [None, None, 0.5]
    assert figure["data"][1]["connectgaps"] is False
    assert figure["layout"]["yaxis"]["ticksuffix"] == "s"


def test_evidence_is_drawn_in_per_cent_of_what_a_fail_needs() -> None:
    """Signals with different thresholds meet one line at 100."""
    first, second = (
        replace(v, signals=(signal(evidence=e, needed=100.0),))
        for v, e in zip(given_verdicts([Outcome.PASS] * 2), (1e9, 10.0), strict=True)
    )
    figure = evidence_figure((first, second), [])
    assert figure is not None
    assert figure["data"][0]["y"] == [50.0, 150.0]
    assert figure["layout"]["shapes"][-1]["y0"] == 100


def test_one_verdict_makes_no_line() -> None:
    """Rather no chart than a dot."""
    assert evidence_figure(given_verdicts([Outcome.PASS]), []) is None
