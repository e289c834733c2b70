"""Moments of the past at which a forecast is tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.origins import Origins, origins_of

DAYS = st.integers(14, 800)
GRIDS = st.sampled_from([1, 2, 24, 288])


@given(days=DAYS, more=st.integers(0, 23), ahead=st.integers(1, 10_000), day=GRIDS)
def test_each_is_tried_on_what_is_known(days: int, more: int, ahead: int, day: int) -> None:
    """A week is before the first, and what each is tried on is there, up to the last value."""
    count = days * day + more % day
    origins = origins_of(count, ahead, day)
    assert origins.at[0] >= 7 * day
    assert origins.at[-1] + origins.reach == count
    assert 1 <= origins.reach <= ahead
    assert list(origins.at) == sorted(set(origins.at))
    assert 1 <= len(origins.at) <= 8


@given(days=DAYS, ahead=st.integers(1, 10_000), day=GRIDS)
def test_half_of_what_is_beside_a_week_is_tried_at_most(days: int, ahead: int, day: int) -> None:
    """The other half is for what a forecast is made of."""
    origins = origins_of(days * day, ahead, day)
    assert origins.reach <= max(day, (days * day - 7 * day) // 2)


@given(days=DAYS, day=GRIDS)
def test_a_horizon_that_fits_is_tried_as_a_whole(days: int, day: int) -> None:
    """And one that does not, as far as it can."""
    fits = (days - 7) * day // 2
    assert origins_of(days * day, fits, day).reach == fits
    assert origins_of(days * day, fits + 5, day).reach == fits


@pytest.mark.parametrize(
    ("weeks", "ahead", "first", "last"), [(8, 14, 21, 42), (8, 1, 47, 55), (52, 14, 308, 350)]
)
def test_origins_of_hourly_series(weeks: int, ahead: int, first: int, last: int) -> None:
    """From three horizons back on, eight days for a short one; in days."""
    at = origins_of(weeks * 168, ahead * 24, 24).at
    assert (at[0] // 24, at[-1] // 24) == (first, last)
    assert len(at) == 8


def test_of_a_fortnight_of_days_there_are_few() -> None:
    """Each once."""
    assert origins_of(14, 90, 1) == Origins(at=(7, 8, 9, 10, 11), reach=3)


def test_the_origins_of_a_short_horizon_are_at_all_hours() -> None:
    """At one and the same hour of the day an error would be told of that hour alone."""
    hours = {at % 24 for at in origins_of(8 * 168, 1, 24).at}
    assert len(hours) > 4
