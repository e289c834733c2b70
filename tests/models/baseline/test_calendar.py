"""Local time as data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar, local_ms, slots
from models.baseline.layout import DAY_SLOTS, SLOTS

SUMMER = Calendar(starts=np.array([0, 10 * DAY_MS]), offsets=np.array([HOUR_MS, 2 * HOUR_MS]))


def test_when_clocks_go_forward_an_hour_is_passed_over() -> None:
    """Every morning of summer would be compared with an hour that is not the same at work."""
    at = np.array([10 * DAY_MS - 1, 10 * DAY_MS])
    assert (local_ms(at, SUMMER) // HOUR_MS).tolist() == [240, 242]


def test_before_the_first_known_change_clocks_are_as_at_it() -> None:
    """Backfilled samples would be read as UTC."""
    assert local_ms(np.array([-DAY_MS]), SUMMER).tolist() == [-DAY_MS + HOUR_MS]


def test_a_holiday_goes_like_a_sunday() -> None:
    """The quiet of a holiday would be an anomaly of every service."""
    thursday, sunday = np.array([8]), np.array([3 * 24 + 8])
    holiday = Calendar(holidays=np.array([0]))
    assert slots(thursday, holiday)[1].tolist() == slots(sunday, holiday)[1].tolist()
    assert slots(thursday, Calendar())[1].tolist() != slots(sunday, Calendar())[1].tolist()


def test_offsets_that_do_not_go_up_are_refused() -> None:
    """Times would be taken from whichever row the search happens to meet."""
    with pytest.raises(ValueError, match="go up"):
        Calendar(starts=np.array([5, 5]), offsets=np.array([0, 0]))
    with pytest.raises(ValueError, match="1 starts of 0"):
        Calendar(starts=np.array([5]))


@given(st.integers(-(10**7), 10**7))
def test_every_hour_has_its_slots_and_a_week_later_the_same(hour: int) -> None:
    """A profile row would be written outside of itself."""
    of_day, of_week = slots(np.array([hour]), Calendar())
    assert 0 <= of_day[0] < DAY_SLOTS <= of_week[0] < SLOTS
    assert slots(np.array([hour + 168]), Calendar())[1][0] == of_week[0]
