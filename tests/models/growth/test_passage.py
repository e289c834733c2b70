"""When futures first reach a bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.growth.passage import Floats, by_share, passages

PATHS = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 12)), elements=st.floats(0, 100)
)
AGAIN = st.sampled_from([0, 1, 6])


def test_a_bound_is_reached_within_a_step_by_its_part() -> None:
    """From 3 to 5 it passes 4 in the middle."""
    paths = np.array([[1.0, 3, 5, 9], [4, 0, 0, 0], [1, 1, 1, 1]])
    assert passages(paths, np.full(4, 4.0), 0.0).tolist() == [2.5, 1.0, np.inf]


def test_what_is_reached_before_the_first_step_is_reached_at_once() -> None:
    """It is not counted from the past on."""
    assert passages(np.array([[5.0, 6]]), np.full(2, 4.0), 8.0).tolist() == [0.0]
    assert passages(np.array([[5.0, 6]]), np.full(2, 4.0), 4.5).tolist() == [0.0]


def test_a_bound_that_falls_is_reached_by_what_stays() -> None:
    """At the beginning of the step in which it falls."""
    assert passages(np.full((1, 3), 5.0), np.array([9.0, 9, 4]), 5.0).tolist() == [2.0]


def test_a_stray_day_does_not_count_where_it_has_to_come_again() -> None:
    """Two of seven do, from the first of them."""
    paths = np.zeros((1, 20))
    paths[0, [2, 10, 16]] = 9.0
    assert passages(paths, np.full(20, 5.0), 0.0, again=6).tolist() == [10.0]
    assert passages(paths, np.full(20, 5.0), 0.0, again=5).tolist() == [np.inf]


def test_bounds_can_differ_by_future() -> None:
    """Each has its own."""
    paths = np.tile(np.arange(5.0), (2, 1))
    bound = np.array([[1.0] * 5, [3.0] * 5])
    assert passages(paths, bound, 0.0).tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("share", "found"), [(0.1, 1.0), (0.5, 2.0), (0.75, 3.0), (0.76, np.inf), (0.9, np.inf)]
)
def test_shares_count_futures_that_never_pass(share: float, found: float) -> None:
    """They are the last."""
    assert by_share(np.array([3.0, 1, np.inf, 2]), share) == found


@given(paths=PATHS, bounds=st.tuples(st.floats(0, 100), st.floats(0, 100)), again=AGAIN)
def test_a_higher_bound_is_never_passed_earlier(
    paths: Floats, bounds: tuple[float, float], again: int
) -> None:
    """In no future."""
    low, high = (
        passages(paths, np.full(paths.shape[1], bound), 0.0, again=again)
        for bound in sorted(bounds)
    )
    assert (low <= high).all()


@given(paths=PATHS, bound=st.floats(0, 100), more=st.floats(0, 50))
def test_more_is_never_later(paths: Floats, bound: float, more: float) -> None:
    """Whether once is enough or not."""
    for again in (0, 6):
        less = passages(paths, np.full(paths.shape[1], bound), 0.0, again=again)
        assert (
            passages(paths + more, np.full(paths.shape[1], bound), 0.0, again=again) <= less
        ).all()


@given(paths=PATHS, bound=st.floats(0, 100))
def test_having_to_come_again_is_never_earlier_by_more_than_its_day(
    paths: Floats, bound: float
) -> None:
    """It asks for more."""
    once = passages(paths, np.full(paths.shape[1], bound), 0.0)
    again = passages(paths, np.full(paths.shape[1], bound), 0.0, again=6)
    assert (once <= again + 1).all()
