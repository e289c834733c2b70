"""Matrices on the grid: scrape noise, differences between units, priors of the common shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Grid, Row

__all__ = ["Apart", "Kernels", "blur", "blur_kernel", "build_kernels", "harm_beyond", "normal_mass"]

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
    """Log-likelihood after scrape noise: (..., J) to (..., J), spread bounded by 4.6 nats.

    `kernel` (J, J), or a stack of them (S, J, J) for what has the rows of a stack: (..., S, P, J).
    """
    top = np.maximum.reduce(log_l, axis=-1, keepdims=True)
    mass = log_l - top
    mixed: Array = np.exp(mass, out=mass) @ kernel.swapaxes(-1, -2)
    floor = BLUR_FLOOR * np.maximum.reduce(mixed, axis=-1, keepdims=True)
    np.log(np.maximum(mixed, floor, out=mixed), out=mixed)
    mixed += top
    return mixed


@dataclass(frozen=True, slots=True)
class Apart:
    """How far apart healthy units are: `sc`, sd of what all share; `tau`, of each by itself."""

    sc: float
    tau: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """What turns summed log-likelihoods into evidence, for one row and one set of noises.

    `unit` (J, D): a unit's effect given the shift. `tests` (D, 3): the alternative, then the nulls
    at no effect and at the tolerated one. `spread` (D, D): rows are the shift prior around each
    true effect. `bet` (D,). `sc`: sd of the common shift in health, `tau` that between units.
    """

    unit: Single
    tests: Array
    spread: Array
    bet: Array
    sc: float
    tau: float


def build_kernels(
    row: Row, tau_grid: Array, rho: Array, sc: float, *, like: Kernels | None = None
) -> Kernels:
    """Kernels of `row` for between-unit sds `tau_grid` with weights `rho` and shift sd `sc`.

    `like` are others of the same row and sds, which differ in `sc` alone.
    """
    grid = row.grid
    tau = float(rho @ tau_grid)
    spread = normal_mass(grid.shift[None, :] - grid.shift[:, None], sc)
    return Kernels(
        unit=_unit_mass(grid, tau_grid, rho).astype(np.float32) if like is None else like.unit,
        tests=_tests(row, sc),
        spread=spread,
        bet=_bet(row) if like is None else like.bet,
        sc=sc,
        tau=tau,
    )


def _tests(row: Row, sc: float) -> Array:
    shift = row.grid.shift
    nulls = [shifted_null(shift, sc, effect) for effect in (0.0, row.tolerate)]
    tests = np.stack([harm_beyond(shift, row.scale, row.tolerate), *nulls], axis=1)
    scaled: Array = tests / np.maximum(tests.sum(axis=0), 1e-300)
    return scaled


def shifted_null(shift: Array, sc: Array | float, tolerate: Array | float) -> Array:
    """Null at a tolerated effect, not yet scaled, over the shifts (D, ...); others broadcast.

    The top of the shifts stands for all beyond it, so what tolerates more has its null there; a
    shift of -inf is none.
    """
    center = np.minimum(tolerate, shift.max(axis=0))
    null: Array = np.exp(-0.5 * ((shift - center) / np.maximum(sc, 1e-9)) ** 2)
    return null


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
    spread = np.exp(-np.abs(row.grid.shift) / row.bet)
    bet: Array = 0.5 * spread / spread.sum() + 0.5 * (row.grid.shift == 0.0)
    return bet


def harm_beyond(shift: Array, scale: Array | float, tolerate: Array | float) -> Array:
    """Harm expected of a fault beyond a tolerated effect, not yet scaled, over shifts (D, ...)."""
    beyond = np.maximum(shift - tolerate, 0.0)
    mass = 0.85 * np.exp(-beyond / scale) / scale
    mass += 0.15 * np.exp(-beyond / (3 * scale)) / (3 * scale)
    # A tolerance above the grid leaves its top: no evidence can speak for more harm than that.
    mass *= (beyond > 1e-9) | (shift == shift.max(axis=0))
    return mass
