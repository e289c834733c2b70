"""Differences of means: what the interval promises, measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_ind

from models.traces.difference import mean_differences

ROWS = arrays(np.float64, st.tuples(st.integers(2, 8), st.just(2)), elements=st.integers(-50, 50))


@given(ROWS, ROWS)
def test_it_is_the_interval_of_welch(first: np.ndarray, second: np.ndarray) -> None:
    """As scipy has it, where anything varies at all."""
    found = mean_differences(first, second, chance=0.1)
    for column in range(2):
        one, other = first[:, column], second[:, column]
        if one.var() + other.var() == 0:
            assert found.low[column] == found.high[column] == found.value[column]
            continue
        told = ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
        assert (found.low[column], found.high[column]) == pytest.approx((told.low, told.high))


@given(ROWS, ROWS)
def test_differences_of_parts_add_up(first: np.ndarray, second: np.ndarray) -> None:
    """What operations take more is what the request takes more."""
    found = mean_differences(
        np.column_stack([first, first.sum(axis=1)]), np.column_stack([second, second.sum(axis=1)])
    )
    assert found.value[2] == pytest.approx(found.value[0] + found.value[1])


def test_one_row_is_no_sample() -> None:
    """Nothing is said of a difference that one request made."""
    with pytest.raises(ValueError, match="two rows"):
        mean_differences(np.ones((1, 1)), np.ones((5, 1)))


@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_the_interval_is_wrong_as_often_as_it_says(spread: float) -> None:
    """On durations as they are, many short and few long: 5 in 100, within what 2,000 tries tell."""
    generator = np.random.default_rng(11)
    wrong = 0
    for _ in range(20):
        first = generator.lognormal(0, spread, (60, 100))
        second = generator.lognormal(0, spread, (120, 100))
        found = mean_differences(first, second)
        wrong += int(((found.low > 0) | (found.high < 0)).sum())
    assert 60 <= wrong <= 150
