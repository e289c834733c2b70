"""The worst of each day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.capacity.days import MOST_DAYS, days_of
from detector.capacity.resource import Kind
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar
from models.forecast.history import History
from tests.detector.capacity.worlds import NOW, hours


def test_what_is_full_once_is_judged_by_its_largest_value() -> None:
    """A disk that was full at noon was full."""
    values = np.zeros(48)
    values[12] = 9.0
    assert days_of(hours(values), Kind.DISK, NOW).worst.tolist() == [9.0, 0.0]


def test_of_others_a_stray_spike_is_no_day() -> None:
    """Two hours are."""
    values = np.zeros(72)
    values[[12, 30, 40]] = 9.0
    assert days_of(hours(values), Kind.CPU, NOW).worst.tolist() == [0.0, 9.0, 0.0]


@pytest.mark.parametrize(("step_s", "rank"), [(300, 24), (3600, 2), (4 * 3600, 1), (86_400, 1)])
def test_two_hours_are_two_hours_on_any_grid(step_s: int, rank: int) -> None:
    """Of five minutes, twenty-four."""
    size = 86_400 // step_s
    values = np.arange(float(size))
    usage = History(values=values, start_ms=NOW - DAY_MS, step_s=step_s)
    assert days_of(usage, Kind.CPU, NOW).worst.tolist() == [size - rank]


def test_days_end_with_what_was_measured_last_before_the_report() -> None:
    """What came later is not looked at."""
    usage = hours(np.arange(72.0))
    found = days_of(usage, Kind.DISK, NOW - 13 * HOUR_MS)
    assert found.end_ms == NOW - 13 * HOUR_MS
    assert found.steps == 59
    assert found.worst.tolist() == [34.0, 58.0]
    assert (found.last, found.last_ms) == (58.0, found.end_ms)
    assert found.start_ms == found.end_ms - 2 * DAY_MS


def test_negative_values_are_counted_and_left_out() -> None:
    """A counter that was reset made them."""
    values = np.ones(48)
    values[[3, 4]] = -7.0
    found = days_of(hours(values), Kind.DISK, NOW)
    assert found.negative == 2
    assert found.worst.tolist() == [1.0, 1.0]


def test_a_day_that_was_hardly_measured_is_not_known() -> None:
    """Five hours are too few, six are not."""
    values = np.ones(48)
    values[:19] = np.nan
    values[24:42] = np.nan
    found = days_of(hours(values), Kind.DISK, NOW)
    assert np.isnan(found.worst).tolist() == [True, False]
    assert found.known == 1


def test_of_a_day_with_one_known_value_there_are_no_two_hours() -> None:
    """Nothing is made up."""
    values = np.array([5.0])
    usage = History(values=np.r_[values, np.full(23, np.nan)], start_ms=NOW - DAY_MS)
    assert np.isnan(days_of(usage, Kind.CPU, NOW).worst).all()


def test_weekdays_are_local_and_holidays_are_sundays() -> None:
    """30 October 2026 is a Friday; days are told by their middles."""
    plain = days_of(hours(np.ones(14 * 24)), Kind.CPU, NOW)
    # `NOW` is the beginning of Saturday, 31 October, so the last whole day is a Friday.
    assert plain.weekday(2)[-3:].tolist() == [4, 5, 6]
    last = (NOW - DAY_MS) // DAY_MS
    feast = Calendar(holidays=np.array([last]))
    usage = History(values=np.ones(14 * 24), start_ms=NOW - 14 * DAY_MS, calendar=feast)
    assert days_of(usage, Kind.CPU, NOW).weekday(0)[-2:].tolist() == [3, 6]


def test_clocks_that_change_leave_seven_weekdays_in_each_week() -> None:
    """None is told twice."""
    berlin = Calendar(
        starts=np.array([0, NOW - 6 * DAY_MS]), offsets=np.array([7_200_000, 3_600_000])
    )
    for shift in range(24):
        usage = History(
            values=np.ones(28 * 24), start_ms=NOW - 28 * DAY_MS + shift * HOUR_MS, calendar=berlin
        )
        weekday = days_of(usage, Kind.CPU, NOW + shift * HOUR_MS).weekday(14)
        assert (np.diff(weekday) % 7 == 1).all()


def test_known_changes_fall_on_their_day_and_the_next() -> None:
    """On the first the worst may still be the old one."""
    usage = hours(np.ones(20 * 24), changes=(5 * 24 + 7, 19 * 24 + 1))
    assert days_of(usage, Kind.CPU, NOW).jumps() == (5, 6, 19)


def test_what_is_older_than_most_days_is_not_looked_at() -> None:
    """Nor are its changes."""
    usage = hours(np.ones((MOST_DAYS + 100) * 24), changes=(24, 200 * 24))
    found = days_of(usage, Kind.DISK, NOW)
    assert len(found.worst) == MOST_DAYS
    assert found.jumps() == (100, 101)


@given(
    values=arrays(np.float64, st.integers(0, 200), elements=st.floats(-5, 100) | st.just(np.nan)),
    kind=st.sampled_from(Kind),
)
def test_a_day_is_never_worse_than_its_largest_value(values: np.ndarray, kind: Kind) -> None:
    """Nor known where nothing was."""
    found = days_of(hours(values), kind, NOW)
    assert len(found.worst) == len(values) // 24
    whole = values[len(values) % 24 :].reshape(-1, 24)
    for worst, day in zip(found.worst, whole, strict=True):
        known = day[np.isfinite(day) & (day >= 0)]
        assert np.isnan(worst) or (worst <= known.max() and len(known) >= 6)


def test_days_end_with_the_last_that_is_known() -> None:
    """What follows a silence is told from there on."""
    values = np.arange(10.0 * 24)
    values[-3 * 24 :] = np.nan
    found = days_of(hours(values), Kind.DISK, NOW)
    assert found.end_ms == NOW - 3 * DAY_MS
    assert (len(found.worst), found.known) == (7, 7)
    assert found.start_ms == NOW - 10 * DAY_MS
    assert found.last_ms == found.end_ms


@given(st.integers(0, 20 * 24 - 1), st.sampled_from([2.0**63, 2.0**64, 1e30]))
def test_rubbish_of_a_counter_is_no_day(at: int, rubbish: float) -> None:
    """It is counted and left out."""
    values = np.linspace(100.0, 120.0, 20 * 24)
    plain = days_of(hours(values.copy()), Kind.DISK, NOW).worst
    values[at] = rubbish
    found = days_of(hours(values), Kind.DISK, NOW)
    assert found.strays == 1
    assert found.worst == pytest.approx(plain, abs=0.1)


@pytest.mark.parametrize("times", [1000.0, 1024.0, 2.0**20, 1e9, 1 / 1024, 1e-6])
@pytest.mark.parametrize("day", [3, 12, 27])
def test_days_of_another_unit_are_left_out(times: float, day: int) -> None:
    """Bytes until somebody set up the exporter in KiB."""
    values = np.linspace(100.0, 110.0, 30 * 24)
    values[day * 24 :] *= times
    found = days_of(hours(values), Kind.DISK, NOW)
    assert len(found.worst) == 30 - day
    assert found.times == pytest.approx(times, rel=0.01)
    assert np.ptp(found.worst) / found.worst.max() < 0.1


@pytest.mark.parametrize("times", [1.0, 3.0, 200.0, 5e4])
def test_another_level_is_no_other_unit(times: float) -> None:
    """However much it moved."""
    values = np.full(30 * 24, 5.0)
    values[300:] *= times
    found = days_of(hours(values), Kind.DISK, NOW)
    assert (len(found.worst), found.times) == (30, 1.0)


def test_a_spike_of_a_day_is_no_other_unit() -> None:
    """A queue that was empty, a thousand the next day, and empty again."""
    values = np.ones(30 * 24)
    values[400:430] = 1000.0
    assert days_of(hours(values), Kind.OTHER, NOW).times == 1.0
