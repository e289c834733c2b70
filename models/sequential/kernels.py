"""Matrices on the grid: scrape noise, differences between units, priors of the common shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Grid, Row

__all__ = ["Kernels", "blur", "blur_kernel", "build_kernels", "harm_beyond", "normal_mass"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

# One bin of one unit can say at most log(1/0.01) = 4.6 nats.
BLUR_FLOOR = 0.01
_UNIT_FLOOR = 1e-13


def normal_mass(distance: Array, sd: float) -> Array:
    """Normal density of `distance` at `sd`, rows (last axis) scaled to sum 1."""
    mass = np.exp(-0.5 * (distance / max(sd, 1e-9)) ** 2)
    total: Array = mass / np.maximum(mass.sum(axis=-1, keepdims=True), 1e-300)
    return total


def blur_kernel(grid: Grid, noise: float) -> Array:
    """Mixture of two normals, widths `noise` and 3 x `noise`, at least 0.35 h: shape (J, J)."""
    sd = max(noise, 0.35 * grid.h)
    distance = grid.theta[:, None] - grid.theta[None, :]
    return 0.9 * normal_mass(distance, sd) + 0.1 * normal_mass(distance, 3 * sd)


def blur(log_l: Array, kernel: Array) -> Array:
    """Log-likelihood after scrape noise: (..., J) to (..., J), spread bounded by 4.6 nats."""
    top = log_l.max(axis=-1, keepdims=True)
    mixed = np.exp(log_l - top) @ kernel.T
    floor = BLUR_FLOOR * mixed.max(axis=-1, keepdims=True)
    blurred: Array = np.log(np.maximum(mixed, floor)) + top
    return blurred


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """What turns summed log-likelihoods into evidence, for one row and one set of noises.

    `unit` (J, D): a unit's effect given the shift. `tests` (D, 3): the alternative, then the nulls
    at no effect and at the tolerated one. `spread` (D, D): rows are the shift prior around each
    true effect. `bet` (D,). `sc`: sd of the common shift in health.
    """

    unit: Single
    tests: Array
    spread: Array
    bet: Array
    sc: float
    tau: float


def build_kernels(row: Row, tau_grid: Array, rho: Array, sc: float) -> Kernels:
    """Kernels of `row` for between-unit sds `tau_grid` with weights `rho` and shift sd `sc`."""
    grid = row.grid
    tau = float(rho @ tau_grid)
    spread = normal_mass(grid.shift[None, :] - grid.shift[:, None], sc)
    nulls = shifted_null(row, sc, np.array([0.0, row.tolerate]))
    return Kernels(
        unit=_unit_mass(grid, tau_grid, rho).astype(np.float32),
        tests=np.stack([harm_beyond(row, np.array([row.tolerate]))[0], *nulls], axis=1),
        spread=spread,
        bet=_bet(row),
        sc=sc,
        tau=tau,
    )


def shifted_null(row: Row, sc: float, tolerate: Array) -> Array:
    """Null at each of some tolerated effects: shape (len(tolerate), D).

    The grid's top stands for all beyond it, so what tolerates more has its null there.
    """
    center = np.minimum(tolerate, row.grid.shift[-1])
    return normal_mass(row.grid.shift[None, :] - center[:, None], sc)


def _unit_mass(grid: Grid, tau_grid: Array, rho: Array) -> Array:
    """Effect of a unit given the shift; the shift's ends stand for all beyond them.

    Otherwise what lies far outside, like an outage of a service without errors, says nothing.
    """
    ends = np.clip(grid.theta, grid.shift[0], grid.shift[-1])
    distance = ends[:, None] - grid.shift[None, :]
    mass = sum(
        (share * normal_mass(distance.T, sd).T for sd, share in zip(tau_grid, rho, strict=True)),
        np.zeros_like(distance),
    )
    mass = mass + _UNIT_FLOOR
    scaled: Array = mass / mass.sum(axis=0, keepdims=True)
    return scaled


def _bet(row: Row) -> Array:
    """Half on no effect at all, which most releases have, half spread around it."""
    spread = _normalised(np.exp(-np.abs(row.grid.shift) / row.bet))
    bet: Array = 0.5 * spread + 0.5 * (row.grid.shift == 0.0)
    return bet


def harm_beyond(row: Row, tolerate: Array) -> Array:
    """Harm expected of a fault beyond each tolerated effect: shape (len(tolerate), D)."""
    beyond = row.grid.shift - tolerate[:, None]
    mass = 0.85 * np.exp(-beyond / row.scale) / row.scale + 0.15 * np.exp(
        -beyond / (3 * row.scale)
    ) / (3 * row.scale)
    harmful = beyond > 1e-9
    # A tolerance above the grid leaves its top: no evidence can speak for more harm than that.
    harmful[:, -1] = True
    return _normalised(np.where(harmful, mass, 0.0))


def _normalised(mass: Array) -> Array:
    scaled: Array = mass / mass.sum(axis=-1, keepdims=True)
    return scaled
