"""The forecasters that are combined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.members import MEMBERS
from models.forecast.past import Floats, Past
from tests.profiles import HEAVY

DAY, WEEK = 24, 168
each = pytest.mark.parametrize("name", MEMBERS)
OF_DAY = np.random.default_rng(3).normal(0, 2, DAY)
OF_WEEK = np.random.default_rng(4).normal(0, 2, WEEK)
LEVELLED = sorted(set(MEMBERS) - {"last weeks", "yesterday"})


def told(name: str, values: Floats, ahead: int = 2 * WEEK, *, day: int = DAY) -> Floats:
    """What a member tells of what follows these values."""
    slots = np.arange(len(values) + ahead) % (7 * day)
    return MEMBERS[name](Past(values=values, slots=slots, day=day))


def noise(hours: int, seed: int = 0) -> Floats:
    """A week with noise."""
    made: Floats = (
        np.random.default_rng(seed).normal(0, 1, hours) + OF_WEEK[np.arange(hours) % WEEK]
    )
    return made


@each
@pytest.mark.parametrize("hours", [WEEK, 2 * WEEK + 5, 8 * WEEK])
def test_a_day_that_comes_again_is_told_exactly(name: str, hours: int) -> None:
    """By each, at any hour, from a week on."""
    values = 10 + np.resize(OF_DAY, hours + 2 * WEEK)
    assert told(name, values[:hours]) == pytest.approx(values[hours:], abs=1e-9)


def test_a_week_that_comes_again_is_told_exactly_by_the_last_weeks() -> None:
    """By others nearly, the longer it was seen the more."""
    values = 10 + np.resize(OF_WEEK, 10 * WEEK)
    assert told("last weeks", values[: 8 * WEEK]) == pytest.approx(values[8 * WEEK :], abs=1e-9)
    for name in LEVELLED:
        off = told(name, values[: 8 * WEEK]) - values[8 * WEEK :]
        assert np.abs(off).mean() < 0.3


@each
@given(shift=st.floats(-1e4, 1e4), power=st.integers(-8, 12), seed=st.integers(0, 50))
@HEAVY
def test_what_is_told_goes_with_the_unit(name: str, shift: float, power: int, seed: int) -> None:
    """And with the level."""
    values = noise(5 * WEEK, seed)
    one, other = told(name, values, 50), told(name, shift + 2.0**power * values, 50)
    assert other == pytest.approx(shift + 2.0**power * one, rel=1e-6, abs=1e-4)


@each
@pytest.mark.parametrize("ahead", [1, 5, DAY, 90 * DAY])
def test_each_step_ahead_is_told(name: str, ahead: int) -> None:
    """The same, however many follow."""
    values = noise(4 * WEEK)
    found = told(name, values, ahead)
    assert found.shape == (ahead,)
    assert np.isfinite(found).all()
    assert found == pytest.approx(told(name, values, 90 * DAY)[:ahead])


@each
def test_the_argument_is_not_touched(name: str) -> None:
    """Members share it."""
    values = noise(4 * WEEK)
    before = values.copy()
    told(name, values)
    assert (values == before).all()


@each
@pytest.mark.parametrize("day", [1, 2, 96])
def test_other_grids_are_told_as_well(name: str, day: int) -> None:
    """Days, half days, quarters of an hour."""
    shape = np.random.default_rng(2).normal(0, 1, day)
    values = 5 + np.resize(shape, 6 * 7 * day)
    assert told(name, values[: 28 * day], 14 * day, day=day) == pytest.approx(
        values[28 * day :], abs=1e-9
    )


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("usual level", 10, 10),
        ("present level", 10, 10),
        ("level of today", 30, 30),
        ("yesterday", 30, 30),
    ],
)
def test_an_unusual_day_is_gone_on_with_or_not(name: str, first: float, last: float) -> None:
    """The present level goes back to the usual one, from today's on."""
    values = np.full(6 * WEEK, 10.0)
    values[-DAY:] = 30
    found = told(name, values)
    if name == "present level":
        assert found[0] == pytest.approx(10 + 20 * 0.8**0.5, abs=3)
        assert (np.diff(found[: 5 * DAY : DAY]) < 0).all()
    else:
        assert found[0] == pytest.approx(first, abs=2)
    # Once in six weeks that weekday was odd, of which its profile keeps a part.
    assert found[-1] == pytest.approx(last, abs=3)


def test_the_last_weeks_keep_a_part_of_their_drift() -> None:
    """The first week ahead grows by most of a week's growth, the later ones by less and less."""
    values = np.repeat(np.arange(8.0), WEEK)
    found = told("last weeks", values, 6 * WEEK).reshape(6, WEEK)
    assert (found == found[:, :1]).all()
    growth = np.diff(found[:, 0])
    assert 7 < found[0, 0] < 8
    assert (growth > 0).all()
    assert growth[1:] == pytest.approx(0.6 * growth[:-1])


@pytest.mark.parametrize("name", ["straight line", "damped trend", "theta"])
def test_growth_goes_on(name: str) -> None:
    """By those who follow levels; straight on by one."""
    values = 0.5 * np.arange(8 * WEEK) + OF_WEEK[np.arange(8 * WEEK) % WEEK]
    found = told(name, values)
    assert found[-WEEK:].mean() > found[:WEEK].mean() > values[-WEEK:].mean()
    if name == "straight line":
        line = 0.5 * np.arange(8 * WEEK, 10 * WEEK) + OF_WEEK[np.arange(2 * WEEK) % WEEK]
        # A week's growth is 84.
        assert found == pytest.approx(line, abs=5)


@pytest.mark.parametrize("name", ["last weeks", "yesterday"])
@pytest.mark.parametrize("moved", [1, -1])
@pytest.mark.parametrize("at", [3 * WEEK - 30, 3 * WEEK - 5, 3 * WEEK, 3 * WEEK + 40])
def test_what_is_told_again_is_told_at_its_hour(name: str, moved: int, at: int) -> None:
    """Clocks were moved in the last days, or will be."""
    hours = np.arange(5 * WEEK)
    slots = (hours + np.where(hours < at, 0, moved)) % WEEK
    lived = OF_DAY[slots % DAY]
    past = Past(values=lived[: 3 * WEEK], slots=slots, day=DAY)
    off = MEMBERS[name](past) - lived[3 * WEEK :]
    # What was seen a week before is at another place where the clocks were moved in between.
    assert np.median(np.abs(off)) < 1e-9
    if name == "yesterday" or at >= 3 * WEEK:
        assert off == pytest.approx(np.zeros(2 * WEEK), abs=1e-9)


def test_the_last_weeks_tell_a_holiday_as_a_sunday() -> None:
    """And a working day after one that was a holiday as the week before."""
    week = np.repeat([5.0, 5, 5, 5, 5, 2, 1], DAY)
    slots = np.arange(6 * WEEK) % WEEK
    slots[3 * WEEK + 2 * DAY : 3 * WEEK + 3 * DAY] = np.arange(6 * DAY, WEEK)
    slots[4 * WEEK + DAY : 4 * WEEK + 2 * DAY] = np.arange(6 * DAY, WEEK)
    past = Past(values=week[slots][: 4 * WEEK], slots=slots, day=DAY)
    assert MEMBERS["last weeks"](past) == pytest.approx(week[slots][4 * WEEK :])


def test_a_weekday_that_was_never_seen_is_told_from_its_place() -> None:
    """One week is all, and its Wednesday was a holiday."""
    slots = np.arange(2 * WEEK) % WEEK
    slots[2 * DAY : 3 * DAY] = np.arange(6 * DAY, WEEK)
    values = np.repeat(np.arange(7.0), DAY)
    found = MEMBERS["last weeks"](Past(values=values, slots=slots, day=DAY))
    assert found.reshape(7, DAY)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
