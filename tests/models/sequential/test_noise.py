"""What the history of healthy units teaches: how they differ, how they waver."""

from __future__ import annotations

import numpy as np
import pytest

from models.sequential.likelihood import poisson
from models.sequential.noise import (
    COUNT_TAU,
    SCALE_TAU,
    arm_posterior,
    learn_from_grid,
    learn_from_modes,
    parabola,
)
from models.sequential.rows import ROWS, RowName

GRID = ROWS[RowName.ERROR].grid


def modes(tau: float, sigma: float, units: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Block estimates of units that differ by `tau` and waver by `sigma`."""
    rng = np.random.default_rng(seed)
    unit = rng.normal(0, tau, (units, 1))
    variance = np.full((units, 24), 0.002**2)
    return unit + rng.normal(0, sigma, (units, 24)) + rng.normal(0, 0.002, (units, 24)), variance


@pytest.mark.parametrize("tau", [0.01, 0.03, 0.08])
def test_unit_sd_is_recovered(tau: float) -> None:
    """With ten units the posterior mean is within a factor of two, on average over draws."""
    found = [learn_from_modes(*modes(tau, 0.01, 10, seed), 0.006).tau for seed in range(20)]
    assert 0.5 * tau < np.mean(found) < 2.2 * tau


def test_wavering_units_have_a_larger_sigma() -> None:
    """Scrape noise is told from differences between units."""
    calm = learn_from_modes(*modes(0.02, 0.004, 8, 1), 0.001)
    restless = learn_from_modes(*modes(0.02, 0.05, 8, 1), 0.001)
    assert restless.sigma > 3 * calm.sigma


def test_one_unit_teaches_nothing() -> None:
    """A lone stable pod leaves the prior."""
    noise = learn_from_modes(*modes(0.1, 0.1, 1, 1), 0.006)
    np.testing.assert_allclose(noise.rho, SCALE_TAU[1] / SCALE_TAU[1].sum())


def counts(tau: float, units: int, seed: int) -> np.ndarray:
    """Log-likelihoods of 5-minute blocks of 6,000 requests at 1 % errors."""
    rng = np.random.default_rng(seed)
    rate = 0.01 * np.exp(rng.normal(0, tau, (units, 1))) * np.ones((units, 24))
    n = np.full((units, 24), 6000.0)
    x = rng.poisson(n * rate).astype(float)
    others = (x.sum(axis=0) - x) / (n.sum(axis=0) - n)
    return poisson(n, x, others, np.ones_like(n), GRID)


def test_count_noise_tells_like_from_unlike() -> None:
    """Units that differ by a third in errors are seen to."""
    alike = np.mean([learn_from_grid(counts(0.01, 8, s), GRID).tau for s in range(5)])
    unlike = np.mean([learn_from_grid(counts(0.35, 8, s), GRID).tau for s in range(5)])
    assert alike < 0.1
    assert unlike > 0.2


def test_empty_history_is_the_prior() -> None:
    """No data: what is assumed of any service."""
    noise = learn_from_grid(np.zeros((5, 24, len(GRID.theta))), GRID)
    np.testing.assert_allclose(noise.rho, COUNT_TAU[1] / COUNT_TAU[1].sum())


def test_floor_scales_the_noise() -> None:
    """Effects relative to a raised rate are smaller, never below the floors."""
    noise = learn_from_grid(counts(0.2, 6, 3), GRID)
    half = noise.scaled(0.5)
    assert half.tau < noise.tau
    assert half.tau_grid.min() >= 0.02
    assert noise.scaled(0.01).sigma == pytest.approx(0.25 * noise.sigma)


def test_parabola_finds_mode_and_width() -> None:
    """A normal log-likelihood is read back exactly."""
    grid = ROWS[RowName.LATENCY].grid
    log_l = -0.5 * ((grid.theta - 0.113) / 0.03) ** 2
    mode, variance = parabola(log_l[None], grid)
    assert mode[0] == pytest.approx(0.113, abs=1e-9)
    assert variance[0] == pytest.approx(0.03**2, rel=1e-9)


def test_flat_likelihood_has_no_mode() -> None:
    """A block without requests is no estimate."""
    grid = ROWS[RowName.LATENCY].grid
    _, variance = parabola(np.zeros((1, len(grid.theta))), grid)
    assert np.isinf(variance[0])


def test_arm_effect_needs_many_contrasts() -> None:
    """A handful of placebos keeps the default."""
    few = arm_posterior(np.full(10, 0.2), np.full(10, 1e-4), np.arange(10.0), 0.02)
    assert few == 0.02


@pytest.mark.parametrize(("sd", "low", "high"), [(0.004, 0.0, 0.012), (0.05, 0.04, 0.08)])
def test_arm_effect_is_learned(sd: float, low: float, high: float) -> None:
    """Placebos that scatter more than units explain raise it; calm ones lower it."""
    rng = np.random.default_rng(5)
    estimates = rng.normal(0, np.hypot(sd, 0.003), 120)
    learned = arm_posterior(estimates, np.full(120, 0.003**2), np.arange(120.0), 0.02)
    assert low < learned < high
