"""A saw-tooth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.growth.teeth import drawn_teeth, teeth
from tests.profiles import HEAVY


def leak(
    lengths: list[int], *, rate: float = 3.0, noise: float = 0.2, lift: float = 0.0
) -> np.ndarray:
    """Restarts at 100 after so many days each."""
    rng = np.random.default_rng(4)
    day = np.concatenate([np.arange(length) for length in lengths])
    made: np.ndarray = (
        100 + rate * day + lift * np.arange(len(day)) + rng.normal(0, noise, len(day))
    )
    return made


TEN = [10, 9, 11, 10, 12, 9, 4]


def test_what_was_seen_of_a_leak_is_told() -> None:
    """Its whole teeth, and the one that runs."""
    found = teeth(leak(TEN))
    assert found is not None
    assert found.lengths.tolist() == [9, 11, 10, 12, 9]
    assert found.rates == pytest.approx(3.0, abs=0.1)
    assert found.bottoms == pytest.approx(100, abs=1)
    assert found.elapsed == 3
    assert found.rate == pytest.approx(3.0, abs=0.3)
    assert found.last == pytest.approx(109, abs=1)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(60.0),
        np.full(60, 5.0),
        np.arange(5.0),
        np.random.default_rng(1).normal(0, 1, 60),
        np.tile([5.0, 5, 5, 5, 5, 1, 1], 9) + np.random.default_rng(1).normal(0, 0.1, 63),
        leak([30, 30]),
    ],
    ids=["line", "constant", "short", "noise", "week", "one reset"],
)
def test_what_is_no_saw_tooth_is_none(values: np.ndarray) -> None:
    """It is left to trends."""
    assert teeth(values) is None


def test_futures_stay_among_teeth_like_those_seen() -> None:
    """Most peaks at thirty above, hardly one at sixty; the level does not climb."""
    found = teeth(leak(TEN))
    assert found is not None
    paths = drawn_teeth(found, 90, 500, np.random.default_rng(0))
    peaks = paths.max(axis=1)
    assert np.median(peaks) == pytest.approx(135, abs=8)
    assert (peaks > 165).mean() < 0.15
    assert np.median(paths[:, -30:]) == pytest.approx(np.median(leak(TEN)), abs=4)


def test_a_bottom_that_climbs_goes_on_climbing() -> None:
    """Data below logs that are thrown away."""
    found = teeth(leak(TEN, lift=0.5))
    assert found is not None
    paths = drawn_teeth(found, 60, 500, np.random.default_rng(0))
    assert np.median(paths[:, 50:]) - np.median(paths[:, :10]) == pytest.approx(23, abs=8)


def test_teeth_that_are_all_alike_go_on_to_the_day() -> None:
    """A rotation each week."""
    found = teeth(leak([7] * 9 + [3], noise=0.0))
    assert found is not None
    paths = drawn_teeth(found, 20, 50, np.random.default_rng(0))
    falls = np.diff(paths, axis=1) < -10
    assert (np.flatnonzero(falls.all(axis=0)) + 1).tolist() == [4, 11, 18]


def test_a_tooth_longer_than_any_before_goes_on_for_some_days() -> None:
    """Nobody knows how long."""
    found = teeth(leak([8, 9, 8, 9, 20]))
    assert found is not None
    assert found.elapsed == 19
    paths = drawn_teeth(found, 30, 300, np.random.default_rng(0))
    assert np.isfinite(paths).all()


@HEAVY
@given(lengths=st.lists(st.integers(4, 20), min_size=4, max_size=9), seed=st.integers(0, 9))
def test_futures_begin_where_the_past_ended_or_at_the_bottom(lengths: list[int], seed: int) -> None:
    """And are finite, as many as asked for."""
    found = teeth(leak(lengths, noise=0.0))
    if found is None:
        return
    paths = drawn_teeth(found, 15, 40, np.random.default_rng(seed))
    assert paths.shape == (40, 15)
    assert np.isfinite(paths).all()
    near = np.abs(paths[:, 0] - found.last) < 10
    assert (near | (np.abs(paths[:, 0] - 100) < 10)).all()
