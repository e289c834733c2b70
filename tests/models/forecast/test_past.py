"""A series as the members see it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.past import Floats, Past
from models.forecast.profile import profile_of
from tests.profiles import HEAVY

DAY, WEEK = 24, 168


def past_of(values: Floats, ahead: int, *, start: int = 0, day: int = DAY) -> Past:
    """From a time of the week on."""
    slots = (start + np.arange(len(values) + ahead)) % (7 * day)
    return Past(values=values, slots=slots, day=day)


def noisy(hours: int, seed: int = 0) -> Floats:
    """A week with noise."""
    shape = np.random.default_rng(5).normal(0, 3, WEEK)
    noise: Floats = np.random.default_rng(seed).normal(20, 1, hours)
    return noise + shape[np.arange(hours) % WEEK]


@given(hours=st.integers(WEEK, 5 * WEEK), ahead=st.integers(1, 400), start=st.integers(0, 167))
@HEAVY
def test_profile_and_rest_are_the_whole(hours: int, ahead: int, start: int) -> None:
    """And the profile goes on over the steps ahead."""
    values = noisy(hours)
    past = past_of(values, ahead, start=start)
    assert past.ahead == ahead
    assert past.adjusted + past.profile[past.slots[:hours]] == pytest.approx(values)
    assert past.season.tolist() == past.profile[past.slots[hours:]].tolist()
    assert len(past.levels) == hours // DAY


def test_the_profile_is_of_what_is_past() -> None:
    """Where clocks go ahead of it is no matter."""
    values = noisy(3 * WEEK)
    past = past_of(values, 50)
    odd = Past(values=values, slots=np.append(past.slots[: 3 * WEEK], [5] * 50), day=DAY)
    assert (odd.profile == past.profile).all()
    assert (odd.profile == profile_of(values, past.slots[: 3 * WEEK], DAY)).all()
    assert odd.season.tolist() == [past.profile[5]] * 50


def test_levels_are_what_weeks_are_without_their_shape() -> None:
    """A step is seen on its day."""
    values = noisy(6 * WEEK) + 30 * (np.arange(6 * WEEK) >= 5 * WEEK)
    levels = past_of(values, 1).levels
    assert levels[:35] == pytest.approx(np.full(35, 20), abs=5)
    assert levels[35:] == pytest.approx(np.full(7, 50), abs=5)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(1, [1.0, 2.0, 3.0]), (2, [0.75, 1.25, 1.75]), (24, [12.5 / 24, 13.5 / 24, 14.5 / 24])],
)
def test_steps_are_counted_from_the_middle_of_the_last_day(day: int, expected: list[float]) -> None:
    """To the middle of each."""
    past = past_of(np.zeros(14 * day), 3, day=day)
    assert past.days == pytest.approx(expected)
    assert past.week == 7 * day


def test_a_line_of_days_goes_on_at_its_hours() -> None:
    """Steps in days and levels of days are on one scale."""
    values = 0.5 * np.arange(4.0 * WEEK)
    past = past_of(values, 48)
    level = 0.5 * (4 * WEEK - 12.5)
    onward = level + 12 * past.days
    assert onward == pytest.approx(0.5 * np.arange(4 * WEEK, 4 * WEEK + 48))


def test_parts_are_worked_out_once() -> None:
    """Members share them."""
    past = past_of(noisy(2 * WEEK), 10)
    assert past.profile is past.profile
    assert past.levels is past.levels
    assert past.adjusted is past.adjusted
