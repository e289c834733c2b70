"""What many courses add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import Course, Truth
from detector.backtest.score import differences, score
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from models.proportion import exact_interval
from tests.detector.backtest.courses import T0, course

HEALTHY, REGRESSED = Truth.HEALTHY, Truth.REGRESSED
COURSES = st.builds(
    course,
    st.text("ipd", max_size=6).flatmap(lambda head: st.sampled_from([head + "p", head + "f"])),
    st.sampled_from([None, HEALTHY, REGRESSED]),
)


def test_a_fail_of_a_healthy_rollout_is_a_false_one() -> None:
    """The share that people fear most, with how sure it is."""
    made = score([course("iipp", HEALTHY), course("iiff", HEALTHY), course("iidd", HEALTHY)])
    assert (made.false_rollbacks.hits, made.false_rollbacks.count) == (1, 3)
    assert made.false_rollbacks.interval == exact_interval(1, 3)
    assert (made.promoted.hits, made.detections.count) == (1, 0)


def test_a_regression_counts_as_found_from_its_harm_on() -> None:
    """A fail that came before the harm was luck, or noise."""
    late = course("iiif", REGRESSED, effect_at=T0 + 100.0)
    early = course("iiif", REGRESSED, effect_at=T0 + 230.0)
    made = score([late, early, course("iipp", REGRESSED)])
    assert (made.detections.hits, made.early.hits, made.missed.hits) == (1, 1, 1)
    assert made.time_to_fail is not None
    assert made.time_to_fail.median == 140.0


def test_harm_is_there_from_the_start_if_nobody_knows_better() -> None:
    """Minutes are counted from then."""
    made = score([course("iif", REGRESSED)])
    assert made.time_to_fail is not None
    assert made.time_to_fail.median == 180.0


def test_time_to_pass_is_that_of_healthy_rollouts() -> None:
    """A quick pass of a regression is nothing to be proud of."""
    made = score([course("ipip", HEALTHY), course("p", REGRESSED), course("iid", HEALTHY)])
    assert made.time_to_pass is not None
    assert (made.time_to_pass.count, made.time_to_pass.median) == (1, 120.0)


def test_the_reason_behind_the_deadline_is_told() -> None:
    """`deadline_reached` says nothing of what was missing."""
    made = score([course("iid"), course("iii"), course("d")])
    assert made.waiting == (
        (str(ReasonCode.LOW_TRAFFIC), 2),
        (str(ReasonCode.DEADLINE_REACHED), 1),
    )


def test_what_could_not_be_read_counts_nowhere() -> None:
    """A rollout older than the retention is neither a miss nor a success."""
    gone = replace(course("", HEALTHY), problem="away")
    made = score([gone, course("ip", HEALTHY)])
    assert (made.rollouts, made.unjudged, made.false_rollbacks.count) == (2, 1, 1)


@given(st.lists(COURSES, max_size=8))
def test_every_rollout_is_counted_once(courses: list[Course]) -> None:
    """Ends add up, and no share is above its count."""
    made = score(courses)
    assert sum(count for _, count in made.outcomes) == len(courses)
    for share in (made.false_rollbacks, made.promoted, made.detections, made.early, made.missed):
        assert 0 <= share.hits <= share.count
    assert made.detections.hits + made.early.hits + made.missed.hits <= made.detections.count


@given(st.lists(COURSES, max_size=6), st.randoms())
def test_the_order_of_the_rollouts_does_not_matter(courses: list[Course], random: object) -> None:
    """Workers end in any order."""
    shuffled = courses.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = score(courses), score(shuffled)
    assert replace(one, waiting=(), cpu_s=0.0) == replace(other, waiting=(), cpu_s=0.0)
    assert sorted(one.waiting) == sorted(other.waiting)


def test_policies_differ_where_rollouts_end_otherwise() -> None:
    """Only those are worth a look."""
    one = [course("ip"), course("if"), course("id")]
    other = [course("pp"), course("ip"), course("ii")]
    (found,) = differences(one, other)
    assert (found.one.end, found.other.end) == (Outcome.FAIL, Outcome.PASS)


def test_two_policies_judge_the_same_rollouts() -> None:
    """A list that was cut short is a mistake, not agreement."""
    with pytest.raises(ValueError, match="shorter"):
        differences([course("ip")], [])
