"""What a missing metric would show, going by those that are there.

Taken as usual, a metric that is missing seems to part company with the others whenever they move.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.anomaly.multivariate.members import fit_covariance

__all__ = ["filled", "fit_precision"]

Floats = NDArray[np.float64]


def fit_precision(z: Floats, *, shrinkage: float) -> Floats:
    """The inverse covariance (M, M) of winsorised departures `z` (T, M)."""
    root = fit_covariance(z, shrinkage=shrinkage).weights
    return np.ascontiguousarray(root @ root)


def filled(z: Floats, missing: NDArray[np.bool_], precision: Floats) -> Floats:
    """Departures with missing ones as expected from the others of their row, under normality.

    Rows without any value stay as they are.
    """
    if not missing.any():
        return z
    out = z.copy()
    for pattern in np.unique(missing[missing.any(axis=1) & ~missing.all(axis=1)], axis=0):
        rows = (missing == pattern).all(axis=1)
        inner = precision[np.ix_(pattern, pattern)]
        outer = precision[np.ix_(pattern, ~pattern)]
        told = -np.linalg.solve(inner, outer @ z[np.ix_(rows, ~pattern)].T).T
        out[np.ix_(rows, pattern)] = told
    return out
