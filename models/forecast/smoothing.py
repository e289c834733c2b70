"""Levels carried on: exponential smoothing with a damped trend, and theta, chosen on a grid.

Both are causal sums, so one pass over the levels tries all candidates side by side, and what each
would have told a day before is its score. The damped trend is that of Gardner and McKenzie (1985),
theta that of Assimakopoulos and Nikolopoulos (2000), as Hyndman and Billah (2003) read it.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["damped", "theta"]

Floats = NDArray[np.float64]
_ALPHA = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95)
_BETA = (0.0, 0.01, 0.03, 0.1, 0.3)
_PHI = (0.8, 0.9, 0.95, 0.98)
_DAMPED: Floats = np.array(list(product(_ALPHA, _BETA, _PHI))).T
_THETAS: Floats = np.array([*_ALPHA, 1.0])
# Levels at the start that no candidate is judged by.
_WARM = 3


def damped(levels: Floats, days: Floats) -> Floats:
    """Where levels go by the best damped trend, `days` (H,) after the last of them: (H,)."""
    alpha, beta, phi = _DAMPED
    level = np.full(alpha.shape, levels[0])
    trend = np.full(alpha.shape, _first_trend(levels))
    error = np.zeros(alpha.shape)
    for number, value in enumerate(levels[1:], start=1):
        miss = value - level - phi * trend
        level = level + phi * trend + alpha * miss
        trend = phi * trend + alpha * beta * miss
        if number >= _WARM:
            error += miss * miss
    best = int(np.argmin(error))
    grown = phi[best] * (1 - phi[best] ** days) / (1 - phi[best])
    told: Floats = level[best] + grown * trend[best]
    return told


def theta(levels: Floats, days: Floats) -> Floats:
    """Where levels go by theta, smoothing with half the slope of the whole for drift: (H,)."""
    count = len(levels)
    middle = (count - 1) / 2
    slope = float(np.sum((np.arange(count) - middle) * levels) / (count * (count**2 - 1) / 12))
    drift = slope / 2
    level = np.full(_THETAS.shape, levels[0])
    error = np.zeros(_THETAS.shape)
    for number, value in enumerate(levels[1:], start=1):
        miss = value - level - drift
        level = level + drift + _THETAS * miss
        if number >= _WARM:
            error += miss * miss
    told: Floats = level[int(np.argmin(error))] + drift * days
    return told


def _first_trend(levels: Floats) -> float:
    few = levels[: min(len(levels), 14)]
    return float(np.median(np.diff(few))) if len(few) > 1 else 0.0
