"""Local linear trends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.growth.trends import Trends, drawn, fitted
from tests.profiles import HEAVY

DAY = np.arange(60)


def line(slope: float = 1.0, noise: float = 2.0, seed: int = 5) -> np.ndarray:
    """A hundred and so much a day."""
    made: np.ndarray = 100 + slope * DAY + np.random.default_rng(seed).normal(0, noise, 60)
    return made


def ahead(trends: Trends, days: int = 40) -> tuple[float, float, float]:
    """The tenth, half and nine tenths of futures on the last of so many days."""
    last = drawn(trends, days, 2000, np.random.default_rng(1))[:, -1]
    low, middle, high = np.quantile(last, (0.1, 0.5, 0.9))
    return float(low), float(middle), float(high)


def test_a_line_goes_on() -> None:
    """In forty days it is at two hundred, give or take."""
    low, middle, high = ahead(fitted(line()))
    assert middle == pytest.approx(199, abs=4)
    assert low < 199 < high
    assert high - low < 25


def test_what_is_known_better_is_told_more_narrowly() -> None:
    """Less noise, or more days."""
    wide = ahead(fitted(line(noise=4.0)))
    narrow = ahead(fitted(line(noise=1.0)))
    short = ahead(fitted(line(noise=4.0)[-25:]))
    assert narrow[2] - narrow[0] < wide[2] - wide[0] < short[2] - short[0]


def test_a_slope_that_changed_is_followed() -> None:
    """The last three weeks count."""
    values = line(slope=0.0, noise=0.5) + 2.0 * np.maximum(DAY - 38, 0)
    assert ahead(fitted(values))[1] == pytest.approx(values[-1] + 80, abs=20)


def test_a_jump_that_is_told_is_no_slope() -> None:
    """One that is not told is."""
    values = line(slope=0.0, noise=1.0) + 40.0 * (DAY >= 40)
    told, untold = fitted(values, (40,)), fitted(values)
    low, middle, high = ahead(told)
    assert middle == pytest.approx(140, abs=4)
    assert high - low < ahead(untold)[2] - ahead(untold)[0]


def test_a_random_walk_is_not_taken_for_a_trend() -> None:
    """Its futures go as far as walks do."""
    walk = 100 + np.cumsum(np.random.default_rng(3).normal(0, 1, 200))
    low, middle, high = ahead(fitted(walk))
    assert high - low > 10
    assert middle == pytest.approx(walk[-1], abs=8)


def test_missing_days_make_it_less_sure() -> None:
    """Of the last fortnight above all."""
    values = line()
    values[-14:-2] = np.nan
    gap, whole = ahead(fitted(values)), ahead(fitted(line()))
    assert gap[2] - gap[0] > 0.9 * (whole[2] - whole[0])
    assert gap[1] == pytest.approx(199, abs=8)


def test_evidence_tells_what_describes_a_series() -> None:
    """Growth that compounds is a line in its logarithm."""
    values = 100 * np.exp(0.02 * DAY) * np.exp(np.random.default_rng(6).normal(0, 0.01, 60))
    logs = fitted(np.log(values))
    assert logs.evidence - float(np.log(values[logs.judged]).sum()) > fitted(values).evidence


def test_noise_by_the_level_is_evidence_for_it() -> None:
    """Where the later half is noisier."""
    values = line(slope=0.0, noise=0.5)
    values[30:] += np.random.default_rng(9).normal(0, 5, 30)
    sizes = np.where(DAY < 30, 0.1, 1.0)
    assert fitted(values, (), sizes).evidence > fitted(values).evidence


def test_a_constant_stays() -> None:
    """To a hair."""
    low, middle, high = ahead(fitted(np.full(60, 7.0)))
    assert (low, middle, high) == pytest.approx((7, 7, 7), abs=1e-3)
    assert ahead(fitted(np.zeros(60))) == pytest.approx((0, 0, 0), abs=1e-3)


def test_three_values_are_too_few() -> None:
    """Four are not."""
    values = np.full(30, np.nan)
    values[[3, 9, 20]] = 1.0
    with pytest.raises(ValueError, match="3 known values: at least 4"):
        fitted(values)


@settings(max_examples=8)
@given(times=st.floats(1e-6, 1e9), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 50))
def test_futures_go_with_the_unit(times: float, shift: float, seed: int) -> None:
    """Bytes or GiB: the same futures, but for what a slope is usually of a level."""
    values = line(seed=seed)
    one = drawn(fitted(values), 10, 50, np.random.default_rng(0))
    other = drawn(fitted(times * values), 10, 50, np.random.default_rng(0))
    assert other == pytest.approx(times * one, rel=1e-6)
    moved = drawn(fitted(values + shift), 10, 400, np.random.default_rng(0))
    assert np.isfinite(moved).all()


@HEAVY
@given(seed=st.integers(0, 50), slope=st.floats(-3, 3), noise=st.floats(0, 5))
def test_weights_are_shares_and_covariances_are_positive(
    seed: int, slope: float, noise: float
) -> None:
    """Whatever was seen."""
    trends = fitted(line(slope, noise, seed))
    assert trends.weights.sum() == pytest.approx(1)
    assert trends.weights.min() >= 0
    sizes = np.linalg.eigvalsh(np.moveaxis(trends.covariance, 2, 0))
    assert sizes.min() > -1e-6
