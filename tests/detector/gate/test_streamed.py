"""What a stream foretells in place of the gate's own past, and when it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.course import Streamed, course, untold
from detector.gate.forecast import Counted, Forecast, Scaled
from detector.gate.memory import Memory
from detector.gate.streamed import Streaming, by_stream
from tests.detector.gate.courses import A_DAY, START, daily, told
from tests.detector.gate.rollouts import EDGES
from tests.detector.stream.services import plan_of
from tests.profiles import HEAVY

ERRORS = Counted(name="error_rate", eps0=5e-4, default=0.2)
LATENCY = Scaled(name="latency", edges=EDGES, default=0.08)
LONG, SHORT = np.array([4e5, 1200.0]), np.array([1e5, 300.0])


def foretold(stream: Streamed | None, *, at: float = START, long: np.ndarray = LONG) -> Streaming:
    """Of errors, for a control that was last seen at a time."""
    found = by_stream("error_rate", ERRORS, Memory(at=START, stream=stream), long, SHORT, at)
    assert found is not None
    return found


def surest(found: Streaming) -> Forecast:
    """What would be taken."""
    return min(found.forecasts, key=lambda f: f.sd)


def test_without_a_stream_there_is_nothing_to_say() -> None:
    """Who pushes nothing reads nothing about streams."""
    memory = Memory(at=START)
    assert by_stream("error_rate", ERRORS, memory, LONG, SHORT, START) is None


def test_what_the_hour_does_each_day_is_foretold_with_its_spread() -> None:
    """A rush at noon is no fault of the release at noon."""
    found = surest(foretold(told(daily(0.7))))
    assert found.shift == pytest.approx(0.6, abs=0.03)
    assert found.times == 14
    assert found.quiet > 600
    assert found.spread < 0.07


def test_at_a_calm_time_the_level_is_what_the_gate_saw_itself() -> None:
    """The stream says how it moves, never how high it is."""
    found = surest(foretold(told(daily(0.0))))
    assert found.rate == pytest.approx(0.003, rel=0.01)
    assert found.shift == pytest.approx(0.0, abs=0.01)


def test_latency_is_moved_as_a_whole() -> None:
    """Half as slow again at noon each day, by the buckets of the stream."""
    slower = daily(np.log(1.5), sd=0.005)
    stream = told(np.zeros(len(slower)), slower=slower)
    found_in = stream.of("latency")
    assert found_in is not None
    histogram = np.diff(found_in.table[-1], prepend=0.0)
    found = by_stream(
        "latency", LATENCY, Memory(at=START, stream=stream), 4 * histogram, histogram, START
    )
    assert found is not None
    assert surest(found).shift == pytest.approx(np.log(1.5), abs=0.04)


def test_a_time_that_is_not_steady_is_not_believed_to_be() -> None:
    """What happens on some days at noon, and on others not, may happen today."""
    logs = daily(0.0, sd=0.01)
    every_third = np.arange(0, 14, 3) * A_DAY + 24
    logs[every_third] += 0.8
    assert surest(foretold(told(logs))).spread > 0.2
    assert surest(foretold(told(logs), at=START + 6 * 3600)).spread < 0.1


def test_one_incident_of_two_weeks_does_not_make_it_deaf() -> None:
    """The stream remembers an outage, and still finds what is plain."""
    logs = daily(0.0)
    logs[5 * A_DAY + 30 : 5 * A_DAY + 32] += 4.0
    assert surest(foretold(told(logs))).spread < 0.1


def test_what_ended_after_the_control_was_last_seen_is_not_used() -> None:
    """A canary is never compared with itself."""
    clean = told(daily(0.0))
    (counts, *others) = clean.courses
    later = np.vstack([counts.table, [[1e5, 5e4]] * 3])
    beyond = replace(clean, courses=(course(later), *others))
    assert surest(foretold(beyond)) == surest(foretold(clean))


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (told(daily(0.0)[-30:]), "it knows 15 h of the service, and 48 h tell"),
        (untold(plan_of(), "it is 90 minutes behind"), "it is 90 minutes behind"),
        (told(daily(0.0), requests=2e4), "it counted 80000 requests where the source has 400000"),
        (told(daily(0.0), errors=0.02), "it counted other shares than the source before the start"),
    ],
    ids=["too little", "behind", "part of the pods", "other codes"],
)
def test_a_stream_that_does_not_know_the_service_foretells_nothing(
    stream: Streamed, why: str
) -> None:
    """The gate's own past stands then, and people read why."""
    found = foretold(stream)
    assert found.forecasts == ()
    assert found.why == why


def test_a_stream_with_holes_foretells_nothing() -> None:
    """Half of the half hours of two weeks, and they were not those that matter."""
    stream = told(daily(0.0))
    (counts, *others) = stream.courses
    table = counts.table.copy()
    table[1:-8:3] = table[2:-8:3] = 0.0
    found = foretold(replace(stream, courses=(course(table), *others)))
    assert found.forecasts == ()
    assert "of the half hours of 14 days" in found.why


def test_buckets_of_other_bounds_are_said_to_be_so() -> None:
    """After a change of the histogram the old half hours tell nothing of the new bounds."""
    others = Scaled(name="latency", edges=EDGES * 1.5, default=0.08)
    histogram = np.ones(len(EDGES) + 1)
    memory = Memory(at=START, stream=told(daily(0.0)))
    found = by_stream("latency", others, memory, histogram, histogram, START)
    assert found is not None
    assert found.why == "it counts durations by other bounds"


@HEAVY
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.3))
def test_what_is_believed_is_seldom_far_off(seed: int, sd: float) -> None:
    """The spread is the null's: what comes next is within five of it, in drifts that forget."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / 6)
    steps = rng.normal(0, sd * np.sqrt(1 - keep**2), 14 * A_DAY + 25)
    level = np.zeros(len(steps))
    for at in range(1, len(steps)):
        level[at] = keep * level[at - 1] + steps[at]
    past, now = level[:-1], level[-1]
    tally = np.array([1e5, 300.0 * np.exp(past[-1])])
    long = np.array([4e5, 300.0 * np.exp(past[-4:]).sum()])
    memory = Memory(at=START, stream=told(past))
    found = by_stream("error_rate", replace(ERRORS, eps0=0.0), memory, long, tally, START)
    assert found is not None
    taken = surest(found)
    off = now + np.log(0.003) - np.log(taken.rate) - taken.shift
    assert abs(off) < 5.0 * taken.sd


@HEAVY
@given(st.floats(0.1, 10.0))
def test_how_many_requests_a_half_hour_had_moves_no_forecast(factor: float) -> None:
    """Twice the traffic tells the same story, only surer."""
    one, other = (surest(foretold(told(daily(0.5), requests=n))) for n in (1e6, 1e6 * factor))
    assert other.shift == pytest.approx(one.shift, abs=0.05)
