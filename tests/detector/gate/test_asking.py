"""What is asked of the source: which pods by name, and until when they are waited for."""

from __future__ import annotations

import pytest

from detector.gate.asking import Asking
from detector.gate.roster import Pod, Roster
from detector.signals.plan import ArmName
from detector.signals.signal import Kind
from models.counters import Counters
from models.gauges import Gauges
from tests.detector.gate.traffic import ERRORS, REQUESTS, RESTARTS, bound, plan

PLAN = plan(ERRORS, bound("restarts", Kind.EVENTS, RESTARTS))


def asking(*names: str, newest: float = 0.0, time_scale: float = 1.0) -> Asking:
    """Pods that reported last at `newest`; samples were used until 0."""
    counters = Counters(start=0.0, step=15.0, settle=25.0, gap=60.0, frozen=0)
    gauges = Gauges(start=0.0, step=15.0, hold=60.0, frozen=0)
    roster = Roster(PLAN, counters, gauges, first=0)
    roster.pods = [Pod(name, ArmName.CONTROL, newest=newest) for name in names]
    made = Asking(PLAN, roster, time_scale=time_scale)
    made.watermark = 0.0
    return made


def by_name(made: Asking) -> list[str]:
    return [r.query.matchers[-1].value for r in made.readings() if r.arm is None]


def test_the_same_pods_are_asked_for_by_the_same_objects() -> None:
    """Whoever keeps something by reading would hash every one of them at every poll."""
    made = asking("a", "b")
    first, second = made.readings(), made.readings()
    assert len(first) == len(second) > 2
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_each_arm_is_asked_for_its_requests() -> None:
    """An arm would be judged without traffic."""
    arms = [r.arm for r in asking().readings() if r.family is REQUESTS]
    assert arms == [ArmName.CANARY, ArmName.CONTROL]


@pytest.mark.parametrize(("newest", "is_asked"), [(-1800.0, True), (-1801.0, False)])
def test_a_pod_that_is_silent_for_half_an_hour_is_left_out(newest: float, is_asked: bool) -> None:
    """After a month of rollouts the queries would name every pod there ever was."""
    assert by_name(asking("gone", newest=newest)) == ["gone"] * is_asked


def test_half_an_hour_follows_the_time_scale() -> None:
    """A demo at fifteen times the pace would ask for its dead pods."""
    assert by_name(asking("gone", newest=-121.0, time_scale=1 / 15)) == []


def test_names_are_taken_literally() -> None:
    """A dot in a pod's name would match the pods of others."""
    assert by_name(asking("a.b+c")) == [r"a\.b\+c"]


def test_a_pod_is_waited_for_until_it_was_read_by_name() -> None:
    """A restart of a pod whose name was not known yet would be lost."""
    made = asking("a")
    before = made.is_waiting
    made.answered(made.readings())
    assert (before, made.is_waiting) == (True, False)


def test_an_answer_to_earlier_names_covers_no_pod_that_came_since() -> None:
    """It was on its way when the pod appeared."""
    made = asking("a")
    readings = made.readings()
    made.roster.pods.append(Pod("b", ArmName.CANARY, newest=0.0))
    made.readings()
    made.answered(readings)
    assert made.is_waiting


def test_a_silent_pod_holds_nobody_up() -> None:
    """No bin would ever be final again after a pod died unseen."""
    assert not asking("gone", newest=-2000.0).is_waiting


def test_questions_that_nobody_answers_are_forgotten() -> None:
    """A pod that restarts under a new name each minute would fill the memory."""
    made = asking("a")
    first = made.readings()
    for number in range(1100):
        made.roster.pods = [Pod(f"p{number}", ArmName.CANARY, newest=0.0)]
        made.readings()
    made.roster.pods = [Pod("a", ArmName.CANARY, newest=0.0)]
    made.answered(first)
    assert made.is_waiting
