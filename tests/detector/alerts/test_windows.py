"""The night is a night in winter and in summer, and when clocks are changed in it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity
from detector.alerts.settings import Hours, Maintenance, Quiet
from detector.alerts.windows import hours_end, maintained, maintenance_end, quiet_end
from pipelines.zones import calendar_of
from tests.detector.alerts.making import DAY, HOUR, MINUTE, MONDAY, match

BERLIN = calendar_of("Europe/Berlin")
NIGHT = Hours(start=22 * 60, end=7 * 60, calendar=BERLIN)


def berlin(text: str, fold: int = 0) -> int:
    """Unix ms of what a clock in Berlin shows."""
    zone = ZoneInfo("Europe/Berlin")
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()) * 1000


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-01-10T21:59", None),
        ("2026-01-10T22:00", "2026-01-11T07:00"),
        ("2026-01-11T06:59", "2026-01-11T07:00"),
        ("2026-01-11T07:00", None),
        ("2026-07-10T22:00", "2026-07-11T07:00"),
        ("2026-03-28T23:00", "2026-03-29T07:00"),
        ("2026-10-25T01:00", "2026-10-25T07:00"),
    ],
)
def test_a_night_ends_by_the_clock_on_the_wall(at: str, end: str | None) -> None:
    """Also the one of eight hours, and the one of ten."""
    assert hours_end(NIGHT, berlin(at)) == (None if end is None else berlin(end))


def test_an_hour_that_is_skipped_is_none_and_one_that_comes_twice_is_two() -> None:
    """02:00 to 03:00 on the nights on which clocks are changed."""
    hour = Hours(start=120, end=180, calendar=BERLIN)
    skipped = range(berlin("2026-03-29T00:00"), berlin("2026-03-29T06:00"), 5 * MINUTE)
    assert all(hours_end(hour, at) is None for at in skipped)
    first, second = berlin("2026-10-25T02:30"), berlin("2026-10-25T02:30", fold=1)
    assert hours_end(hour, first) == hours_end(hour, second) == berlin("2026-10-25T03:00")
    assert second - first == HOUR


def test_the_weekday_is_that_on_which_it_begins() -> None:
    """The night of friday goes on into saturday."""
    friday = Hours(start=22 * 60, end=7 * 60, days=(4,))
    assert hours_end(friday, MONDAY + 5 * DAY + HOUR) == MONDAY + 5 * DAY + 7 * HOUR
    assert hours_end(friday, MONDAY + 4 * DAY + HOUR) is None


@given(st.integers(0, 1439), st.integers(0, 1440), st.integers(0, 3 * 365 * 24 * 60), st.booleans())
def test_what_ends_is_not_on_at_its_end(start: int, end: int, minute: int, here: bool) -> None:
    """Otherwise what was held would be held again; a day round there is no end of it today."""
    hours = Hours(start=start, end=end, days=(0, 2, 4), calendar=BERLIN if here else NIGHT.calendar)
    at = MONDAY + minute * MINUTE
    over = hours_end(hours, at)
    if over is not None:
        assert at < over <= at + 26 * HOUR
        assert hours_end(hours, over) is None


def test_only_what_is_grave_is_told_in_quiet_hours() -> None:
    """Or nothing at all."""
    at, seven = berlin("2026-01-10T23:00"), berlin("2026-01-11T07:00")
    assert quiet_end(Quiet(hours=(NIGHT,)), Gravity.HIGH, at) is None
    assert quiet_end(Quiet(hours=(NIGHT,)), Gravity.MEDIUM, at) == seven
    assert quiet_end(Quiet(hours=(NIGHT,), severity=None), Gravity.HIGH, at) == seven


def test_a_night_that_meets_a_weekend_ends_with_it() -> None:
    """What is held on friday night is told on monday morning, not at seven on saturday."""
    nights = Hours(start=22 * 60, end=7 * 60)
    weekend = Hours(start=0, end=1440, days=(5, 6))
    friday = MONDAY + 4 * DAY + 23 * HOUR
    found = quiet_end(Quiet(hours=(nights, weekend)), Gravity.LOW, friday)
    assert found == MONDAY + 7 * DAY + 7 * HOUR


def test_hours_that_fill_the_week_have_an_end_to_look_at_again() -> None:
    """No endless search."""
    whole = Hours(start=0, end=1440)
    over = quiet_end(Quiet(hours=(whole,)), Gravity.LOW, MONDAY)
    assert over is not None
    assert over > MONDAY


@pytest.mark.parametrize(
    ("window", "at", "end"),
    [
        (Maintenance(name="a", start=0, end=10), 9, 10),
        (Maintenance(name="a", start=0, end=10), 10, None),
        (Maintenance(name="a", start=5, end=10), 4, None),
        (Maintenance(name="a", hours=Hours(start=0, end=60)), MONDAY, MONDAY + HOUR),
        (Maintenance(name="a", hours=Hours(start=0, end=60), end=MONDAY), MONDAY, None),
        (
            Maintenance(name="a", hours=Hours(start=0, end=60), end=MONDAY + MINUTE),
            MONDAY,
            MONDAY + MINUTE,
        ),
    ],
)
def test_maintenance_is_once_or_comes_back(window: Maintenance, at: int, end: int | None) -> None:
    """And one that comes back may have a last day."""
    assert maintenance_end(window, at) == end


def test_maintenance_is_of_what_it_names() -> None:
    """The others are told of."""
    windows = [Maintenance(name="db", matchers=match('service="db"'), start=0, end=10)]
    assert maintained(windows, {}, ("cart", "db"), 5) is windows[0]
    assert maintained(windows, {}, ("cart",), 5) is None
