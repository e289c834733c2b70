"""Clocks of a named zone, as the time zone database has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from models.baseline.calendar import DAY_MS, instant_of, local_ms, local_of
from pipelines.zones import calendar_of

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
MOMENTS = st.integers(1_300_000_000, 2_500_000_000)


@given(st.sampled_from(ZONES), MOMENTS)
def test_the_clock_on_the_wall_is_the_databases(zone: str, at: int) -> None:
    """For half of the year every hour of a profile would be its neighbour."""
    ahead = datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() or timedelta()
    wanted = at * 1000 + ahead // timedelta(milliseconds=1)
    assert local_of(at * 1000, calendar_of(zone)) == wanted


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_time_on_the_wall_is_read_as_python_reads_it(zone: str, at: int) -> None:
    """A window would begin an hour off in the two nights in which that matters."""
    told = datetime.fromtimestamp(at, UTC).replace(tzinfo=ZoneInfo(zone))
    assert instant_of(at * 1000, calendar_of(zone)) == int(told.timestamp()) * 1000


def test_clocks_change_at_the_second_at_which_they_do() -> None:
    """Samples of the minutes before would be of another hour of the day."""
    turn = int(datetime(2027, 3, 28, 1, tzinfo=UTC).timestamp()) * 1000
    local = local_ms(np.array([turn - 1000, turn]), calendar_of("Europe/Berlin"))
    assert int(local[1] - local[0]) == 3_600_000 + 1000


def test_without_a_zone_clocks_are_those_of_utc() -> None:
    """Whoever sets nothing would live by the zone of the machine."""
    calendar = calendar_of("", [date(2026, 12, 26), date(2026, 12, 25), date(2026, 12, 25)])
    assert local_of(123, calendar) == 123
    assert (calendar.holidays * DAY_MS).tolist() == [1_798_156_800_000, 1_798_243_200_000]


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_that_is_not_known_is_said_with_what_to_do(zone: str) -> None:
    """A typing error would be UTC without a word."""
    with pytest.raises(ConfigError, match=r"is not known: name one as in Europe/Berlin"):
        calendar_of(zone)
