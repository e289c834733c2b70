"""E-values from summed log-likelihoods: how much better harm explains the data than health.

A likelihood ratio of mixtures (Robbins 1970; Johari, Koomen, Pekelis, Walsh, *Always valid
inference*), with the pod effects and the shift that all treated units share in health under both
hypotheses; the larger of several nulls keeps it an e-process (Wasserman, Ramdas, Balakrishnan,
*Universal inference*).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import Kernels, harm_beyond, shifted_null
from models.sequential.rows import Row

__all__ = ["evidence", "log_shift"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

_TINY = np.float32(1e-30)
# The largest part weighs at least 1e-13 in every shift, so e^-50 is nothing beside it; smaller
# numbers are denormal after the product and cost a hundred times as much.
_LEAST = np.float32(-50.0)


def log_shift(sums: Array | Single, kernels: Kernels, log_q: Array) -> tuple[Array, Array]:
    """Log-likelihood of the common shift, from sums of each unit under each template.

    `sums` (N, P, W, J) to arm (N, D) and single units (N, P, D), averaged over the templates by
    `log_q` (W,). All units share one template, so the arm multiplies units before it averages.
    Single precision inside: the largest entry is taken out first.
    """
    mass, top = _unit_mass(sums, kernels)
    mass += _TINY
    each = np.log(mass)
    if sums.shape[2] == 1:
        units: Array = each[:, :, 0] + top[:, :, 0]
        return units.sum(axis=1), units
    arm = _log_sum(each.sum(axis=1) + (top.sum(axis=1) + log_q[:, None]))
    weight = top[..., 0] + log_q
    most = weight.max(axis=-1, keepdims=True)
    share = np.exp((weight - most).astype(np.float32))
    mixed = np.matmul(share[:, :, None], mass)[:, :, 0]
    return arm, np.log(mixed + _TINY) + most


def _unit_mass(sums: Array | Single, kernels: Kernels) -> tuple[Single, Array]:
    """Likelihood of the shift over its largest part exp(top): (..., J) to (..., D), (..., 1)."""
    top = _largest(sums)
    scaled = (sums - top).astype(np.float32, copy=False)
    np.maximum(scaled, _LEAST, out=scaled)
    np.exp(scaled, out=scaled)
    return np.matmul(scaled, kernels.unit), top.astype(np.float64)


def _largest(values: Array | Single) -> Array | Single:
    """Maxima of the last axis, which stays; many short rows take `max` three times as long."""
    begins = np.arange(0, values.size, values.shape[-1])
    tops: Array | Single = np.maximum.reduceat(values.ravel(), begins)
    return tops.reshape(*values.shape[:-1], 1)


def evidence(log_l: Array, kernels: Kernels, row: Row, caution: Array | None = None) -> Array:
    """Log e-value of harm beyond tolerate, from log L(d) of shape (..., D) to (...).

    One row has the same bits whatever is read with it and wherever it lies: no product of matrices,
    nor one of vectors, but sums in the order of the shifts. `caution` (same leading shape) raises
    the tolerated effect where load is not comparable.
    """
    columns = np.ascontiguousarray(log_l.reshape(-1, log_l.shape[-1]).T)
    mass = np.exp(np.maximum(columns - columns.max(axis=0), -300.0))
    weights = kernels.tests[..., None]
    if caution is not None and caution.any():
        weights = _cautious(weights, kernels, row, caution.ravel())
    odds = np.multiply(mass[:, None], weights, order="C").sum(axis=0) + 1e-30
    ratio: Array = np.log(odds[0]) - np.log(odds[1:].max(axis=0))
    return ratio.reshape(log_l.shape[:-1])


def _cautious(weights: Array, kernels: Kernels, row: Row, caution: Array) -> Array:
    """Harm is what lies beyond tolerate + caution, and that is one more null: (D, 4, N)."""
    tolerate = row.tolerate + caution
    null = shifted_null(row, kernels.sc, tolerate).T
    nulls = np.broadcast_to(weights[:, 1:], (len(weights), weights.shape[1] - 1, len(caution)))
    return np.concatenate([harm_beyond(row, tolerate).T[:, None], nulls, null[:, None]], axis=1)


def _log_sum(values: Array) -> Array:
    """Log of the sum over the templates: (N, W, D) to (N, D)."""
    top = values.max(axis=1, keepdims=True)
    total = np.exp((values - top).astype(np.float32)).sum(axis=1)
    summed: Array = np.log(total) + top[:, 0]
    return summed
