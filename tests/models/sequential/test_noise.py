"""What the history of healthy units teaches: how they differ, how they waver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.likelihood import poisson
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
from tests.profiles import HEAVY

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


# -- laws of what is learned

LATENCY_GRID = ROWS[RowName.LATENCY].grid
SEEDS = st.integers(0, 1000)


def drawn(seed: int, units: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Units that differ by .05 and waver by .01."""
    return modes(0.05, 0.01, units, seed)


def assert_same(one: Noise, other: Noise) -> None:
    np.testing.assert_allclose(other.rho, one.rho, rtol=1e-6, atol=1e-12)
    assert other.sigma == pytest.approx(one.sigma, rel=1e-6)


@given(st.integers(1, 12), st.integers(1, 30), st.floats(0, 0.5), SEEDS)
def test_what_is_learned_is_a_distribution(
    units: int, blocks: int, spread: float, seed: int
) -> None:
    """Weights of tau sum to one and sigma is one of those thought possible, whatever was seen."""
    rng = np.random.default_rng(seed)
    mode = rng.normal(0, spread, (units, blocks))
    noise = learn_from_modes(mode, np.full((units, blocks), 1e-4), 0.001)
    assert noise.rho.sum() == pytest.approx(1.0)
    assert (noise.rho >= 0).all()
    assert 0.01 - 1e-12 <= noise.tau <= 0.2 + 1e-12
    assert 0.001 <= noise.sigma <= 0.1 + 1e-12


@HEAVY
@given(SEEDS, st.floats(-50.0, 50.0))
def test_a_constant_added_to_all_pods_teaches_nothing(seed: int, constant: float) -> None:
    """Likelihoods have no unit: only how one effect compares with another counts."""
    log_l = counts(0.2, 4, seed)
    assert_same(learn_from_grid(log_l, GRID), learn_from_grid(log_l + constant, GRID))


@given(SEEDS, st.floats(1.0, 6.0))
def test_pods_that_differ_more_teach_a_larger_tau(seed: int, factor: float) -> None:
    """The more healthy pods differ, the more a canary pod may; never the other way round."""
    mode, variance = drawn(seed)
    centre = mode.mean(axis=1, keepdims=True)
    wider = mode + (factor - 1) * centre
    assert learn_from_modes(wider, variance, 0.0).tau >= (
        learn_from_modes(mode, variance, 0.0).tau - 1e-9
    )


@given(SEEDS)
def test_faster_teaches_what_slower_teaches(seed: int) -> None:
    """Spread has no direction: a pod that is as much faster is as unlike the others."""
    mode, variance = drawn(seed)
    assert_same(learn_from_modes(mode, variance, 0.0), learn_from_modes(-mode, variance, 0.0))


@given(SEEDS, st.permutations(range(5)), st.permutations(range(24)))
def test_neither_pods_nor_blocks_have_an_order(
    seed: int, pods: list[int], blocks: list[int]
) -> None:
    """A source may list its pods in any order, and history has no preferred hour."""
    mode, variance = drawn(seed)
    assert_same(
        learn_from_modes(mode, variance, 0.0),
        learn_from_modes(mode[pods][:, blocks], variance[pods][:, blocks], 0.0),
    )


@given(SEEDS, st.integers(1, 10), st.floats(-9.0, 9.0))
def test_blocks_without_requests_teach_nothing(seed: int, blocks: int, junk: float) -> None:
    """A quiet night between two busy evenings is no evidence of steady pods."""
    mode, variance = drawn(seed)
    padded = np.hstack([mode, np.full((5, blocks), junk)])
    unknown = np.hstack([variance, np.full((5, blocks), np.inf)])
    one, other = learn_from_modes(mode, variance, 0.0), learn_from_modes(padded, unknown, 0.0)
    np.testing.assert_allclose(other.rho, one.rho, atol=1e-6)


@HEAVY
@given(SEEDS, st.integers(1, 6))
def test_blocks_without_counts_teach_nothing(seed: int, blocks: int) -> None:
    """Rows of zeros are no data, also on the grid."""
    log_l = counts(0.2, 3, seed)
    padded = np.concatenate([log_l, np.zeros((3, blocks, log_l.shape[2]))], axis=1)
    one, other = learn_from_grid(log_l, GRID), learn_from_grid(padded, GRID)
    np.testing.assert_allclose(other.rho, one.rho, atol=0.05)


def test_more_history_makes_surer() -> None:
    """After a day the weights lie closer together than after half an hour."""
    rng = np.random.default_rng(8)
    unit = rng.normal(0, 0.04, (12, 1))

    def entropy(units: int) -> float:
        mode = unit[:units] + rng.normal(0, 0.01, (units, 24))
        rho = learn_from_modes(mode, np.full(mode.shape, 4e-6), 0.0).rho
        return float(-(rho * np.log(np.maximum(rho, 1e-300))).sum())

    assert entropy(12) < entropy(2)


@given(st.floats(0.0, 1.0))
def test_a_floor_holds(floor: float) -> None:
    """Whatever history says, a scrape is never believed to be more exact than can be."""
    mode, variance = modes(0.02, 0.0, 6, 3)
    assert learn_from_modes(mode, variance, floor).sigma >= floor


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_smaller_share_of_the_rate_never_widens(one: float, other: float) -> None:
    """Of a rate that is mostly floor less can differ; both scales have an end."""
    noise = learn_from_grid(counts(0.2, 4, 2), GRID)
    small, large = (noise.scaled(r) for r in sorted((one, other)))
    assert 0.02 <= small.tau <= large.tau + 1e-12
    assert 0.25 * noise.sigma <= small.sigma <= large.sigma + 1e-12


@given(st.floats(-0.35, 1.1), st.floats(0.02, 0.2), st.floats(-1e3, 1e3))
def test_a_parabola_is_read_wherever_it_lies(mode: float, sd: float, constant: float) -> None:
    """Between the grid's points, at any height."""
    log_l = constant - 0.5 * ((LATENCY_GRID.theta - mode) / sd) ** 2
    found, variance = parabola(log_l[None], LATENCY_GRID)
    assert found[0] == pytest.approx(mode, abs=1e-6)
    assert variance[0] == pytest.approx(sd**2, rel=1e-4)


PLACEBOS = st.integers(0, 500).map(
    lambda seed: np.random.default_rng(seed).normal(0, 0.03, 60).astype(np.float64)
)


def arm(estimates: np.ndarray, default: float = 0.02, sd: float = 0.01) -> float:
    variances = np.full(len(estimates), sd**2)
    return arm_posterior(estimates, variances, np.arange(float(len(estimates))), default)


@given(PLACEBOS, st.floats(0.1, 10.0))
def test_the_arm_effect_has_the_unit_of_its_placebos(estimates: np.ndarray, unit: float) -> None:
    """Twice the scatter around twice the default is twice the effect."""
    scaled = arm(estimates * unit, 0.02 * unit, 0.01 * unit)
    assert scaled == pytest.approx(unit * arm(estimates))


@given(PLACEBOS, st.floats(1.0, 5.0))
def test_wilder_placebos_never_lower_the_arm_effect(estimates: np.ndarray, factor: float) -> None:
    """Healthy canaries that scatter more demand more of a bad one."""
    assert arm(estimates * factor) >= arm(estimates) - 1e-12
    assert arm(-estimates) == pytest.approx(arm(estimates))
    assert 0.005 <= arm(estimates) <= 0.08


def test_many_placebos_of_few_moments_keep_the_default() -> None:
    """Sixty contrasts of one evening are one evening."""
    estimates = np.full(60, 0.5)
    same = arm_posterior(estimates, np.full(60, 1e-4), np.arange(60.0) % 9, 0.02)
    apart = arm_posterior(estimates, np.full(60, 1e-4), np.arange(60.0) % 10, 0.02)
    assert (same, apart > 0.05) == (0.02, True)


@given(st.permutations(range(24)))
def test_the_order_of_blocks_teaches_nothing(order: list[int]) -> None:
    """Blocks are multiplied a few at a time: which ones must not matter."""
    log_l = counts(0.1, 4, 2)
    one, other = learn_from_grid(log_l, GRID), learn_from_grid(log_l[:, order], GRID)
    np.testing.assert_allclose(other.rho, one.rho, rtol=1e-9)
    assert other.sigma == pytest.approx(one.sigma, rel=1e-9)


@pytest.mark.parametrize("blocks", [1, 10, 11, 288])
def test_blocks_that_contradict_each_other_leave_numbers(blocks: int) -> None:
    """A day in which every block rules out every other must not end in a logarithm of nothing."""
    sharp = np.full((3, blocks, len(GRID.theta)), -1e6)
    sharp[:, np.arange(blocks), np.arange(blocks) % len(GRID.theta)] = 0.0
    noise = learn_from_grid(sharp, GRID)
    assert np.isfinite(noise.rho).all()
    assert noise.rho.sum() == pytest.approx(1.0)
    assert 0.0 < noise.sigma <= 0.6


@pytest.mark.parametrize("name", [RowName.ERROR, RowName.TAIL95, RowName.TAIL99])
def test_noise_is_that_of_the_written_formula(name: RowName) -> None:
    """All widths in one product: sums of normals over the grid, block by block, unit by unit."""
    grid = ROWS[name].grid
    rng = np.random.default_rng(6)
    centre = rng.normal(0, 0.2, (3, 13, 1))
    log_l = np.maximum(-0.5 * ((grid.theta - centre) / 0.15) ** 2, -200.0)
    f, theta = np.sqrt(1.5), grid.theta

    def mass(sd: float) -> np.ndarray:
        normal = np.exp(-0.5 * ((theta[:, None] - theta) / max(sd, 0.3 * grid.h)) ** 2)
        return np.asarray(normal / normal.sum(axis=1, keepdims=True))

    joint = np.zeros((6, 6))
    for i, sigma in enumerate((0.02, 0.05, 0.1, 0.2, 0.35, 0.6)):
        kernel = 0.95 * mass(sigma * f) + 0.05 * mass(4 * sigma * f)
        unit = np.exp(np.log(np.exp(log_l) @ kernel.T).sum(axis=1))
        for k, tau in enumerate(COUNT_TAU[0]):
            log_z = np.log(unit @ mass(tau * f)[grid.zero]).sum()
            joint[i, k] = log_z * 2 / 3 + np.log(COUNT_TAU[1][k]) - 0.9 * np.log(sigma)
    weight = np.exp(joint - joint.max())
    rho = weight.sum(axis=0) / weight.sum()
    np.testing.assert_allclose(learn_from_grid(log_l, grid).rho, rho, rtol=1e-6)
