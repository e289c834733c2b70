"""E-values from summed log-likelihoods: how much better harm explains the data than health.

A likelihood ratio of mixtures (Robbins 1970; Johari, Koomen, Pekelis, Walsh, *Always valid
inference*), with the pod effects and the shift that all treated units share in health under both
hypotheses; the larger of several nulls keeps it an e-process (Wasserman, Ramdas, Balakrishnan,
*Universal inference*).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import Kernels, shifted_null
from models.sequential.rows import Row

__all__ = ["evidence", "log_shift", "unit_log_l"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

_TINY = 1e-30


def unit_log_l(sums: Array, kernels: Kernels) -> Array:
    """Log-likelihood of the common shift from each unit: sums (..., J) to (..., D).

    Single precision inside: the largest entry of each row is taken out first.
    """
    top = sums.max(axis=-1, keepdims=True)
    mass = np.exp((sums - top).astype(np.float32)) @ kernels.unit
    log_l: Array = np.log(mass + np.float32(_TINY)).astype(np.float64) + top
    return log_l


def log_shift(units: Array, log_q: Array) -> tuple[Array, Array]:
    """Arm and single units over templates: (N, P, W, D) to (N, D) and (N, P, D).

    All units share one template, so the arm multiplies units before it averages templates.
    """
    if units.shape[2] == 1:
        return units[:, :, 0].sum(axis=1), units[:, :, 0]
    arm = _log_sum(units.sum(axis=1) + log_q[:, None], axis=1)
    return arm, _log_sum(units + log_q[:, None], axis=2)


def evidence(log_l: Array, kernels: Kernels, row: Row, caution: Array | None = None) -> Array:
    """Log e-value of harm beyond tolerate, from log L(d) of shape (..., D) to (...).

    `caution` (same leading shape) raises the tolerated effect where load is not comparable.
    """
    top = log_l.max(axis=-1, keepdims=True)
    mass = np.exp(log_l - top)
    null = (mass @ kernels.nulls.T).max(axis=-1)
    if caution is not None and caution.any():
        extra = shifted_null(row, kernels.sc, caution.ravel()).reshape(mass.shape)
        null = np.maximum(null, (mass * extra).sum(axis=-1))
    ratio: Array = np.log(mass @ kernels.harm + _TINY) - np.log(null + _TINY)
    return ratio


def _log_sum(values: Array, axis: int) -> Array:
    top = values.max(axis=axis, keepdims=True)
    total: Array = np.log(np.exp(values - top).sum(axis=axis)) + np.squeeze(top, axis=axis)
    return total
