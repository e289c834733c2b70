"""Log-likelihoods of an effect on a grid, from one bin of one unit; all vectorised over bins.

Sections 3.1 and 3.2 of the method: Poisson counts against a reference rate (Lindon & Malek,
*Anytime-valid inference for multinomial count data*, for the construction), and the scale of a
whole latency distribution against the reference's own histogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Grid

__all__ = [
    "ScaleTable",
    "cap_information",
    "poisson",
    "poisson_each",
    "reference_survival",
    "scale_likelihood",
]

Array = NDArray[np.float64]

_UNIFORM = 0.005
_EXTRAPOLATE = 0.7


def poisson(n: Array, x: Array, rate: Array, weight: Array, grid: Grid) -> Array:
    """l(theta) = weight * (x theta - n rate (e^theta - 1)); inputs (...), output (..., J).

    `rate` is events per unit of exposure at theta = 0, `weight` in 0..1 tempers it because the
    reference is itself noisy.
    """
    return _poisson(n * rate, x, weight, (grid.theta, grid.growth), _grain(grid))


def poisson_each(
    n: Array, x: Array, rate: Array, weight: Array, grids: tuple[Grid, ...]
) -> list[Array]:
    """`poisson` of S signals side by side, (S, ...), each with its own grid."""
    theta, growth, grain = _beside(grids)
    apart = (slice(None), *(None,) * (n.ndim - 1))
    points = theta[apart], growth[apart]
    log_l = _poisson(n * rate, x, weight, points, grain[apart])
    return [one[..., : len(grid.theta)] for one, grid in zip(log_l, grids, strict=True)]


@lru_cache(maxsize=64)
def _beside(grids: tuple[Grid, ...]) -> tuple[Array, Array, Array]:
    """Points and growth of each grid, (S, J), filled up with zeros; and their grain (S,)."""
    shape = len(grids), max(len(grid.theta) for grid in grids)
    theta, growth = np.zeros(shape), np.zeros(shape)
    for at, grid in enumerate(grids):
        theta[at, : len(grid.theta)], growth[at, : len(grid.theta)] = grid.theta, grid.growth
    return theta, growth, np.array([_grain(grid) for grid in grids])


def _poisson(
    mean: Array, x: Array, weight: Array, points: tuple[Array, Array], grain: Array | float
) -> Array:
    theta, growth = points
    log_l: Array = x[..., None] * theta
    log_l -= mean[..., None] * growth
    log_l *= weight[..., None]
    log_l *= _capped(x, grain)[..., None]
    return log_l


def cap_information(log_l: Array, information: Array, grid: Grid) -> Array:
    """Scale down what is sharper than 0.6 grid steps, so that the grid can hold it."""
    capped: Array = log_l * _capped(information, _grain(grid))[..., None]
    return capped


def _grain(grid: Grid) -> float:
    """Variance of the sharpest likelihood that a grid can hold."""
    return (0.6 * grid.h) ** 2


def _capped(information: Array, grain: Array | float) -> Array:
    """How much of what is said a grid can hold."""
    sharp = np.maximum(information, 1e-12) * grain
    share: Array = np.minimum(1.0, 1.0 / sharp)
    return share


def reference_survival(counts: Array) -> Array:
    """Share of reference requests above each finite edge: (..., B + 1) counts to (..., B).

    Half a request is spread over the edges, so that no share is 0 or 1.
    """
    total = np.add.reduce(counts, axis=-1, keepdims=True)
    above = total - np.add.accumulate(counts[..., :-1], axis=-1)
    edges = counts.shape[-1] - 1
    prior = 0.5 * (edges - np.arange(edges)) / (edges + 1)
    survival: Array = (above + prior) / (total + 0.5)
    return survival


@dataclass(frozen=True, slots=True)
class ScaleTable:
    """Where each edge falls in the reference when it is slowed by exp(theta): fixed per edges.

    `segment` (B, J) and `fraction` (B, J) interpolate the logit of survival in log edge.
    """

    segment: NDArray[np.int64]
    fraction: Array

    @classmethod
    def of(cls, edges: Array, grid: Grid) -> ScaleTable:
        """Table for finite upper `edges` (seconds, ascending, at least 2)."""
        return _table(tuple(edges.tolist()), grid)

    @classmethod
    def _made(cls, edges: Array, grid: Grid) -> ScaleTable:
        where = np.log(edges)
        first, last = where[1] - where[0], where[-1] - where[-2]
        asked = np.clip(
            where[:, None] - grid.theta[None, :],
            where[0] - _EXTRAPOLATE * first,
            where[-1] + _EXTRAPOLATE * last,
        )
        segment = np.clip(np.searchsorted(where, asked) - 1, 0, len(where) - 2)
        fraction = (asked - where[segment]) / (where[segment + 1] - where[segment])
        return cls(segment, fraction)

    def log_shares(self, survival: Array) -> Array:
        """Log probability of each bucket at each theta: (T, B) survival to (T, B + 1, J)."""
        logit = np.log(survival) - np.log1p(-survival)
        asked = (logit[:, 1:] - logit[:, :-1]).take(self.segment, axis=1)
        asked *= self.fraction
        asked += logit.take(self.segment, axis=1)
        # Share above each edge, with all above the lowest and nothing above the highest.
        above = np.zeros((len(survival), len(self.fraction) + 2, self.fraction.shape[1]))
        above[:, 0] = 1.0
        above[:, 1:-1] = 1.0 / (1.0 + np.exp(np.negative(asked, out=asked), out=asked))
        share: Array = above[:, :-1] - above[:, 1:]
        np.maximum(share, 0.0, out=share)
        share *= 1 - _UNIFORM
        share += _UNIFORM / share.shape[1]
        return np.log(share, out=share)


@lru_cache(maxsize=64)
def _table(edges: tuple[float, ...], grid: Grid) -> ScaleTable:
    return ScaleTable._made(np.array(edges), grid)


def scale_likelihood(
    counts: Array, reference: Array, weight: Array, table: ScaleTable, grid: Grid
) -> Array:
    """l(theta) of a common slow-down: counts (T, P, B + 1), reference (T, B + 1) to (T, P, J).

    `weight` has shape (T,). At theta = 0 the model is the reference's histogram itself, so no
    shape is assumed in health.
    """
    log_shares = table.log_shares(reference_survival(reference))
    log_l: Array = np.matmul(counts, log_shares)
    log_l *= weight[:, None, None]
    log_l -= log_l[..., grid.zero : grid.zero + 1].copy()
    log_l *= _capped(1.5 * np.add.reduce(counts, axis=-1), _grain(grid))[..., None]
    return log_l
