"""When reports are due, by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.explain.weekly import WeeklyAt
from detector.reports.moments import MonthlyAt, moment_at
from pipelines.zones import calendar_of

BERLIN = calendar_of("Europe/Berlin")
TIMES = st.floats(1_293_926_400, 2_208_988_800)


def at(text: str, zone: str = "UTC") -> float:
    """A moment in unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("text", "now", "due"),
    [
        ("day 1 09:00", "2026-11-27T12:00", "2026-11-01T09:00"),
        ("day 1 09:00", "2026-12-01T08:59", "2026-11-01T09:00"),
        ("day 1 09:00", "2026-12-01T09:00", "2026-12-01T09:00"),
        ("day 31 09:00", "2026-11-30T09:00", "2026-11-30T09:00"),
        ("last day 18:00", "2028-03-01T00:00", "2028-02-29T18:00"),
        ("last day 18:00", "2026-01-15T00:00", "2025-12-31T18:00"),
        ("Monday 09:00", "2026-11-27T12:00", "2026-11-23T09:00"),
        ("  DAY  15   08:30 ", "2026-11-27T12:00", "2026-11-15T08:30"),
    ],
)
def test_the_last_moment_is_found(text: str, now: str, due: str) -> None:
    """Of a month without such a day it is the last one."""
    assert moment_at(text).before(at(now)) == at(due)


def test_a_month_goes_by_the_wall() -> None:
    """Nine in the morning is nine in summer and in winter."""
    monthly = moment_at("day 1 09:00", BERLIN)
    for month in (3, 4, 10, 11):
        due = at(f"2026-{month:02d}-01T09:00", "Europe/Berlin")
        assert monthly.before(due + 60) == due


@pytest.mark.parametrize(
    "text",
    ["", "never", "day 0 09:00", "day 32 09:00", "day 1 24:00", "day 1", "first monday 09:00",
     "daily 09:00", "last day 9:00", "monday", "* * * * *"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    """And one hears how moments are written."""
    with pytest.raises(ValueError, match=r"monday 09:00, day 1 09:00|between 1 and 31"):
        moment_at(text)


def test_weeks_are_those_of_the_other_notices() -> None:
    """`monday 09:00` means the same everywhere."""
    weekly = moment_at("monday 09:00", BERLIN)
    assert isinstance(weekly, WeeklyAt)
    assert weekly.calendar is BERLIN


@given(TIMES, st.integers(1, 31), st.integers(0, 23))
def test_a_month_has_one_moment(now: float, day: int, hour: int) -> None:
    """Never in the future, at most 31 days and the clocks' change ago, and the same until next."""
    monthly = MonthlyAt(day=day, hour=hour, minute=0, calendar=BERLIN)
    due = monthly.before(now)
    assert due <= now < due + timedelta(days=31, hours=2).total_seconds()
    assert monthly.before(due) == due
    assert monthly.before((due + now) / 2) == due
    assert monthly.before(due - 1) < due
