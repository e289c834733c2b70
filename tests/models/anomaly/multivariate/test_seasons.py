"""What is usual at an hour, and how far rows are from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.multivariate.seasons import CAP, UNHEARD, departures, expected, learn_usual
from tests.models.anomaly.multivariate.servers import DAY, FIRST, STEP_S, server
from tests.profiles import HEAVY

WEEK = 7 * DAY


def test_the_course_of_a_day_is_no_departure() -> None:
    """A detector that does not know the hour calls every noon odd."""
    x = server(5 * DAY)
    z = departures(learn_usual(x, FIRST, STEP_S), x, FIRST)
    flat = x[:, 0] - x[:, 0].mean()
    assert z[:, 0].std() == pytest.approx(1.0, abs=0.05)
    by_hour = z[: 4 * DAY, 0].reshape(4, DAY).mean(axis=0)
    assert np.abs(by_hour).max() < 1.6
    assert np.abs((flat / flat.std())[: 4 * DAY].reshape(4, DAY).mean(axis=0)).max() > 1.2


@given(later=st.integers(0, 3 * WEEK))
@HEAVY
def test_the_hour_is_known_at_whatever_row_one_asks(later: int) -> None:
    """A model that is fitted at night and asked at noon must know that it is noon."""
    usual = learn_usual(server(5 * DAY), FIRST, STEP_S)
    day_later = expected(usual, FIRST + later + DAY, 10)
    assert np.allclose(expected(usual, FIRST + later, 10), day_later)
    assert np.array_equal(expected(usual, later, 10)[3:], expected(usual, later + 3, 7))


def test_a_quiet_weekend_is_learned_from_three_weeks() -> None:
    """Who learned only the day would be woken every Saturday."""
    at = np.arange(4 * WEEK)
    busy = np.where((at // DAY) % 7 < 5, 10.0, 2.0)
    x = (busy + np.random.default_rng(2).normal(0, 0.5, len(at)))[:, None]
    usual = learn_usual(x, 0, STEP_S)
    assert len(usual.week) == WEEK
    assert not usual.day.any()
    z = np.abs(departures(usual, x, 0)[:, 0])
    weekend = (at // DAY) % 7 >= 5
    assert z[weekend].mean() < 1.2
    assert (z > 4).mean() < 0.02


def test_without_three_whole_days_no_hour_is_known() -> None:
    """A profile of one day would be the noise of that day."""
    usual = learn_usual(server(2 * DAY), FIRST, STEP_S)
    assert usual.day.shape == usual.week.shape == (1, 5)
    assert not usual.day.any()


def test_noise_without_an_hour_gets_no_profile() -> None:
    """A profile of noise adds noise."""
    x = np.random.default_rng(5).normal(size=(5 * DAY, 3))
    assert not learn_usual(x, 0, STEP_S).day.any()


def test_a_step_that_does_not_divide_the_day_has_no_profile() -> None:
    """Rows of seven minutes never come back to the same time of day; they can still be judged."""
    x = server(1500)
    usual = learn_usual(x, 0, 431.7)
    assert len(usual.day) == 1
    assert np.isfinite(departures(usual, x, 0)).all()


def test_a_metric_that_never_moved_is_unheard_of_when_it_does() -> None:
    """The first error of a service without errors counts, whatever its unit; rounding does not."""
    usual = learn_usual(server(5 * DAY), FIRST, STEP_S)
    rows = np.tile(expected(usual, FIRST, 1), (3, 1))
    rows[1, -1] += 0.5
    rows[2, -1] += 1e-12
    z = departures(usual, rows, FIRST)
    assert z[:, -1].tolist() == [0.0, UNHEARD, 0.0]


def test_missing_values_are_as_usual() -> None:
    """A scrape that failed is not an anomaly of the service."""
    x = server(5 * DAY)
    x[100:200, 0] = np.nan
    x[:, 1] = np.nan
    usual = learn_usual(x, FIRST, STEP_S)
    z = departures(usual, x, FIRST)
    assert not z[100:200, 0].any()
    assert not z[:, 1].any()
    assert np.isfinite(usual.centre).all()


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_departure_is_bounded(value: float) -> None:
    """One metric gone mad must not drown what all others say."""
    usual = learn_usual(server(3 * DAY), FIRST, STEP_S)
    z = departures(usual, np.full((1, 5), value), FIRST)
    assert (np.abs(z) <= CAP).all()


@given(scale=st.floats(1e-2, 1e6), shift=st.floats(-1e5, 1e5))
@HEAVY
def test_the_unit_of_a_metric_changes_nothing(scale: float, shift: float) -> None:
    """Bytes or gigabytes: the same is odd."""
    x = server(4 * DAY)[:, :3]
    z = departures(learn_usual(x, FIRST, STEP_S), x, FIRST)
    other = x * scale + shift
    assert np.allclose(departures(learn_usual(other, FIRST, STEP_S), other, FIRST), z, atol=1e-3)
