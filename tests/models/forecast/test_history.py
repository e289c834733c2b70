"""What is known of a series, and its clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.calendar import HOUR_MS, Calendar, local_of
from models.forecast.history import DAY_S, HOUR_S, History, ShortHistoryError

STEPS = st.sampled_from([300, 900, HOUR_S, 6 * HOUR_S, DAY_S])


def instant(text: str) -> int:
    """Unix ms of a time in UTC."""
    return int(np.datetime64(text, "ms").astype(np.int64))


# Clocks in Berlin in 2026, and two days off.
SPRING, AUTUMN = instant("2026-03-29T01:00"), instant("2026-10-25T01:00")
GOOD_FRIDAY = instant("2026-04-03") // (24 * HOUR_MS)
BERLIN = Calendar(
    starts=np.array([0, SPRING, AUTUMN]),
    offsets=np.array([1, 2, 1]) * HOUR_MS,
    holidays=np.array([GOOD_FRIDAY, GOOD_FRIDAY + 3]),
)


def clock(start: str, hours: int, *, step_s: int = HOUR_S) -> list[int]:
    """Local times of the week of a series in Berlin."""
    size = hours * HOUR_S // step_s
    history = History(
        values=np.zeros(size), start_ms=instant(start), step_s=step_s, calendar=BERLIN
    )
    return [int(slot) for slot in history.of_week()]


def test_steps_begin_one_after_the_other() -> None:
    """The future ones as well."""
    history = History(values=np.zeros(2), start_ms=1000, step_s=300)
    assert history.starts(2).tolist() == [1000, 301_000, 601_000, 901_000]
    assert history.starts().tolist() == [1000, 301_000]
    assert history.day == 288


def test_the_first_day_of_unix_time_was_a_thursday() -> None:
    """Weeks begin on Mondays."""
    assert History(values=np.zeros(2)).of_week(1).tolist() == [72, 73, 74]
    assert History(values=np.zeros(2), step_s=DAY_S).of_week(3).tolist() == [3, 4, 5, 6, 0]


@given(step_s=STEPS, start=st.integers(0, 4_000_000_000), ahead=st.integers(0, 30))
def test_a_week_comes_round(step_s: int, start: int, ahead: int) -> None:
    """Each step is one after the one before, and one week has each once."""
    history = History(values=np.zeros(1), start_ms=1000 * start, step_s=step_s)
    week = 7 * history.day
    slots = history.of_week(week + ahead)
    assert sorted(slots[:week].tolist()) == list(range(week))
    assert (np.diff(slots) % week == 1).all()


def test_an_hour_is_skipped_in_spring() -> None:
    """After 1 comes 3, on a Sunday."""
    sunday = 6 * 24
    assert clock("2026-03-28T23:00", 4) == [sunday, sunday + 1, sunday + 3, sunday + 4]


def test_an_hour_comes_twice_in_autumn() -> None:
    """After 2 comes 2."""
    sunday = 6 * 24
    assert clock("2026-10-25T00:00", 4) == [sunday + 2, sunday + 2, sunday + 3, sunday + 4]


@pytest.mark.parametrize("start", ["2026-03-27T23:00", "2026-10-23T22:00"])
def test_days_stay_days_over_both_changes_of_clocks(start: str) -> None:
    """Days of 24 hours from a local midnight on drift over it, by less than half of one."""
    days = clock(start, 24 * 200, step_s=DAY_S)
    holidays = {day for day, one in enumerate(days) if one != (5 + day) % 7}
    expected = {6, 9} if start < "2026-04" else set()
    assert holidays == expected
    assert all(days[day] == 6 for day in holidays)


def test_a_holiday_goes_as_a_sunday() -> None:
    """Hour by hour."""
    assert clock("2026-04-02T22:00", 24) == list(range(6 * 24, 7 * 24))
    assert clock("2026-04-05T22:00", 24) == list(range(6 * 24, 7 * 24))
    assert clock("2026-04-06T22:00", 1) == [24]


def test_a_leap_day_is_a_day() -> None:
    """29 February 2028 is a Tuesday, and the day after it a Wednesday."""
    history = History(values=np.zeros(3), start_ms=instant("2028-02-28"), step_s=DAY_S)
    assert history.of_week().tolist() == [0, 1, 2]


@given(at=st.integers(0, 3_000_000), step_s=st.sampled_from([300, 900, HOUR_S]))
def test_the_clock_on_the_wall_is_that_of_the_calendar(at: int, step_s: int) -> None:
    """In summer and winter, whatever the step."""
    start = instant("2026-01-01") + at * 60_000 // (1000 * step_s) * (1000 * step_s)
    calendar = Calendar(starts=BERLIN.starts, offsets=BERLIN.offsets)
    history = History(values=np.zeros(1), start_ms=start, step_s=step_s, calendar=calendar)
    seconds = local_of(start, calendar) // 1000
    week = (seconds // DAY_S + 3) % 7 * DAY_S + seconds % DAY_S
    assert history.of_week().tolist() == [week // step_s]


@pytest.mark.parametrize("step_s", [0, -60, 7, 7 * HOUR_S, 2 * DAY_S])
def test_a_day_is_a_whole_number_of_steps(step_s: int) -> None:
    """Nothing else has a profile."""
    with pytest.raises(ValueError, match=f"step_s {step_s}"):
        History(values=np.zeros(5), step_s=step_s)


@pytest.mark.parametrize("change", [-1, 0, 5, 9])
def test_a_change_is_within(change: int) -> None:
    """One at the first value moved nothing that is known."""
    with pytest.raises(ValueError, match="outside of 5 values"):
        History(values=np.zeros(5), changes=(change,))
    assert History(values=np.zeros(5), changes=(1, 4)).changes == (1, 4)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e101, -1e300])
def test_values_are_numbers_that_can_be_squared(value: float) -> None:
    """What is not is an error of whoever measured it; NaN says that nobody did."""
    with pytest.raises(ValueError, match="values"):
        History(values=np.array([1.0, value]))
    assert len(History(values=np.array([1.0, np.nan, 1e100])).values) == 3


@pytest.mark.parametrize(
    ("floor", "ceiling"), [(2.0, 1.0), (np.nan, None), (None, np.nan), (np.inf, None)]
)
def test_bounds_leave_room(floor: float | None, ceiling: float | None) -> None:
    """A forecast that is cut by nonsense would be none."""
    with pytest.raises(ValueError, match="floor"):
        History(values=np.zeros(5), floor=floor, ceiling=ceiling)
    assert History(values=np.zeros(5), floor=1.0, ceiling=1.0).ceiling == 1.0


@pytest.mark.parametrize(
    ("needs_s", "has_s", "said"),
    [
        (21 * DAY_S, 4 * DAY_S, "needs 21 days, has 4 days"),
        (14 * DAY_S, DAY_S, "needs 14 days, has 1 day"),
        (DAY_S, HOUR_S, "needs 1 day, has 1 hour"),
        (DAY_S, 0, "needs 1 day, has 0 hours"),
    ],
)
def test_short_history_says_what_it_needs(needs_s: int, has_s: int, said: str) -> None:
    """In words of people, and in seconds."""
    error = ShortHistoryError(needs_s=needs_s, has_s=has_s)
    assert str(error) == f"not enough history: {said}"
    assert (error.needs_s, error.has_s) == (needs_s, has_s)
    assert isinstance(error, ValueError)
