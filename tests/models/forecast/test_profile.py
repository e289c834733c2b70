"""The shape of a week."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.profile import Floats, around, levels_of, profile_of
from tests.profiles import HEAVY

DAY, WEEK = 24, 168
RNG = np.random.default_rng(3)
OF_DAY = RNG.normal(0, 2, DAY)
OF_WEEK = np.tile(OF_DAY, 7) - np.repeat([0, 0, 0, 0, 0, 4, 6], DAY)


def slots_of(hours: int, start: int = 0) -> np.ndarray:
    """Times of the week one after the other."""
    return (np.arange(hours) + start) % WEEK


@given(weeks=st.integers(1, 9), start=st.integers(0, WEEK - 1), level=st.floats(-1e4, 1e4))
@HEAVY
def test_a_day_that_comes_again_is_found_exactly(weeks: int, start: int, level: float) -> None:
    """However few the weeks are: what was not seen is as on other days."""
    slots = slots_of(weeks * WEEK, start)
    found = profile_of(level + np.tile(OF_DAY, 7)[slots], slots, DAY)
    assert found == pytest.approx(np.tile(OF_DAY - OF_DAY.mean(), 7), abs=1e-7)


@pytest.mark.parametrize(("weeks", "off"), [(2, 1.3), (4, 0.8), (12, 0.5)])
def test_a_week_is_found_more_and_more(weeks: int, off: float) -> None:
    """Until then its days lean on one another."""
    slots = slots_of(weeks * WEEK)
    found = profile_of(50 + OF_WEEK[slots], slots, DAY)
    assert np.abs(found - (OF_WEEK - OF_WEEK.mean())).max() < off
    weekend = found[5 * DAY :].mean() - found[: 5 * DAY].mean()
    assert weekend == pytest.approx(-5, abs=off)


@given(start=st.integers(0, WEEK - 1), shift=st.floats(-1e4, 1e4), times=st.floats(0.01, 100))
@HEAVY
def test_a_profile_goes_with_its_unit_and_not_with_its_level(
    start: int, shift: float, times: float
) -> None:
    """And adds up to nothing."""
    slots = slots_of(5 * WEEK + 31, start)
    values = OF_WEEK[slots] + np.random.default_rng(start).normal(0, 1, len(slots))
    one, other = profile_of(values, slots, DAY), profile_of(shift + times * values, slots, DAY)
    assert other == pytest.approx(times * one, rel=1e-6, abs=1e-6 * (1 + times))
    assert one.sum() == pytest.approx(0, abs=1e-9)


def test_growth_is_no_profile() -> None:
    """It is in the level of each week."""
    slots = slots_of(8 * WEEK)
    grown = profile_of(OF_WEEK[slots] + 0.05 * np.arange(len(slots)), slots, DAY)
    assert grown == pytest.approx(profile_of(OF_WEEK[slots], slots, DAY), abs=1.5)


def test_one_odd_week_moves_it_by_less_than_its_share() -> None:
    """Half of it is a median."""
    slots = slots_of(8 * WEEK)
    values = OF_WEEK[slots]
    odd = values.copy()
    odd[3 * WEEK + 40] += 100
    moved = profile_of(odd, slots, DAY) - profile_of(values, slots, DAY)
    assert 0 < moved[40] < 100 / 8
    assert np.abs(np.delete(moved, 40)).max() < 1


def test_the_last_weeks_count_more_than_the_first() -> None:
    """Habits change."""
    slots = slots_of(8 * WEEK)
    other = np.roll(OF_WEEK, 5)
    turned = np.where(np.arange(8 * WEEK) < 4 * WEEK, OF_WEEK[slots], other[slots])
    found = profile_of(turned, slots, DAY)
    assert np.abs(found - other).mean() < np.abs(found - OF_WEEK).mean()


def test_an_hour_that_is_skipped_or_comes_twice_moves_no_other() -> None:
    """Each value has the place of its own clock."""
    slots = slots_of(6 * WEEK)
    spring = np.delete(slots, 2 * WEEK - 22)
    autumn = np.insert(slots, 2 * WEEK - 22, slots[2 * WEEK - 22])
    for moved in (spring, autumn):
        found = profile_of(OF_WEEK[moved], moved, DAY)
        assert found == pytest.approx(profile_of(OF_WEEK[slots], slots, DAY), abs=0.3)


@pytest.mark.parametrize("weekday", range(7))
def test_a_holiday_is_a_sunday_more(weekday: int) -> None:
    """Where it goes as one, it leaves the other days as they are."""
    slots = slots_of(6 * WEEK)
    at = 3 * WEEK + weekday * DAY
    slots[at : at + DAY] = np.arange(6 * DAY, WEEK)
    found = profile_of(OF_WEEK[slots], slots, DAY)
    usual = profile_of(OF_WEEK[slots_of(6 * WEEK)], slots_of(6 * WEEK), DAY)
    assert found == pytest.approx(usual, abs=1.0)


def test_a_profile_of_days_is_of_weekdays() -> None:
    """Where a day is one step."""
    week = np.array([1.0, 1, 1, 1, 1, -2, -3])
    found = profile_of(np.tile(week, 10), slots_of(70) % 7, 1)
    assert found == pytest.approx(week, abs=0.3)
    assert found.shape == (7,)


@given(size=st.integers(WEEK, 4 * WEEK), seed=st.integers(0, 99))
@HEAVY
def test_the_week_around_a_value_is_a_mean(size: int, seed: int) -> None:
    """Of the values within half a week; at the ends, of the first and the last week."""
    values = np.random.default_rng(seed).normal(0, 1, size)
    found = around(values, WEEK)
    middle = WEEK // 2
    assert len(found) == size
    assert found[: middle + 1] == pytest.approx(np.full(middle + 1, values[:WEEK].mean()))
    assert found[-1] == pytest.approx(values[-WEEK:].mean())
    at = size // 2
    low = min(max(at - middle, 0), size - WEEK)
    assert found[at] == pytest.approx(values[low : low + WEEK].mean())


def test_days_are_counted_back_from_the_end() -> None:
    """What is over at the start belongs to none."""
    adjusted: Floats = np.concatenate([[99.0], np.repeat([1.0, 2, 3], DAY)])
    assert levels_of(adjusted, DAY).tolist() == [1, 2, 3]
    adjusted[5] = 1e9
    assert levels_of(adjusted, DAY).tolist() == [1, 2, 3]
    assert levels_of(np.array([4.0, 5]), 1).tolist() == [4, 5]
