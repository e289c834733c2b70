"""Gauges that depend on load or on age: what a unit uses beyond what the reference says it should.

Section 3.4 of the method: shown as advice, and evidence only where a service's own placebos have
shown that it may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.likelihood import cap_information
from models.sequential.rows import Grid

__all__ = ["Fit", "affine_by_load", "excess", "gauge_likelihood", "log_slopes", "residual_variance"]

Array = NDArray[np.float64]

_FEW = 4
# Squares of a normal's residuals have a median of .455 of their mean.
_MEDIAN_SQUARE = 2.2


@dataclass(frozen=True, slots=True)
class Fit:
    """value = mean + slope (load - mean_load), with the sd of log residuals of one block."""

    mean: float
    mean_load: float
    slope: float
    sd: float

    def predict(self, load: Array) -> Array:
        """Expected value at each load, never below a tenth of the mean."""
        expected = self.mean + self.slope * (load - self.mean_load)
        floor: Array = np.maximum(expected, 0.1 * self.mean)
        return floor


def affine_by_load(load: Array, value: Array, seconds: float) -> Fit | None:
    """Pooled least squares of block means, corrected for counting noise in the load.

    `load` (requests/s) and `value` have shape (blocks,), NaN where absent; a block lasts
    `seconds`. The slope lies between 0 and value / load: a fixed cost plus a cost per request.
    None with fewer than four blocks.
    """
    known = np.isfinite(load) & np.isfinite(value) & (value > 0)
    if np.count_nonzero(known) < _FEW:
        return None
    x, y = load[known], value[known]
    mean, mean_load = _mean(y), _mean(x)
    apart = x - mean_load
    spread = _mean(apart * apart)
    variance = max(spread - mean_load / seconds, spread / 4, 1e-12)
    most = mean / max(mean_load, 1e-9)
    slope = min(max(_mean(apart * (y - mean)) / variance, 0.0), most)
    fit = Fit(mean, mean_load, slope, 0.0)
    residual = np.log(y) - np.log(fit.predict(x))
    return Fit(mean, mean_load, slope, float(residual.std()))


def _mean(values: Array) -> float:
    """Of all of them; numpy's own takes twice as long."""
    return float(np.add.reduce(values)) / len(values)


def excess(fit: Fit, load: Array, value: Array) -> tuple[float, float] | None:
    """Mean log excess over the fit and its standard error, from blocks (units, blocks)."""
    ratio = np.where(value > 0, value, np.nan) / fit.predict(load)
    known = np.isfinite(ratio)
    if not known.any():
        return None
    logs = np.log(ratio[known])
    return _mean(logs), max(fit.sd, 1e-3) / math.sqrt(len(logs))


def log_slopes(value: Array, times: Array) -> Array:
    """Least-squares slope of log value per second for each unit (units, T); NaN if too few."""
    known = (value > 0) & np.isfinite(value)
    count = np.add.reduce(known, axis=1)
    y = np.log(np.where(known, value, 1.0))
    middle = np.add.reduce(known * times, axis=1) / np.maximum(count, 1)
    t = known * (times - middle[:, None])
    spread = np.add.reduce(t**2, axis=1)
    enough = (count >= _FEW) & (spread > 0)
    moved = np.add.reduce(t * y, axis=1)
    slope: Array = np.where(enough, moved / np.where(spread > 0, spread, 1), np.nan)
    return slope


def gauge_likelihood(y: Array, variance: Array | float, grid: Grid) -> Array:
    """l(theta) = -(y - theta)^2 / (2 variance) less that of 0; (...) to (..., J), NaN says nothing.

    `y` is a log excess over what the reference says.
    """
    square = np.broadcast_to(np.asarray(variance, np.float64), y.shape)
    told = np.isfinite(y) & np.isfinite(square)
    inverse = np.where(told, 1.0 / np.where(told, square, 1.0), 0.0)
    theta = grid.theta
    log_l = inverse[..., None] * (np.where(told, y, 0.0)[..., None] * theta - theta**2 / 2)
    return cap_information(log_l, inverse, grid)


def residual_variance(y: Array, least: float) -> float:
    """Variance of one bin's `y` of a unit beside K others like these (units, T), NaN where absent.

    From the median of squared residuals around each unit's own mean, at least `least` squared.
    """
    known = np.isfinite(y)
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, y, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    squares = ((y - mean) ** 2)[known & (count >= _FEW)]
    middle = float(np.median(squares)) if squares.size else 0.0
    return max(_MEDIAN_SQUARE * middle, least**2) * (1 + 1 / max(len(y), 1))
