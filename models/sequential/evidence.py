"""E-values from summed log-likelihoods: how much better harm explains the data than health.

A likelihood ratio of mixtures (Robbins 1970; Johari, Koomen, Pekelis, Walsh, *Always valid
inference*), with the pod effects and the shift that all treated units share in health under both
hypotheses; the larger of several nulls keeps it an e-process (Wasserman, Ramdas, Balakrishnan,
*Universal inference*).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import Kernels, harm_beyond, shifted_null
from models.sequential.rows import Row
from models.sequential.stack import Stack, StackedKernels

__all__ = ["ceiling", "evidence", "log_shift"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

_TINY = np.float32(1e-30)
# The largest part weighs at least 1e-13 in every shift, so e^-50 is nothing beside it; smaller
# numbers are denormal after the product and cost a hundred times as much.
_LEAST = np.float32(-50.0)
# Far more than what is lost by rounding, far less than what decides.
_ROUNDING = 1e-6


def log_shift(
    sums: Array | Single,
    kernels: Kernels | StackedKernels,
    log_q: Array,
    *,
    spent: bool = False,
) -> tuple[Array, Array]:
    """Log-likelihood of the common shift, from sums of each unit under each template.

    `sums` (N, P, W, J) to arm (N, D) and single units (N, P, D), averaged over the templates by
    `log_q` (W,); of a stack (N, S, P, W, J) to (N, S, D) and (N, S, P, D) by `log_q` (S, W). All
    units share one template, so the arm multiplies units before it averages. Single precision
    inside: the largest entry is taken out first. Sums of single precision that are `spent` are
    overwritten.
    """
    mass, top = _unit_mass(sums, kernels, spent=spent)
    mass += _TINY
    if sums.shape[-2] == 1:
        units: Array = np.log(mass, out=mass)[..., 0, :] + top[..., 0, :]
        return np.add.reduce(units, axis=-2), units
    weight = top[..., 0] + log_q[..., None, :]
    most = np.maximum.reduce(weight, axis=-1, keepdims=True)
    weight -= most
    share = np.exp(weight.astype(np.float32))
    mixed = np.matmul(share[..., None, :], mass)[..., 0, :]
    mixed += _TINY
    each = np.add.reduce(np.log(mass, out=mass), axis=-3)
    arm = _log_sum(each + (np.add.reduce(top, axis=-3) + log_q[..., None]))
    return arm, np.log(mixed, out=mixed) + most


def _unit_mass(
    sums: Array | Single, kernels: Kernels | StackedKernels, *, spent: bool
) -> tuple[Single, Array]:
    """Likelihood of the shift over its largest part exp(top): (..., J) to (..., D), (..., 1)."""
    top = _largest(sums)
    into = sums if spent and sums.dtype == np.float32 else None
    scaled = np.subtract(sums, top, out=into).astype(np.float32, copy=False)
    np.maximum(scaled, _LEAST, out=scaled)
    np.exp(scaled, out=scaled)
    return np.matmul(scaled, kernels.unit), top.astype(np.float64)


def _largest(values: Array | Single) -> Array | Single:
    """Maxima of the last axis, which stays; many short rows take `max` three times as long."""
    begins = np.arange(0, values.size, values.shape[-1])
    tops: Array | Single = np.maximum.reduceat(values.ravel(), begins)
    return tops.reshape(*values.shape[:-1], 1)


def evidence(
    log_l: Array,
    kernels: Kernels | StackedKernels,
    row: Row | Stack,
    caution: Array | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Array:
    """Log e-value of harm beyond tolerate, from log L(d) of shape (..., D) to (...).

    One row has the same bits whatever is read with it and wherever it lies: no product of matrices,
    nor one of vectors, but sums in the order of the shifts. `caution` (same leading shape) raises
    the tolerated effect where load is not comparable. Of a stack log L(d) is (..., S, P, D), or
    (M, P, D) where `rows` (M,) tell of which row each is.
    """
    mass = np.array(log_l.transpose(-1, *range(log_l.ndim - 1)), np.float64, order="C")
    mass -= np.maximum.reduce(mass, axis=0)
    np.maximum(mass, -300.0, out=mass)
    np.exp(mass, out=mass)
    limits = _limits(kernels, row, rows)
    weights = _beside(limits.tests, 2, log_l.ndim - 1)
    if caution is not None and caution.any():
        weights = _cautious(weights, limits, caution)
    odds = np.add.reduce(np.multiply(mass[:, None], weights, order="C"), axis=0)
    odds += 1e-30
    ratio: Array = np.log(odds[0]) - np.log(np.maximum.reduce(odds[1:], axis=0))
    return ratio


def ceiling(log_l: Array, kernels: StackedKernels) -> Array:
    """No less than `evidence` without caution, for a fraction of its time.

    Log L(d) of a stack (N, S, P, D) to (N, S, P). A mean over harms is not above the best of them,
    nor that over a null below its largest part; what is added to both, so that neither is 0, moves
    their ratio towards 1.
    """
    harm = np.maximum.reduce(log_l + kernels.harms, axis=-1)
    places, logs = kernels.peaks
    every = np.arange(len(places))[:, None]
    # Indices apart bring their axes to the front: (S, nulls, N, P).
    health = np.maximum.reduce(log_l[:, every, :, places] + logs[..., None, None], axis=1)
    found: Array = np.maximum(harm - health.swapaxes(0, 1), 0.0)
    found += _ROUNDING
    return found


@dataclass(frozen=True, slots=True)
class _Limits:
    """What tells harm from health, of a row alone or of rows (S, 1) of a stack."""

    tests: Array
    shift: Array
    sc: Array | float
    tolerate: Array | float
    scale: Array | float


def _limits(
    kernels: Kernels | StackedKernels, row: Row | Stack, rows: NDArray[np.int64] | None
) -> _Limits:
    if isinstance(row, Row):
        return _Limits(kernels.tests, row.grid.shift, kernels.sc, row.tolerate, row.scale)
    limits = _Limits(kernels.tests, row.shift, kernels.sc, row.tolerate, row.scale)
    if rows is None:
        return limits
    tests, shift = kernels.tests[:, :, rows], row.shift[:, rows]
    sc = np.asarray(kernels.sc)[rows]
    return _Limits(tests, shift, sc, row.tolerate[rows], row.scale[rows])


def _beside(values: Array, first: int, axes: int) -> Array:
    """Values with axes of one put in after the `first`, so that `axes` follow these."""
    more = axes - (values.ndim - first)
    return values.reshape(*values.shape[:first], *(1,) * more, *values.shape[first:])


def _cautious(weights: Array, limits: _Limits, caution: Array) -> Array:
    """Harm is what lies beyond tolerate + caution, and that is one more null: (D, 4, ...)."""
    shift, tolerate = _beside(limits.shift, 1, caution.ndim), limits.tolerate + caution
    made = np.empty((len(shift), weights.shape[1] + 1, *caution.shape))
    made[:, 0] = harm_beyond(shift, limits.scale, tolerate)
    made[:, 1:-1] = weights[:, 1:]
    made[:, -1] = shifted_null(shift, limits.sc, tolerate)
    # Never of one column alone, whose sum numpy would take in another order.
    total = made.sum(axis=0)
    made[:, :: weights.shape[1]] /= np.maximum(total[:: weights.shape[1]], 1e-300)
    return made


def _log_sum(values: Array) -> Array:
    """Log of the sum over the templates: (..., W, D) to (..., D)."""
    top = np.maximum.reduce(values, axis=-2, keepdims=True)
    total = np.add.reduce(np.exp((values - top).astype(np.float32)), axis=-2)
    summed: Array = np.log(total) + top[..., 0, :]
    return summed
