"""What a try found, added up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import Course, PastRollout, Poll
from detector.discovery.judged import judged_of
from detector.discovery.survey import View
from detector.discovery.tried import Placebos
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome
from detector.series import Matcher, MatchOp
from detector.signals.packs import shipped_packs
from detector.signals.plan import BoundSignal, Family, Missing, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def course(*outcomes: Outcome, service: str = "web", evidence: float = -5.0) -> Course:
    """A placebo that was answered so."""
    request = VerdictRequest(service=service, canary="{}")
    reason = Reason(ReasonCode.COLLECTING, "Because.")
    polls = tuple(
        Poll(
            at=60.0 * at,
            outcome=outcome,
            answer=outcome,
            reason=reason,
            final=False,
            evidence={"latency": evidence},
        )
        for at, outcome in enumerate(outcomes, 1)
    )
    return Course(rollout=PastRollout(request=request, start=0.0, end=600.0), polls=polls)


def lost() -> Course:
    """One that could not be judged."""
    request = VerdictRequest(service="web", canary="{}")
    return Course(
        rollout=PastRollout(request=request, start=0.0, end=600.0), polls=(), problem="refused"
    )


def test_only_what_was_judged_is_counted() -> None:
    """A source that failed today is no clean record."""
    found = Placebos.of([course(PASS), course(FAIL), course(OPEN), lost()], asked=9)
    assert (found.asked, found.judged, found.failed, found.passed) == (9, 3, 1, 1)


def test_the_services_are_counted_once() -> None:
    """A rate over one service is not one over ten."""
    courses = [course(PASS, service=name) for name in ("a", "b", "a")]
    assert Placebos.of(courses, asked=3).services == 2


def test_the_nearest_miss_is_told_as_a_share_of_what_is_needed() -> None:
    """How far from a false alarm the worst of them was."""
    found = Placebos.of([course(PASS, evidence=-9.0), course(PASS, evidence=-2.0)], asked=2)
    assert found.closest == pytest.approx(0.1353, abs=1e-3)


def test_nothing_judged_says_nothing() -> None:
    """No placebo is no evidence of anything."""
    found = Placebos.of([], asked=0)
    assert (found.closest, found.interval) == (None, (0.0, 1.0))


@given(st.lists(st.sampled_from([PASS, FAIL, OPEN]), max_size=40))
def test_the_interval_holds_the_share(outcomes: list[Outcome]) -> None:
    """Whatever was found lies within what may be."""
    found = Placebos.of([course(outcome) for outcome in outcomes], asked=len(outcomes))
    low, high = found.interval
    if found.judged:
        assert low <= found.failed / found.judged <= high


def bound(name: str, *, required: bool = False, judged: bool = True) -> BoundSignal:
    """A signal of a plan."""
    signal = Signal(name=name, kind=Kind.RATIO, required=required, judged=judged)
    total = Family(metric="x_total", shape=Shape.COUNTER)
    return BoundSignal(signal=signal, pack="x", unit=Unit.POD, total=total)


def brief(*signals: BoundSignal) -> str:
    """The signals of a service in a line."""
    plan = Plan(
        service="web",
        canary=(),
        control=(),
        requests=Family(metric="x_total", shape=Shape.COUNTER),
        signals=signals,
        missing=(Missing(name="latency", why="none"),),
    )
    pack = next(one for one in shipped_packs() if one.requests)
    view = View(
        service="web",
        metric="x_total",
        pack=pack,
        matchers=(Matcher("service", MatchOp.EQUAL, "web"),),
        series=({"pod": "a"}, {"pod": "b"}),
        pod_label="pod",
    )
    made = judged_of(view, plan)
    assert made.missing == plan.missing
    return f"{made.words} {made.can_fail}"


def test_signals_are_told_by_their_role() -> None:
    """What a pass needs first, what is only shown in brackets."""
    told = brief(
        bound("restarts"), bound("error_rate", required=True), bound("tail99", judged=False)
    )
    assert told == "error_rate, restarts (tail99) True"


def test_a_service_of_which_nothing_is_judged_says_so() -> None:
    """It cannot fail, and nobody should think that it does."""
    assert brief() == "nothing False"
    assert brief(bound("tail99", judged=False)) == "(tail99) False"
