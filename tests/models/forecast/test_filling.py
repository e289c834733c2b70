"""Gaps that are filled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.filling import Floats, filled
from tests.profiles import HEAVY

DAY, WEEK = 24, 168
HOURS = 6 * WEEK
SLOTS = np.arange(HOURS) % WEEK
SHAPE = np.random.default_rng(7).normal(0, 3, WEEK)
GAPS = st.lists(st.tuples(st.integers(0, HOURS - 2), st.integers(1, 400)), min_size=1, max_size=3)


def gone(values: Floats, gaps: list[tuple[int, int]]) -> Floats:
    """The values without these stretches, the last one kept."""
    left = values.copy()
    for start, size in gaps:
        left[start : min(start + size, HOURS - 1)] = np.nan
    return left


def test_without_a_gap_nothing_is_done() -> None:
    """Not even a copy."""
    values = np.arange(float(HOURS))
    assert filled(values, SLOTS, DAY) is values


def test_without_a_value_nothing_can_be_done() -> None:
    """It is told."""
    with pytest.raises(ValueError, match="nothing was measured"):
        filled(np.full(HOURS, np.nan), SLOTS, DAY)


@given(gaps=GAPS)
@HEAVY
def test_what_was_measured_stays_and_gaps_are_numbers(gaps: list[tuple[int, int]]) -> None:
    """The argument is not touched."""
    values = gone(10 + SHAPE[SLOTS] + np.random.default_rng(1).normal(0, 1, HOURS), gaps)
    before = values.copy()
    told = filled(values, SLOTS, DAY)
    known = np.isfinite(values)
    assert np.array_equal(values, before, equal_nan=True)
    assert (told[known] == values[known]).all()
    assert np.isfinite(told).all()


@given(start=st.integers(0, HOURS - 5 * DAY - 1), size=st.integers(1, 5 * DAY))
@HEAVY
def test_a_week_that_comes_again_is_filled_exactly(start: int, size: int) -> None:
    """Every time of the week is seen in another one."""
    values = 10 + SHAPE[SLOTS]
    told = filled(gone(values, [(start, size)]), SLOTS, DAY)
    assert told == pytest.approx(values, abs=1e-9)


@given(gaps=GAPS, shift=st.floats(-1e4, 1e4), times=st.floats(0.01, 100))
@HEAVY
def test_gaps_go_with_the_unit(gaps: list[tuple[int, int]], shift: float, times: float) -> None:
    """And with the level."""
    values = gone(SHAPE[SLOTS] + np.random.default_rng(2).normal(0, 1, HOURS), gaps)
    one, other = filled(values, SLOTS, DAY), filled(shift + times * values, SLOTS, DAY)
    assert other == pytest.approx(shift + times * one, rel=1e-9, abs=1e-6 * (1 + times))


def test_the_level_goes_straight_from_one_side_to_the_other() -> None:
    """A gap in which it rose is no step, and weeks on another level are weeks all the same."""
    values = np.where(np.arange(HOURS) < 500, 10.0, 20.0) + SHAPE[SLOTS]
    told = filled(gone(values, [(400, 200)]), SLOTS, DAY)
    line = np.interp(np.arange(400, 600), [399, 600], [10, 20])
    assert told[400:600] - SHAPE[SLOTS[400:600]] == pytest.approx(line, abs=1.5)


@pytest.mark.parametrize("gap", [(400, 200), (100, 400), (20, 12), (900, 90)])
def test_growth_goes_on_through_a_gap(gap: tuple[int, int]) -> None:
    """Whatever part of a week it is, to the growth of a day."""
    values = 5 + 0.3 * np.arange(HOURS) + SHAPE[SLOTS]
    assert filled(gone(values, [gap]), SLOTS, DAY) == pytest.approx(values, abs=0.3 * DAY)


def test_what_is_missing_at_an_end_is_at_the_level_beside_it() -> None:
    """No trend is made up."""
    values = 10 + SHAPE[SLOTS]
    told = filled(gone(values, [(0, 72)]), SLOTS, DAY)
    assert told == pytest.approx(values, abs=1e-9)


def test_a_time_of_the_week_that_was_never_seen_is_as_the_others() -> None:
    """Each Monday was lost."""
    values = np.where(SLOTS < DAY, np.nan, 10.0)
    assert filled(values, SLOTS, DAY) == pytest.approx(np.full(HOURS, 10.0))


def test_one_wrong_value_beside_a_gap_does_not_set_its_level() -> None:
    """The mean of about a day does."""
    values = np.full(HOURS, 10.0)
    values[399] = 10_000.0
    told = filled(gone(values, [(400, 48)]), SLOTS, DAY)
    assert told[400:448].max() < 1_000


def test_a_daily_grid_is_filled_as_well() -> None:
    """A day is one step."""
    week = np.array([1.0, 2, 3, 4, 5, 9, 9])
    values = np.tile(week, 8)
    values[[10, 11, 40]] = np.nan
    assert filled(values, np.arange(56) % 7, 1) == pytest.approx(np.tile(week, 8))
