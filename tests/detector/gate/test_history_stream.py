"""Rollouts judged by their past beside a stream: what it changes, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from detector.gate.course import Streamed, untold
from detector.gate.design import Elsewhere
from detector.gate.judgement import Judgement
from detector.gate.memory import Memory
from detector.gate.verdict import Outcome
from tests.detector.gate.courses import START, daily, told
from tests.detector.gate.pasts import steady
from tests.detector.gate.rollouts import Recipe, Run, make
from tests.detector.stream.services import plan_of

SWITCHED = Recipe(seed=5, canary=6, control=6, shares=(0.02, 1.0, 1.0, 1.0))
END = 100
QUIET = Elsewhere(at=END * 15.0, services=("cart", "search"))
# The source forgets after hours: nothing is known of other days.
FORGETFUL = Memory(at=START)


def judged(recipe: Recipe, stream: Streamed | None, memory: Memory = FORGETFUL) -> Judgement:
    """The judgement of a rollout with a stream beside a memory."""
    told_at = memory.at if stream is None else START
    run = Run(make(recipe), memory=replace(memory, at=told_at, stream=stream))
    run.session.look(QUIET)
    return run.to(END)


def test_a_pass_says_that_it_leans_on_the_stream() -> None:
    """People read how much is known, and by whom."""
    judgement = judged(SWITCHED, told(daily(0.0)))
    assert judgement.outcome is Outcome.PASS
    assert "It is foretold from 14 days of the stream." in judgement.notes[0]
    assert "692 quiet times" in judgement.notes[0]


def test_without_one_it_says_how_far_the_source_goes_back() -> None:
    """Six hours, or weeks: the same words for both."""
    assert "from 2 h of the metric source" in judged(SWITCHED, None).notes[0]
    assert "from 28 days of the metric source" in judged(SWITCHED, None, steady()).notes[0]


def test_what_happens_each_day_is_not_put_on_the_release() -> None:
    """At noon the service is half as slow again: the stream knows, six hours of a source do not."""
    slower = replace(SWITCHED, slower=np.log(1.5), begins=0.25)
    rush = daily(np.log(1.5), hour=12.0, sd=0.01)
    stream = told(np.zeros(len(rush)), slower=rush)
    assert judged(slower, None).outcome is Outcome.FAIL
    assert judged(slower, stream).outcome is not Outcome.FAIL


@pytest.mark.parametrize("fault", [{"more_errors": 0.004}, {"slower": np.log(1.3)}])
def test_smaller_harm_is_found_than_without(fault: dict[str, float]) -> None:
    """Less than half a point of errors, or a third as slow again: steady half hours prove it."""
    recipe = replace(SWITCHED, **fault, begins=0.25)  # type: ignore[arg-type]
    assert judged(recipe, told(daily(0.0))).outcome is Outcome.FAIL
    assert judged(recipe, None).outcome is Outcome.INCONCLUSIVE


def faulty(harm: float) -> Recipe:
    """So many more errors."""
    return replace(SWITCHED, more_errors=harm, begins=0.25)


@cache
def alone(harm: float) -> Judgement:
    """By the gate's own past."""
    return judged(faulty(harm), None, steady())


UNFIT = {
    "behind": untold(plan_of(), "it is 90 minutes behind"),
    "new": told(daily(0.0)[-40:]),
    "half of it": told(daily(0.0), requests=500.0),
    "other codes": told(daily(0.0), errors=0.05),
    "damaged": Streamed(why={}),
}


@pytest.mark.parametrize("stream", UNFIT.values(), ids=UNFIT)
@pytest.mark.parametrize("harm", [0.0, 0.02])
def test_a_stream_that_is_not_fit_changes_nothing(stream: Streamed, harm: float) -> None:
    """Behind, new, damaged or partial: the answer is that of a gate without a stream."""
    own, beside = alone(harm), judged(faulty(harm), stream, steady())
    signals = ("error_rate",) if stream is UNFIT["other codes"] else ("error_rate", "latency")
    assert own.outcome is beside.outcome
    for one, other in zip(own.signals, beside.signals, strict=True):
        assert one.name not in signals or one == other
    if beside.outcome is not Outcome.FAIL:
        assert any("The stream was not used for error_rate" in note for note in beside.notes)
