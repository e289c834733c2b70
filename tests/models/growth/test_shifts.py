"""Where a level moved at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.growth.shifts import shifts

DAY = np.arange(60)


def grown(seed: int = 1, *, slope: float = 0.3) -> np.ndarray:
    """With noise of one."""
    noise: np.ndarray = 100 + slope * DAY + np.random.default_rng(seed).normal(0, 1, 60)
    return noise


@pytest.mark.parametrize("by", [20.0, -20.0])
def test_a_step_that_stays_is_found(by: float) -> None:
    """Up or down, on its day."""
    assert shifts(grown() + by * (DAY >= 31)) == (31,)


def test_two_steps_are_found_in_order() -> None:
    """The larger one first or not."""
    assert shifts(grown() + 15 * (DAY >= 20) + 30 * (DAY >= 41)) == (20, 41)


def test_a_spike_is_no_step() -> None:
    """It comes back."""
    values = grown()
    values[30] += 50
    assert shifts(values) == ()


def test_a_known_step_is_not_found_again() -> None:
    """It is told already."""
    assert shifts(grown() + 20 * (DAY >= 31), (31, 32)) == ()


def test_growth_however_fast_is_no_step() -> None:
    """Every day is as the others."""
    assert shifts(grown(slope=50.0)) == ()


def test_a_step_of_the_last_day_is_not_told_yet() -> None:
    """It may be a spike."""
    assert shifts(grown() + 20 * (DAY >= 59)) == ()
    assert shifts(grown() + 20 * (DAY >= 57)) == (57,)


def test_of_few_days_nothing_is_said() -> None:
    """Nor of a constant."""
    assert shifts(np.array([1.0, 1, 1, 9, 9, 9])) == ()
    assert shifts(np.full(60, 5.0)) == ()


def test_missing_days_do_not_hide_a_step() -> None:
    """It is within the gap."""
    values = grown() + 40 * (DAY >= 31)
    values[30] = np.nan
    found = shifts(values)
    assert len(found) >= 1
    assert set(found) <= {30, 31}


@given(seed=st.integers(0, 200), slope=st.floats(-2, 2))
def test_noise_about_a_line_has_no_steps(seed: int, slope: float) -> None:
    """Seven times the usual is rare."""
    assert shifts(grown(seed, slope=slope)) == ()
