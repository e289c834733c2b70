"""Values that are none of a series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forecast.stray import strays

OVERFLOW = 2.0**63


def rising(seed: int = 0) -> np.ndarray:
    """Traffic of eight weeks with noise."""
    at = np.arange(8 * 168)
    noise = np.random.default_rng(seed).normal(0, 3, len(at))
    values: np.ndarray = 50 + 0.02 * at + 10 * np.sin(at) + noise
    return values


@given(at=st.integers(0, 8 * 168 - 1), sign=st.sampled_from([-1.0, 1.0]), seed=st.integers(0, 9))
def test_the_rubbish_of_a_counter_is_none_of_a_series(at: int, sign: float, seed: int) -> None:
    """Wherever it is, and nothing else is taken for it."""
    values = rising(seed)
    values[at] = sign * OVERFLOW
    assert np.flatnonzero(strays(values)).tolist() == [at]


@settings(max_examples=50)
@given(times=st.floats(1e-12, 1e12), spike=st.floats(1, 1e4), at=st.integers(0, 1000))
def test_a_spike_is_a_value(times: float, spike: float, at: int) -> None:
    """Of thousands of times as much, and in any unit."""
    values = rising()
    values[at] *= spike
    assert not strays(times * values).any()


@pytest.mark.parametrize("value", [0.0, 7.0, -3.5, 1e12])
def test_a_constant_has_them_too(value: float) -> None:
    """Zeros as well, of which no scale is known."""
    values = np.full(500, value)
    assert not strays(values).any()
    values[40] = OVERFLOW * max(1.0, abs(value))
    assert np.flatnonzero(strays(values)).tolist() == [40]


def test_what_is_rare_is_a_value() -> None:
    """A queue that is empty but for a few hours, and one that is read wrongly once."""
    values = np.zeros(2000)
    values[[3, 500, 900]] = [4000.0, 1.0, 90_000.0]
    assert not strays(values).any()
    values[1200] = OVERFLOW
    assert np.flatnonzero(strays(values)).tolist() == [1200]


def test_growth_of_any_kind_is_none() -> None:
    """Ten thousand times as much within weeks."""
    assert not strays(np.geomspace(1.0, 1e4, 1344)).any()


@pytest.mark.parametrize("values", [[], [np.nan], [np.nan, 5.0], [1e99, 1.0]])
def test_of_few_nothing_is_said(values: list[float]) -> None:
    """Two values are each as likely."""
    assert not strays(np.array(values)).any()


def test_the_values_are_not_touched() -> None:
    """And what was not measured is no stray."""
    values = rising()
    values[5] = np.nan
    before = values.copy()
    assert not strays(values)[5]
    assert np.array_equal(values, before, equal_nan=True)
