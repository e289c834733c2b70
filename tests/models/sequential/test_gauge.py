"""Gauges against load and age: a cost per request is found, and nothing is said of too little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.gauge import (
    Fit,
    affine_by_load,
    excess,
    gauge_likelihood,
    log_slopes,
    residual_variance,
)
from models.sequential.rows import ROWS, RowName

LOADS = np.array([10.0, 20.0, 40.0, 80.0, 100.0, 60.0])
BLOCK_S = 300.0


def fitted(load: np.ndarray, value: np.ndarray) -> Fit:
    fit = affine_by_load(load, value, BLOCK_S)
    assert fit is not None
    return fit


@given(st.floats(0.01, 2.0), st.floats(0.0, 0.1))
def test_a_fixed_cost_and_a_cost_per_request_are_found(fixed: float, each: float) -> None:
    """CPU that grows with traffic is the traffic's, not the release's."""
    fit = fitted(LOADS, fixed + each * LOADS)
    assert fit.slope == pytest.approx(each, rel=0.01, abs=1e-9)
    assert fit.predict(np.array([50.0])) == pytest.approx([fixed + 50 * each], rel=0.01)
    assert fit.sd < 0.01


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(1e-3, 1e4)), min_size=4, max_size=30))
def test_the_slope_is_never_absurd(blocks: list[tuple[float, float]]) -> None:
    """No load makes a pod cheaper, and no request costs more than all it used."""
    load, value = np.array(blocks).T
    fit = fitted(load, value)
    assert 0.0 <= fit.slope <= value.mean() / max(load.mean(), 1e-9) * (1 + 1e-9)
    assert (fit.predict(np.array([0.0, 1e6])) > 0).all()
    assert np.isfinite(fit.sd)


@pytest.mark.parametrize(("seconds", "slope"), [(1e6, 0.01), (300.0, 0.015), (1.0, 0.04)])
def test_counting_noise_of_the_load_is_taken_out(seconds: float, slope: float) -> None:
    """Few requests waver by chance, which flattens the line; at most four times is given back."""
    load = np.array([0.9, 1.1, 0.9, 1.1])
    fit = affine_by_load(load, 0.1 + 0.01 * load, seconds)
    assert fit is not None
    assert fit.slope == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("missing", [np.nan, 0.0, -1.0])
def test_too_few_blocks_are_no_reference(missing: float) -> None:
    """Three blocks draw any line; a gauge that is absent or zero is no block."""
    value = np.array([1.0, 2.0, 3.0, missing, missing, missing])
    assert affine_by_load(LOADS, value, BLOCK_S) is None
    assert affine_by_load(np.where(value > 0, LOADS, np.nan), np.ones(6), BLOCK_S) is None


@given(st.floats(1e-3, 1e3))
def test_units_of_a_gauge_do_not_matter(unit: float) -> None:
    """Cores or millicores: the excess is the same."""
    ours = 0.3 + 0.012 * LOADS
    one, other = (
        excess(fitted(LOADS, scale * (0.2 + 0.01 * LOADS)), LOADS[None], scale * ours[None])
        for scale in (1.0, unit)
    )
    assert one is not None
    assert other is not None
    assert other == pytest.approx(one, rel=1e-6, abs=1e-9)


def test_excess_is_in_log_units_with_its_error() -> None:
    """Half as much again at the same load is log 1.5, the surer the more blocks agree."""
    fit = Fit(mean=1.0, mean_load=50.0, slope=0.01, sd=0.1)
    value = 1.5 * fit.predict(LOADS)
    few, many = excess(fit, LOADS[None, :4], value[None, :4]), excess(fit, LOADS[None], value[None])
    assert few == pytest.approx((np.log(1.5), 0.05))
    assert many == pytest.approx((np.log(1.5), 0.1 / np.sqrt(6)))


def test_excess_of_nothing_is_nothing() -> None:
    """A canary without the gauge is not told to use nothing."""
    fit = Fit(mean=1.0, mean_load=50.0, slope=0.01, sd=0.1)
    assert excess(fit, LOADS[None], np.full((1, 6), np.nan)) is None
    assert excess(fit, LOADS[None], np.zeros((1, 6))) is None


def test_a_perfect_fit_is_not_beyond_doubt() -> None:
    """Rounding must not become certainty: the error has a floor."""
    found = excess(Fit(1.0, 50.0, 0.0, 0.0), LOADS[None], np.ones((1, 6)))
    assert found is not None
    assert found[1] == pytest.approx(1e-3 / np.sqrt(6))


@given(
    st.floats(-1e-3, 1e-3),
    st.floats(1e3, 1e9),
    st.lists(st.booleans(), min_size=20, max_size=20).filter(lambda kept: sum(kept) >= 4),
)
def test_growth_is_found_with_gaps(rate: float, level: float, kept: list[bool]) -> None:
    """A leak is a slope of the log; missing scrapes do not bend it."""
    times = np.arange(0.0, 300.0, 15.0, dtype=np.float64)
    value = np.where(kept, level * np.exp(rate * times), np.nan)
    assert log_slopes(value[None], times) == pytest.approx([rate], rel=1e-4, abs=1e-9)


def test_too_few_samples_have_no_slope() -> None:
    """Three points, or none above zero, are no trend; a neighbour's are his own."""
    times = np.arange(0.0, 75.0, 15.0, dtype=np.float64)
    some = np.array([[1, 2, 3, np.nan, np.nan], [0, 0, 0, 0, 0], [7.0, 7, 7, 7, 7]])
    slopes = log_slopes(some, times)
    assert np.isnan(slopes[:2]).all()
    assert slopes[2] == pytest.approx(0.0, abs=1e-15)


# -- evidence

GRID = ROWS[RowName.GAUGE].grid


@given(st.floats(-0.4, 1.2), st.floats(0.002, 0.5))
def test_the_likelihood_is_highest_at_what_was_seen(y: float, variance: float) -> None:
    """An excess of 30 % speaks for 30 %, and the less surely the more it varies."""
    log_l = gauge_likelihood(np.array([[y]]), variance, GRID)
    assert log_l.shape == (1, 1, len(GRID.theta))
    assert GRID.theta[log_l[0, 0].argmax()] == pytest.approx(y, abs=GRID.h / 2 + 1e-9)
    assert log_l[0, 0, GRID.zero] == pytest.approx(0.0)
    wider = gauge_likelihood(np.array([[y]]), 4 * variance, GRID)
    assert np.ptp(wider) <= np.ptp(log_l) + 1e-9


@pytest.mark.parametrize(
    ("y", "variance"),
    [(np.nan, 0.1), (0.3, np.inf), (0.3, np.nan), (np.inf, 0.1)],
    ids=["no value", "no knowledge", "no spread", "no number"],
)
def test_what_is_not_known_says_nothing(y: float, variance: float) -> None:
    """A pod whose gauge is missing speaks neither for it nor against it."""
    assert not gauge_likelihood(np.array([y]), np.array([variance]), GRID).any()


def test_one_bin_is_never_sharper_than_the_grid() -> None:
    """A gauge that never varies must not prove anything with one sample."""
    sharp = gauge_likelihood(np.array([0.5]), 1e-12, GRID)
    assert np.ptp(sharp) < 5000


@given(st.integers(0, 200), st.floats(0.01, 0.3))
def test_the_spread_of_a_bin_is_learned_around_each_unit(seed: int, sd: float) -> None:
    """Units that differ for good are no noise of a bin; their own wobble is."""
    rng = np.random.default_rng(seed)
    apart = rng.normal(0, 1.0, (5, 1))
    found = residual_variance(apart + rng.normal(0, sd, (5, 300)), 0.001)
    assert found == pytest.approx(sd**2 * 1.2, rel=0.35)


def test_a_gauge_without_history_has_the_least_spread() -> None:
    """Nothing known: what is assumed, and not zero."""
    assert residual_variance(np.full((3, 10), np.nan), 0.03) == pytest.approx(0.03**2 * 4 / 3)
