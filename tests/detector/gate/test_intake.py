"""Samples between the answers and the bins: none twice, none out of order, none lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.intake import Intake, Samples
from detector.gate.roster import Roster
from detector.series import Answer, Query, Series
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Shape
from models.counters import Counters
from models.gauges import Gauges

REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
PLAN = Plan(service="web", canary=(), control=((),), requests=REQUESTS, signals=())
CANARY = Reading(family=REQUESTS, arm=ArmName.CANARY, query=Query("requests_total"))
CONTROL = Reading(family=REQUESTS, arm=ArmName.CONTROL, query=Query("requests_total"))
RUNS = st.lists(st.integers(1, 4), max_size=5)


def intake() -> Intake:
    counters = Counters(start=0.0, step=15.0, settle=5.0, gap=60.0, frozen=0)
    gauges = Gauges(start=0.0, step=15.0, hold=60.0, frozen=0)
    return Intake(Roster(PLAN, counters, gauges, first=0))


def told(**pods: list[float]) -> Answer:
    """Samples of pods at these times; each value is twice its time."""
    return Answer(
        series=tuple(
            Series(labels={"pod": pod}, times=np.array(times), values=2 * np.array(times))
            for pod, times in pods.items()
        )
    )


def pairs(samples: Samples) -> list[tuple[int, float]]:
    assert (samples.values == 2 * samples.times).all()
    return list(zip(samples.series.tolist(), samples.times.tolist(), strict=True))


@given(RUNS)
def test_the_ends_are_the_last_samples_of_their_series(sizes: list[int]) -> None:
    """The newest sample of a pod would be an older one, or another pod's."""
    series = np.repeat(np.arange(len(sizes)), sizes)
    times = np.concatenate([np.arange(float(size)) for size in sizes] or [np.zeros(0)])
    samples = Samples(series, times, times)
    assert samples.series[samples.ends].tolist() == list(range(len(sizes)))
    assert samples.times[samples.ends].tolist() == [size - 1.0 for size in sizes]
    assert samples.ends is samples.ends


def test_the_ends_of_what_is_kept_are_its_own() -> None:
    """Ends that were looked up before would point past the samples that are left."""
    samples = Samples(np.array([0, 0, 1, 1]), np.arange(4.0), np.arange(4.0))
    assert samples.ends.tolist() == [1, 3]
    assert samples.where(np.array([True, False, False, True])).ends.tolist() == [0, 1]


def test_a_sample_waits_until_it_is_due_and_is_given_once() -> None:
    """A bin would be frozen without its last sample, or count it twice."""
    made = intake()
    made.take([CANARY], [told(a=[10.0, 25.0], b=[12.0])])
    assert pairs(made.due(20.0)) == [(0, 10.0), (1, 12.0)]
    assert pairs(made.due(30.0)) == [(0, 25.0)]
    assert pairs(made.due(30.0)) == []


def test_what_was_taken_before_is_not_taken_again() -> None:
    """Polls overlap."""
    made = intake()
    made.take([CANARY], [told(a=[10.0, 25.0])])
    made.due(30.0)
    made.take([CANARY], [told(a=[10.0, 25.0, 40.0])])
    assert pairs(made.due(60.0)) == [(0, 40.0)]


def test_a_sample_out_of_order_is_left_out_and_told() -> None:
    """Two replicas behind one source: time would run backwards in a counter."""
    made = intake()
    made.take([CANARY], [told(a=[10.0, 40.0, 25.0, 55.0])])
    assert pairs(made.due(60.0)) == [(0, 10.0), (0, 40.0), (0, 55.0)]
    assert made.notes["out_of_order"] == 1


def test_a_sample_that_comes_twice_is_nothing_to_tell() -> None:
    """A control's selector that matches the canary too reads each of its samples once more."""
    made = intake()
    told_once = told(a=[10.0, 25.0, 40.0])
    made.take([CANARY, CONTROL], [told_once, told_once])
    assert pairs(made.due(60.0)) == [(0, 10.0), (0, 25.0), (0, 40.0)]
    assert "out_of_order" not in made.notes


def test_what_is_no_number_is_left_out_and_told() -> None:
    """A stale marker is no fall to nothing."""
    made = intake()
    series = Series(labels={"pod": "a"}, times=np.array([1.0, 2.0]), values=np.array([np.nan, 4.0]))
    made.take([CANARY], [Answer(series=(series,))])
    assert pairs(made.due(9.0)) == [(0, 2.0)]
    assert made.notes["not_finite"] == 1
