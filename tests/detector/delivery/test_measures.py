"""The four measures: each of what it counts, none where there is nothing, and bands that hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.delivery.deployments import Deployment, Failure, Mended
from detector.delivery.measures import (
    DAY_MS,
    DEFINITIONS,
    WEEK_MS,
    Band,
    Measures,
    measured,
    weekly,
)

T0, HOUR = 1_790_000_000_000, 3_600_000


def deployed(
    day: float, *, lead: float | None = None, mended: float | None = None, failed: bool = False
) -> Deployment:
    """A deployment after some days, with its lead time and how long it was wrong, in hours."""
    at = T0 + round(DAY_MS * day)
    end = None if mended is None else at + round(HOUR * mended)
    wrong = failed or mended is not None
    return Deployment(
        change=f"chg_{day}",
        service="cart",
        version="",
        at=at,
        lead_ms=None if lead is None else round(HOUR * lead),
        failures=(Failure.FAILED,) if wrong else (),
        mended=(Mended(what="inc_1", began=at, end=end),) if wrong else (),
    )


def over(days: float, *deployments: Deployment) -> Measures:
    """Of so many days."""
    return measured(deployments, T0, T0 + round(DAY_MS * days))


def test_nothing_is_no_number() -> None:
    """Zero would read as the worst, or as the best."""
    found = over(7)
    assert [one.value for one in (found.frequency, found.lead_time, found.failure_rate)] == [
        None, None, None,
    ]  # fmt: skip
    assert (found.restore_time.value, found.restore_time.band) == (None, None)


def test_each_is_counted_of_what_it_is_about() -> None:
    """Ten deployments, of which two failed and four have a merge."""
    found = over(
        10,
        *(deployed(n / 2, lead=n + 1) for n in range(4)),
        *(deployed(5 + n / 2) for n in range(4)),
        deployed(8, mended=2),
        deployed(9, failed=True),
    )
    assert (found.frequency.value, found.frequency.count) == (1.0, 10)
    assert (found.lead_time.value, found.lead_time.count) == (2.5 * HOUR, 4)
    assert (found.failure_rate.value, found.failure_rate.count) == (0.2, 10)
    assert (found.restore_time.value, found.restore_time.count) == (2.0 * HOUR, 1)


@pytest.mark.parametrize(
    ("a_week", "band"), [(14, Band.ELITE), (3, Band.HIGH), (0.5, Band.MEDIUM), (0.1, Band.LOW)]
)
def test_how_often_has_its_bands(a_week: float, band: Band) -> None:
    """Several a day, a day to a week, a week to a month, less."""
    days = 700
    every = [deployed(7 * n / a_week) for n in range(int(a_week * days / 7))]
    assert over(days, *every).frequency.band is band


@pytest.mark.parametrize(
    ("hours", "lead", "restore"),
    [
        (0.5, Band.ELITE, Band.ELITE),
        (5, Band.ELITE, Band.HIGH),
        (48, Band.HIGH, Band.MEDIUM),
        (24 * 10, Band.MEDIUM, Band.LOW),
        (24 * 60, Band.LOW, Band.LOW),
    ],
)
def test_times_have_theirs(hours: float, lead: Band, restore: Band) -> None:
    """An hour is long for a way back, and short for a way there."""
    found = over(7, deployed(1, lead=hours, mended=hours))
    assert (found.lead_time.band, found.restore_time.band) == (lead, restore)


@pytest.mark.parametrize(
    ("failed", "band"), [(1, Band.ELITE), (2, Band.HIGH), (4, Band.MEDIUM), (10, Band.LOW)]
)
def test_failing_has_its(failed: int, band: Band) -> None:
    """Of twenty."""
    every = [deployed(n / 10, failed=n < failed) for n in range(20)]
    assert over(7, *every).failure_rate.band is band


def test_every_measure_is_defined_in_words() -> None:
    """A number that nobody can explain is not believed."""
    assert list(DEFINITIONS) == ["frequency", "lead_time", "failure_rate", "restore_time"]


def test_a_time_without_length_is_refused() -> None:
    """It has no rate."""
    with pytest.raises(ValueError, match="ends after"):
        measured([], T0, T0)


MANY = st.lists(
    st.builds(
        deployed,
        st.floats(-5, 40),
        lead=st.one_of(st.none(), st.floats(0, 900)),
        mended=st.one_of(st.none(), st.floats(0, 200)),
        failed=st.booleans(),
    ),
    max_size=30,
)


@given(MANY, st.floats(0.5, 40))
def test_weeks_add_up_to_the_whole(deployments: list[Deployment], days: float) -> None:
    """Each deployment is in one of them, at the edges as well."""
    until = T0 + round(DAY_MS * days)
    weeks, whole = weekly(deployments, T0, until), measured(deployments, T0, until)
    assert sum(week.frequency.count for week in weeks) == whole.frequency.count
    assert sum(week.restore_time.count for week in weeks) == whole.restore_time.count
    assert [week.since for week in weeks] == [T0 + n * WEEK_MS for n in range(len(weeks))]
    assert weeks[-1].until == until


@given(MANY)
def test_measures_are_what_they_can_be(deployments: list[Deployment]) -> None:
    """A share is one, and no time is negative."""
    found = over(30, *deployments)
    rate = found.failure_rate.value
    assert rate is None or 0 <= rate <= 1
    for one in (found.lead_time, found.restore_time):
        assert one.value is None or one.value >= 0
        assert (one.value is None) is (one.count == 0) is (one.band is None)
