"""How units differ in health: every reference unit takes the treated one's place in history.

Section 4 of the method. `tau` is the sd between units, `sigma` the sd of one unit's five-minute
blocks around its own mean beyond counting noise, both in log units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import normal_mass
from models.sequential.rows import Grid

__all__ = [
    "COUNT_TAU",
    "SCALE_TAU",
    "Noise",
    "arm_posterior",
    "learn_from_grid",
    "learn_from_modes",
    "parabola",
]

Array = NDArray[np.float64]

COUNT_TAU = (np.array([0.03, 0.08, 0.15, 0.25, 0.4, 0.6]), np.array([2, 2, 2, 1, 0.18, 0.02]))
SCALE_TAU = (
    np.array([0.01, 0.02, 0.035, 0.055, 0.08, 0.12, 0.2]),
    np.array([1, 2, 2, 1, 0.3, 0.06, 0.005]),
)
_COUNT_SIGMA = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.6])
_SCALE_SIGMA = np.array([0.003, 0.007, 0.012, 0.02, 0.035, 0.06, 0.1])
_SIGMA_SLOPE = -0.9
_DEGREES = 4.0
_ARM_GRID = np.array([0.25, 0.5, 1.0, 1.5, 2.5, 4.0])
_ARM_PRIOR = np.array([0.05, 0.1, 0.5, 0.2, 0.1, 0.05])
# What a block says at least of any effect.
_LEAST = 1e-30
# Fewer contrasts than these say less than the default does.
_ARM_CONTRASTS, _ARM_TIMES = 30, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Posterior of tau as weights `rho` over `tau_grid`; `sigma` its posterior mean."""

    tau_grid: Array
    rho: Array
    sigma: float

    @property
    def tau(self) -> float:
        """Posterior mean of tau."""
        return float(self.rho @ self.tau_grid)

    def scaled(self, r: float) -> Noise:
        """For effects relative to a rate raised by a floor: tau >= .02, sigma x r >= .25."""
        return Noise(
            tau_grid=np.maximum(self.tau_grid * r, 0.02),
            rho=self.rho,
            sigma=self.sigma * max(r, 0.25),
        )


def prior_noise(tau: tuple[Array, Array], sigma: float) -> Noise:
    """What is assumed without any history."""
    grid, weight = tau
    return Noise(tau_grid=grid, rho=weight / weight.sum(), sigma=sigma)


def learn_from_grid(log_l: Array, grid: Grid) -> Noise:
    """From log-likelihoods on the grid, shape (units, blocks, J), for counts.

    A block without data is a row of zeros. Fewer than two units give the prior.
    """
    units = log_l.shape[0]
    if units < 2 or not log_l.any():
        return prior_noise(COUNT_TAU, 0.1)
    f = np.sqrt(1 + 1 / (units - 1))
    tau_grid, _ = COUNT_TAU
    log_z = _log_z(_log_units(log_l, grid, _COUNT_SIGMA * f), grid, tau_grid * f)
    return _posterior(log_z * (units - 1) / units, COUNT_TAU, _COUNT_SIGMA)


def _log_units(log_l: Array, grid: Grid, sigmas: Array) -> Array:
    """Log-likelihood of each unit's own effect for each sigma: (units, S, J)."""
    units, blocks, points = log_l.shape
    top = log_l.max(axis=-1, keepdims=True)
    # Beside the floor below e^-300 is nothing, and denormal products are dear.
    mass = np.exp(np.maximum(log_l - top, -300.0)).reshape(-1, points)
    each = mass @ _block_kernels(grid, sigmas).reshape(points, -1) + _LEAST
    logs = _log_product(each.reshape(units, blocks, len(sigmas), points))
    logs += top.sum(axis=1)[:, None]
    return logs


def _log_product(mass: Array) -> Array:
    """Log of the product over the second axis.

    Ten factors of 1e-30 or more are still a number, and a logarithm is as dear as ten products.
    """
    parts = [mass[:, at : at + 10].prod(axis=1) for at in range(0, mass.shape[1], 10)]
    logs: Array = np.log(np.stack(parts)).sum(axis=0)
    return logs


def _block_kernels(grid: Grid, sigmas: Array) -> Array:
    """What a block shows of a unit's effect, now and then four times as far off: (J, S, J).

    From what the block shows to the effect, whose weights of all that it may show sum to 1.
    """
    sds = np.maximum(np.stack([sigmas, 4 * sigmas]), 0.3 * grid.h)[..., None]
    places = np.arange(len(grid.theta))
    near = np.exp(-0.5 * (grid.h * places / sds) ** 2)
    mass = near[..., np.abs(places[:, None] - places)]
    mass /= mass.sum(axis=-2, keepdims=True)
    return np.ascontiguousarray((0.95 * mass[0] + 0.05 * mass[1]).swapaxes(0, 1))


def _log_z(log_units: Array, grid: Grid, taus: Array) -> Array:
    """Sum over units of log integral Normal(b; 0, tau^2) exp(log m(b)): (units, S, J) to (S, T)."""
    top = log_units.max(axis=-1, keepdims=True)
    mass = np.exp(log_units - top)
    priors = np.stack([normal_mass(grid.theta, max(tau, 0.3 * grid.h)) for tau in taus])
    sums: Array = (np.log(mass @ priors.T + 1e-300) + top).sum(axis=0)
    return sums


def parabola(log_l: Array, grid: Grid) -> tuple[Array, Array]:
    """Mode and variance of each log-likelihood (..., J), by the parabola through its top three.

    Where the top is at the grid's end or flat the variance is inf.
    """
    best = np.clip(log_l.argmax(axis=-1), 1, log_l.shape[-1] - 2)
    left, mid, right = (
        np.take_along_axis(log_l, (best + k)[..., None], -1)[..., 0] for k in (-1, 0, 1)
    )
    curve = 2 * mid - left - right
    flat = curve <= 1e-9
    safe = np.where(flat, 1.0, curve)
    mode = grid.theta[best] + grid.h * np.clip((right - left) / (2 * safe), -1, 1)
    return np.where(flat, 0.0, mode), np.where(flat, np.inf, grid.h**2 / safe)


def learn_from_modes(mode: Array, variance: Array, sigma_floor: float) -> Noise:
    """From block estimates and their variances, shape (units, blocks); inf variance is no data.

    Residuals of blocks around their unit are Student with 4 degrees of freedom.
    """
    units = mode.shape[0]
    if units < 2 or not np.isfinite(variance).any():
        return prior_noise(SCALE_TAU, max(0.03, sigma_floor))
    f = np.sqrt(1 + 1 / (units - 1))
    taus, _ = SCALE_TAU
    log_z = np.stack(
        [_log_z_modes(mode, variance, (sigma * f) ** 2, taus * f) for sigma in _SCALE_SIGMA]
    )
    noise = _posterior(log_z * (units - 1) / units, SCALE_TAU, _SCALE_SIGMA)
    return Noise(tau_grid=noise.tau_grid, rho=noise.rho, sigma=max(noise.sigma, sigma_floor))


def _log_z_modes(mode: Array, variance: Array, sigma2: float, taus: Array) -> Array:
    have = np.isfinite(variance)
    spread = np.where(have, variance, 1.0) + sigma2
    weight = have / spread + 1e-12
    centre = np.average(mode, axis=1, weights=weight)
    for _ in range(4):
        square = (mode - centre[:, None]) ** 2 / spread
        weight = have * (_DEGREES + 1) / (_DEGREES + square) / spread
        centre = (weight * mode).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    square = (mode - centre[:, None]) ** 2 / spread
    fit = have * (-(_DEGREES + 1) / 2 * np.log1p(square / _DEGREES) - 0.5 * np.log(spread))
    width = 1 / np.maximum(weight.sum(axis=1), 1e-12)
    total = taus[:, None] ** 2 + width
    between = -0.5 * (np.log(total / width) + centre**2 / total)
    sums: Array = (fit.sum(axis=1) + between).sum(axis=1)
    return sums


def _posterior(log_z: Array, tau: tuple[Array, Array], sigmas: Array) -> Noise:
    """Weights of tau and mean of sigma from log Z of shape (sigmas, taus)."""
    grid, prior = tau
    log_joint = log_z + np.log(prior) + _SIGMA_SLOPE * np.log(sigmas)[:, None]
    joint = np.exp(log_joint - log_joint.max())
    joint /= joint.sum()
    return Noise(tau_grid=grid, rho=joint.sum(axis=0), sigma=float(joint.sum(axis=1) @ sigmas))


def arm_posterior(estimates: Array, variances: Array, times: Array, default: float) -> float:
    """Posterior mean of the sd that all treated units share, from placebo contrasts.

    Each contrast has an estimate, its variance from units and requests, and a time; fewer than 30
    contrasts of 10 distinct times keep the default.
    """
    if len(estimates) < _ARM_CONTRASTS or len(np.unique(times)) < _ARM_TIMES:
        return default
    total = variances[:, None] + (_ARM_GRID * default) ** 2
    log_l = -0.5 * (np.log(total) + estimates[:, None] ** 2 / total).sum(axis=0)
    log_p = log_l + np.log(_ARM_PRIOR)
    weight = np.exp(log_p - log_p.max())
    return float(weight @ (_ARM_GRID * default) / weight.sum())
