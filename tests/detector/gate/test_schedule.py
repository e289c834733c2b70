"""From when on evidence is summed: starts, what was known when they began, and who lives when."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.rule import lived
from detector.gate.schedule import Schedule, newest_of, scheduled
from detector.gate.share import Weights
from detector.gate.track import Beginning
from detector.gate.window import Rows, Window, window
from models.sequential.shares import StartClock
from tests.detector.gate.rollouts import Recipe, make

STEP = 15.0
WINDOW: Window = window(make(Recipe(seed=2, bins=60, canary=2)), Rows(), 1.0, pods_told_apart=True)
BEGIN = -WINDOW.first


def schedule_of(*told: int) -> tuple[Schedule, list[Beginning]]:
    """The schedule of a quarter of an hour in which the weight was told at some bins."""
    return scheduled(StartClock(STEP), Weights(), set(told), WINDOW, BEGIN)


def test_every_new_bin_has_its_live_starts() -> None:
    """A boundary without starts would never be judged."""
    schedule, _ = schedule_of()
    assert [index for index, _ in schedule] == list(range(60))
    assert all(live and live[0].index == 0 for _, live in schedule)


@given(st.sets(st.integers(1, 59), max_size=5))
def test_a_told_step_begins_a_start_of_its_own(told: set[int]) -> None:
    """A fault that shows only at full weight is found from the step on."""
    _, beginnings = schedule_of(*told)
    steps = {b.start.bin for b in beginnings if b.start.step}
    assert told <= steps


def test_a_start_knows_the_pods_that_were_there() -> None:
    """Its sums are taken off those pods alone; the others began at zero."""
    _, beginnings = schedule_of()
    assert beginnings[0].known == 0
    assert {b.known for b in beginnings[1:]} == {2}
    assert [b.index for b in beginnings] == [b.start.bin for b in beginnings]


def test_a_start_is_settled_once_no_pod_is_young() -> None:
    """Eight templates are carried on only while a cold start may explain what is seen."""
    _, beginnings = schedule_of()
    settled = [b.settled for b in beginnings[1:]]
    assert settled == sorted(settled)
    assert settled[-1]
    ages = [float(np.nanmin(WINDOW.age[BEGIN + b.index - 1])) for b in beginnings[1:] if b.settled]
    assert min(ages) > 720.0


@given(st.integers(1, 60))
def test_the_newest_boundary_is_the_last_of_all(count: int) -> None:
    """What is shown is what stands now."""
    schedule, _ = schedule_of()
    newest = newest_of(schedule[:count])
    assert {(span.first, span.last) for span in newest} == {(count - 1, count)}
    living = {span.start for span in lived(schedule[:count]) if span.last == count}
    assert {span.start for span in newest} == living
