"""When the limit is reached."""

from __future__ import annotations

import numpy as np
import pytest

from detector.capacity.assessed import Exhaustion
from detector.capacity.days import Days, days_of
from detector.capacity.exhaustion import MEANS, exhausted, exhausted_since
from detector.capacity.resource import Kind, Limit
from models.baseline.calendar import DAY_MS
from tests.detector.capacity.worlds import NOW, days_ahead, hours


def days(worst: list[float], kind: Kind = Kind.DISK) -> Days:
    """Days of one value each."""
    return days_of(hours(np.repeat(worst, 24)), kind, NOW)


def told(paths: np.ndarray, *, kind: Kind = Kind.DISK, horizon: int = 10) -> Exhaustion:
    """Of a limit of ten."""
    return exhausted(
        paths, np.full(paths.shape[1], 10.0), days([1.0, 2.0], kind), kind=kind,
        as_of=NOW, horizon_s=86_400 * horizon, since=None,
    )  # fmt: skip


def lines(*slopes: float) -> np.ndarray:
    """From two on, for twenty days."""
    return 2 + np.outer(slopes, np.arange(1.0, 21))


def test_dates_are_shares_of_futures() -> None:
    """Of ten, one passes on each day from the first to the tenth."""
    found = told(lines(*(8 / n for n in range(1, 11))))
    assert [days_ahead(at) for at in (found.p10, found.p50, found.p90)] == [1, 5, 9]
    assert found.chance == 1.0
    assert found.means == MEANS[True]


def test_what_passes_beyond_the_horizon_has_no_date() -> None:
    """It is not within the chance either."""
    found = told(lines(8.0, 8.0, 0.5, 0.5), horizon=5)
    assert days_ahead(found.p10) == 1
    assert days_ahead(found.p50) == 1
    assert found.p90 is None
    assert found.chance == 0.5


def test_a_report_in_the_middle_of_a_day_tells_no_date_before_it() -> None:
    """Today's futures begin at the last value."""
    early = exhausted(
        np.full((5, 8), 20.0), np.full(8, 10.0), days([1.0]), kind=Kind.DISK,
        as_of=NOW + 5 * 3_600_000, horizon_s=86_400, since=None,
    )  # fmt: skip
    assert early.p10 is not None
    assert early.p10 >= NOW + 5 * 3_600_000


def test_a_cpu_at_its_limit_once_is_not_exhausted() -> None:
    """Two days of seven are asked for."""
    paths = np.full((1, 16), 2.0)
    paths[0, 3] = 11.0
    assert told(paths, kind=Kind.CPU).p50 is None
    paths[0, 8] = 11.0
    assert days_ahead(told(paths, kind=Kind.CPU).p50) == 3


@pytest.mark.parametrize(
    ("worst", "since"),
    [
        ([5.0, 9.0, 11.0, 12.0, 13.0], -3.0),
        ([11.0, 9.0, 11.0], -1.0),
        ([11.0, 12.0], -2.0),
        ([9.0, 10.0], -1.0),
    ],
)
def test_a_full_disk_says_since_when(worst: list[float], since: float) -> None:
    """The last run of full days."""
    assert days_ahead(exhausted_since(days(worst), Limit.of(10.0), Kind.DISK)) == since


def test_a_disk_that_was_cleaned_is_not_full() -> None:
    """Though it was this morning."""
    assert exhausted_since(days([11.0, 11.0, 3.0]), Limit.of(10.0), Kind.DISK) is None
    values = np.r_[np.full(40, 11.0), np.full(8, 3.0)]
    cleaned = days_of(hours(values), Kind.DISK, NOW)
    assert exhausted_since(cleaned, Limit.of(10.0), Kind.DISK) is None


def test_a_limit_that_was_raised_above_what_is_used_ended_it() -> None:
    """And one that was lowered began it."""
    full = days([9.0] * 6)
    raised = Limit(steps=((0, 8.0), (NOW - 2 * DAY_MS, 12.0)))
    lowered = Limit(steps=((0, 12.0), (NOW - 2 * DAY_MS, 8.0)))
    assert exhausted_since(full, raised, Kind.DISK) is None
    assert days_ahead(exhausted_since(full, lowered, Kind.DISK)) == -2


def test_cpu_is_exhausted_while_two_days_of_seven_are_full() -> None:
    """Weekends between do not end it."""
    week = [11.0, 11.0, 11.0, 11.0, 11.0, 3.0, 3.0]
    busy = days([2.0] * 7 + week * 3, Kind.CPU)
    assert days_ahead(exhausted_since(busy, Limit.of(10.0), Kind.CPU)) == -21
    once = days([2.0] * 10 + [11.0, 2.0], Kind.CPU)
    assert exhausted_since(once, Limit.of(10.0), Kind.CPU) is None
    over = days(week + [2.0] * 7, Kind.CPU)
    assert exhausted_since(over, Limit.of(10.0), Kind.CPU) is None


def test_nothing_that_is_known_is_not_exhausted() -> None:
    """Nor a series that is empty."""
    for kind in (Kind.DISK, Kind.CPU):
        assert exhausted_since(days([], kind), Limit.of(10.0), kind) is None
