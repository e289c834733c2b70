"""What history teaches: noise of units and of arms, however the history was cut or ordered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.noise import (
    COUNT_TAU,
    SCALE_TAU,
    Noise,
    arm_posterior,
    learn_from_grid,
    learn_from_modes,
    parabola,
)
from models.sequential.rows import ROWS, RowName

LATENCY, ERROR = ROWS[RowName.LATENCY], ROWS[RowName.ERROR]
UNITS, BLOCKS = 6, 24


def history(tau: float, sigma: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Modes of blocks and their variances."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, tau, (UNITS, 1))
    mode = own + rng.normal(0, sigma, (UNITS, BLOCKS)) + rng.normal(0, 0.01, (UNITS, BLOCKS))
    return mode, np.full((UNITS, BLOCKS), 1e-4)


def check(noise: Noise, taus: np.ndarray) -> None:
    """A posterior is a distribution over what was thought possible."""
    assert noise.rho.sum() == pytest.approx(1.0)
    assert (noise.rho >= 0).all()
    assert taus.min() <= noise.tau <= taus.max()


@given(st.permutations(range(UNITS)), st.permutations(range(BLOCKS)))
def test_history_has_no_order(units: list[int], blocks: list[int]) -> None:
    """Names of pods and order of blocks teach nothing."""
    mode, variance = history(0.05, 0.02)
    one = learn_from_modes(mode, variance, 0.006)
    other = learn_from_modes(mode[units][:, blocks], variance, 0.006)
    assert other.rho == pytest.approx(one.rho, abs=1e-9)
    assert other.sigma == pytest.approx(one.sigma)
    check(one, SCALE_TAU[0])


@given(st.integers(0, 50))
def test_unlike_units_are_learned_to_be_unlike(seed: int) -> None:
    """Where stable pods differ by a fifth, a canary pod that does is no news."""
    like, unlike = (learn_from_modes(*history(tau, 0.01, seed), 0.006) for tau in (0.01, 0.2))
    assert unlike.tau > 2 * like.tau


@given(st.integers(0, 50))
def test_wavering_units_are_learned_to_waver(seed: int) -> None:
    """Five minutes of a pod that swings hourly are not believed to the last digit."""
    calm, wild = (learn_from_modes(*history(0.02, sigma, seed), 0.006) for sigma in (0.005, 0.1))
    assert wild.sigma > 2 * calm.sigma


@pytest.mark.parametrize("holes", [0.0, 0.5, 0.9])
def test_blocks_without_data_teach_nothing(holes: float) -> None:
    """A gap is no calm: what stands where nothing was measured is not looked at."""
    mode, variance = history(0.05, 0.02)
    gone = np.random.default_rng(1).random(mode.shape) < holes
    variance = np.where(gone, np.inf, variance)
    one, other = (
        learn_from_modes(np.where(gone, filler, mode), variance, 0.006) for filler in (0.0, 9.0)
    )
    assert other.rho == pytest.approx(one.rho)
    assert other.sigma == pytest.approx(one.sigma)


def test_the_floor_holds_whatever_was_learned() -> None:
    """A perfectly calm history does not make a needle of the likelihood."""
    mode = np.zeros((UNITS, BLOCKS))
    assert learn_from_modes(mode, np.full(mode.shape, 1e-8), 0.05).sigma == 0.05


@pytest.mark.parametrize(
    ("mode", "variance"),
    [
        pytest.param(np.zeros((1, 9)), np.ones((1, 9)), id="one unit"),
        pytest.param(np.zeros((3, 9)), np.full((3, 9), np.inf), id="no data"),
    ],
)
def test_too_little_history_is_the_prior(mode: np.ndarray, variance: np.ndarray) -> None:
    """A first release is judged by what services are like, not by nothing."""
    noise = learn_from_modes(mode, variance, 0.006)
    _taus, weight = SCALE_TAU
    assert noise.rho == pytest.approx(weight / weight.sum())
    assert noise.sigma == 0.03


@given(st.floats(-0.3, 1.0), st.floats(0.03, 0.2), st.floats(-1e4, 1e4))
def test_a_parabola_is_read_exactly(mode: float, sd: float, top: float) -> None:
    """Mode and variance of a normal likelihood, between grid points too, whatever its height."""
    theta = LATENCY.grid.theta
    found, variance = parabola(top - 0.5 * ((theta - mode) / sd) ** 2, LATENCY.grid)
    assert float(found) == pytest.approx(mode, abs=1e-5)
    assert float(variance) == pytest.approx(sd**2, rel=1e-3)


@given(st.integers(0, 30))
def test_counts_are_learned_in_any_order(seed: int) -> None:
    """Error counts of pods: the same noise whichever pod comes first."""
    rng = np.random.default_rng(seed)
    theta = ERROR.grid.theta
    own = rng.normal(0, 0.3, (4, 1))
    modes = own + rng.normal(0, 0.1, (4, 8))
    log_l = -0.5 * ((theta - modes[..., None]) / 0.2) ** 2
    one, other = learn_from_grid(log_l, ERROR.grid), learn_from_grid(log_l[::-1], ERROR.grid)
    assert other.rho == pytest.approx(one.rho)
    check(one, COUNT_TAU[0])


contrasts = st.floats(0.01, 0.1)


@given(contrasts, st.integers(0, 20))
def test_arms_that_differ_in_health_are_learned(default: float, seed: int) -> None:
    """What placebo canaries show without any change is no harm of the next real one."""
    rng = np.random.default_rng(seed)
    variances, times = np.full(60, 1e-6), np.arange(60.0)
    small, large = (
        arm_posterior(rng.normal(0, sd, 60), variances, times, default)
        for sd in (0.5 * default, 2.5 * default)
    )
    assert small < default < large
    assert 0.25 * default <= small
    assert large <= 4.0 * default


@pytest.mark.parametrize(("contrasts", "times"), [(29, 29), (60, 9)])
def test_few_contrasts_keep_the_default(contrasts: int, times: int) -> None:
    """Sixty contrasts of one bad hour are one contrast."""
    at = np.arange(contrasts, dtype=np.float64) % times
    estimates = np.full(contrasts, 0.5)
    assert arm_posterior(estimates, np.full(contrasts, 1e-6), at, 0.02) == 0.02
