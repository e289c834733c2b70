"""The median of a few numbers and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from models.middle import middle

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(NUMBERS)
def test_the_middle_is_the_median(values: list[float]) -> None:
    """Half of all rollouts were quicker."""
    found = middle(values)
    assert found is not None
    assert found.median == pytest.approx(float(np.median(values)))
    assert found.low <= found.median <= found.high


@given(NUMBERS, st.randoms())
def test_the_order_of_the_numbers_does_not_matter(values: list[float], random: object) -> None:
    """Results come as the workers end."""
    shuffled = values.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert middle(shuffled) == middle(values)


@given(st.integers(1, 80), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_covers_the_true_median_as_often_as_promised(count: int, level: float) -> None:
    """The number of values below the true median is binomial, whatever they are."""
    found = middle([float(n) for n in range(count)], level=level)
    assert found is not None
    if math.isinf(found.low):
        assert binom.pmf(0, count, 0.5) > (1 - level) / 2
        return
    below = int(found.low) + 1
    missed = 2 * binom.cdf(below - 1, count, 0.5)
    assert missed <= 1 - level + 1e-9


def test_nothing_has_no_middle() -> None:
    """No rollout was failed: there is no time to a fail."""
    assert middle([]) is None


def test_three_numbers_bound_nothing() -> None:
    """Whoever saw three rollouts must not read a bound from them."""
    found = middle([1.0, 2.0, 3.0])
    assert found is not None
    assert (found.low, found.high) == (-math.inf, math.inf)
