"""The week of daily values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.growth.season import weekly

WEEK = np.array([2.0, 2.0, 2.0, 2.0, 2.0, -4.0, -6.0])


def weeks(count: int) -> np.ndarray:
    """So many of them."""
    return np.tile(WEEK, count)


def test_the_week_is_found_under_growth_and_noise() -> None:
    """To a part of the noise."""
    rng = np.random.default_rng(1)
    day = np.arange(84)
    found = weekly(50 + 0.7 * day + weeks(12) + rng.normal(0, 0.5, 84), day % 7)
    assert found == pytest.approx(WEEK, abs=0.7)


def test_a_single_spike_is_no_weekday() -> None:
    """Medians."""
    values = 50 + weeks(6)
    values[17] = 500
    assert weekly(values, np.arange(42) % 7) == pytest.approx(WEEK, abs=0.1)


def test_chance_is_shrunk_away() -> None:
    """Of noise alone there is no week in most cases, and hardly one in the others."""
    rng = np.random.default_rng(2)
    found = [weekly(rng.normal(0, 1, 42), np.arange(42) % 7) for _ in range(50)]
    assert np.median([np.abs(one).max() for one in found]) < 0.3
    assert np.mean([one.any() for one in found]) < 0.7


@pytest.mark.parametrize("size", [0, 3, 7, 20])
def test_of_less_than_three_weeks_nothing_is_said(size: int) -> None:
    """Zeros."""
    assert weekly(np.resize(WEEK, size), np.arange(size) % 7).tolist() == [0.0] * 7


def test_missing_days_are_left_out() -> None:
    """A lost fortnight leaves the rest."""
    values = 50 + weeks(10)
    values[20:34] = np.nan
    assert weekly(values, np.arange(70) % 7) == pytest.approx(WEEK, abs=0.1)


@given(
    shift=st.floats(-1e6, 1e6),
    times=st.floats(0.01, 100),
    start=st.integers(0, 6),
    seed=st.integers(0, 99),
)
def test_a_week_goes_with_its_unit_and_not_with_its_level(
    shift: float, times: float, start: int, seed: int
) -> None:
    """And adds up to nothing."""
    values = weeks(6) + np.random.default_rng(seed).normal(0, 1, 42)
    day = (np.arange(42) + start) % 7
    one, other = weekly(values, day), weekly(shift + times * values, day)
    assert other == pytest.approx(times * one, rel=1e-3, abs=1e-6 * (1 + abs(shift)))
    assert one.sum() == pytest.approx(0, abs=1e-9)
