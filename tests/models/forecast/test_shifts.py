"""Known changes that moved a level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.shifts import Floats, levelled
from tests.profiles import HEAVY

DAY, WEEK = 24, 168
HOURS = 8 * WEEK
SLOTS = np.arange(HOURS) % WEEK
SHAPE = np.random.default_rng(5).normal(0, 3, WEEK)
HOUR = np.arange(HOURS)


def usual(seed: int = 0, *, slope: float = 0.0) -> Floats:
    """A week with noise, and growth by day."""
    noise: Floats = np.random.default_rng(seed).normal(100, 1, HOURS)
    return noise + SHAPE[SLOTS] + slope * HOUR / DAY


@given(at=st.integers(9 * DAY, HOURS - 2 * DAY), size=st.floats(20, 500), up=st.booleans())
@HEAVY
def test_a_step_is_found_and_taken_out(at: int, size: float, up: bool) -> None:
    """As if it had always been there."""
    step = size if up else -size
    values, moved = levelled(usual() + step * (at <= HOUR), SLOTS, DAY, (at,))
    assert moved == {at: pytest.approx(step, abs=3)}
    assert values[at:] == pytest.approx(usual()[at:] + step)
    assert values[:at] == pytest.approx(usual()[:at] + moved[at])


@given(seed=st.integers(0, 500), at=st.integers(1, HOURS - 1))
@HEAVY
def test_a_change_that_moved_nothing_hardly_moves_anything(seed: int, at: int) -> None:
    """Most stay what they are, the rest by less than the noise of an hour."""
    _, moved = levelled(usual(seed), SLOTS, DAY, (at,))
    assert all(abs(size) < 2 for size in moved.values())


def test_growth_is_no_step() -> None:
    """What the days before foretell by their own slope is not the change's."""
    values = usual(slope=4.0)
    _, moved = levelled(values, SLOTS, DAY, (5 * WEEK,))
    assert abs(moved.get(5 * WEEK, 0.0)) < 4
    step = values + 60 * (HOUR >= 5 * WEEK)
    assert levelled(step, SLOTS, DAY, (5 * WEEK,))[1][5 * WEEK] == pytest.approx(60, abs=6)


def test_each_of_several_has_its_own_size() -> None:
    """In whichever order they are told, and close beside one another."""
    at, sizes = (4 * WEEK, 4 * WEEK + 3 * DAY, 6 * WEEK), (30.0, 50.0, -40.0)
    values = usual()
    for one, size in zip(at, sizes, strict=True):
        values = values + size * (one <= HOUR)
    told, moved = levelled(values, SLOTS, DAY, at)
    other, same = levelled(values, SLOTS, DAY, at[::-1])
    assert moved == same
    assert (told == other).all()
    assert [moved[one] for one in at] == pytest.approx(sizes, abs=12)
    assert sum(moved.values()) == pytest.approx(40, abs=10)


@pytest.mark.parametrize("at", [1, DAY, 8 * DAY - 1, HOURS - DAY + 1, HOURS - 1])
def test_without_a_week_before_or_a_day_after_nothing_is_said(at: int) -> None:
    """The values are left as they are."""
    values = usual() + 80 * (at <= HOUR)
    told, moved = levelled(values, SLOTS, DAY, (at,))
    assert moved == {}
    assert (told == values).all()


def test_without_changes_nothing_is_done() -> None:
    """A step that nobody told is left to those who follow levels."""
    values = usual() + 80 * (HOUR >= 5 * WEEK)
    told, moved = levelled(values, SLOTS, DAY, ())
    assert told is values
    assert moved == {}


def test_the_argument_is_not_touched() -> None:
    """Others look at it too."""
    values = usual() + 80 * (HOUR >= 5 * WEEK)
    before = values.copy()
    levelled(values, SLOTS, DAY, (5 * WEEK,))
    assert (values == before).all()


@given(times=st.floats(0.01, 1000), shift=st.floats(-1e5, 1e5))
@HEAVY
def test_steps_go_with_the_unit(times: float, shift: float) -> None:
    """And not with the level."""
    at = 5 * WEEK
    values = usual() + 25 * (at <= HOUR)
    one = levelled(values, SLOTS, DAY, (at,))[1][at]
    other = levelled(shift + times * values, SLOTS, DAY, (at,))[1][at]
    assert other == pytest.approx(times * one, rel=1e-4, abs=1e-6)
