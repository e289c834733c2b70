"""The strangest hours of a week."""

from __future__ import annotations

import numpy as np
import pytest

from detector.discovery.oddities import (
    Course,
    Oddity,
    OddityKind,
    course_of,
    hourly,
    strongest,
)
from detector.selector import parse_selector
from detector.series import FloatArray, Series

STEP = 1800.0
GRID: FloatArray = np.arange(0, 7 * 86_400 + 1, STEP)
BINS = len(GRID) - 1
FIVES = parse_selector('{code="500"}')
EDGES = (0.1, 0.5, 1.0, np.inf)


def counter(increments: FloatArray, begin: int = 0, **labels: str) -> Series:
    """A counter on the grid that rises by so much in each bin, from a bin on."""
    values = np.concatenate([[0.0], np.cumsum(increments)])
    return Series(labels=labels, times=GRID[begin : begin + len(values)], values=values)


def steady(level: float = 9000.0) -> FloatArray:
    """As much in each bin."""
    return np.full(BINS, level)


def histogram(slow: FloatArray) -> list[Series]:
    """All requests within 1 s, nine tenths within 0.1 s; `slow` of them over 0.5 s."""
    below = (0.9 * steady(), steady() - slow, steady(), steady())
    return [
        counter(part, le="+Inf" if np.isinf(edge) else f"{edge:g}")
        for part, edge in zip(below, EDGES, strict=True)
    ]


def course(failed: FloatArray | None = None, slow: FloatArray | None = None) -> Course:
    """A service over a week."""
    errors = np.full(BINS, 18.0) if failed is None else failed
    requests = [counter(steady(), code="200"), counter(errors, code="500")]
    buckets = histogram(np.full(BINS, 450.0) if slow is None else slow)
    return course_of("web", GRID, requests, FIVES, buckets)


def odd(level: float, usual: float, at: slice = slice(100, 102)) -> FloatArray:
    """A level for two bins."""
    values = np.full(BINS, usual)
    values[at] = level
    return values


def only(found: tuple[Oddity, ...]) -> Oddity:
    """The one oddity."""
    (one,) = found
    return one


def test_hours_of_errors_are_found_with_their_times_and_levels() -> None:
    """When, how much, and against what."""
    one = only(strongest([course(failed=odd(400.0, 18.0))]))
    assert (one.kind, one.service) == (OddityKind.ERRORS, "web")
    assert (one.begin, one.end) == (GRID[100], GRID[102])
    assert one.value == pytest.approx(400 / 9400)
    assert one.usual == pytest.approx(18 / 9018)


def test_slow_requests_are_found_above_the_edge_of_the_tail() -> None:
    """One in twenty is over half a second: that is the edge."""
    one = only(strongest([course(slow=odd(3000.0, 450.0))]))
    assert (one.kind, one.edge) == (OddityKind.SLOW, 0.5)
    assert one.value == pytest.approx(3000 / 9000)


def test_a_calm_week_has_no_oddity() -> None:
    """Three strongest of nothing would be noise."""
    assert strongest([course()]) == ()


def test_the_strangest_come_first_and_no_more_than_asked_for() -> None:
    """Three of them."""
    found = strongest(
        [
            course(failed=odd(100.0, 18.0)),
            course(failed=odd(900.0, 18.0)),
            course(slow=odd(2000.0, 450.0)),
            course(failed=odd(300.0, 18.0)),
        ]
    )
    assert len(found) == 3
    assert [abs(one.score) for one in found] == sorted((abs(o.score) for o in found), reverse=True)


def test_traffic_that_falls_is_odd() -> None:
    """An outage before the service shows as silence."""
    requests = [counter(odd(900.0, 9000.0), code="200")]
    one = only(strongest([course_of("web", GRID, requests, FIVES, [])]))
    assert one.kind is OddityKind.TRAFFIC
    assert one.score < 0


def test_pods_that_are_replaced_are_no_fall_of_traffic() -> None:
    """What they served since the last look went with them."""
    old = counter(steady()[:100], code="200", pod="old")
    new = counter(steady()[:-101], begin=101, code="200", pod="new")
    assert strongest([course_of("web", GRID, [old, new], FIVES, [])]) == ()


def test_a_service_that_hardly_anybody_calls_is_left_out() -> None:
    """Its every hour is odd."""
    requests = [counter(odd(100.0, 0.1), code="200")]
    assert strongest([course_of("web", GRID, requests, FIVES, [])]) == ()


def test_a_service_that_began_in_the_week_has_no_odd_first_hour() -> None:
    """The bin in which it began is not known whole."""
    requests = [counter(steady()[:200], begin=BINS - 200, code="200")]
    assert strongest([course_of("web", GRID, requests, FIVES, [])]) == ()


def test_a_counter_that_was_reset_counts_from_zero() -> None:
    """A restart is no negative traffic."""
    values = np.array([100.0, 200.0, 30.0, 60.0])
    series = Series(labels={}, times=GRID[:4], values=values)
    assert hourly([series], GRID[:4]).tolist() == [100.0, 30.0, 30.0]


def test_a_pod_that_is_born_counts_from_zero_where_others_were() -> None:
    """Its first hour is traffic, too."""
    old = Series(labels={}, times=GRID[:3], values=np.array([10.0, 20.0, 30.0]))
    new = Series(labels={}, times=GRID[2:3], values=np.array([7.0]))
    assert hourly([old, new], GRID[:3]).tolist() == [10.0, 17.0]


def test_without_errors_or_buckets_nothing_is_made_up() -> None:
    """A signal that is not there cannot be odd."""
    made = course_of("web", GRID, [counter(steady(), code="200")], (), [])
    assert made.errors.sum() == 0
    assert made.edge is None


def test_edges_are_told_in_seconds() -> None:
    """Also of a histogram in milliseconds."""
    seconds = histogram(np.full(BINS, 450.0))
    millis = [
        Series(labels={"le": f"{1000 * float(s.labels['le'])}"}, times=s.times, values=s.values)
        for s in seconds[:-1]
    ]
    millis.append(seconds[-1])
    made = course_of("web", GRID, [counter(steady(), code="200")], FIVES, millis, 0.001)
    assert made.edge == pytest.approx(0.5)
