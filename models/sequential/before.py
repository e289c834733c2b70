"""What a group showed at other times, pooled, and how far off that was when nothing had changed.

A reference that is not concurrent is worth what its own past says: the same comparison is made at
times at which nothing was changed, and the spread of those contrasts beyond counting noise is the
sd that a healthy one has (a random-effects variance on a grid, as for `arm_posterior`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.likelihood import ScaleTable, scale_likelihood
from models.sequential.rows import Grid

__all__ = [
    "Contrasts",
    "count_contrasts",
    "learned_spread",
    "mean_shift",
    "pooled_histogram",
    "pooled_rate",
    "scale_contrasts",
    "unseasonal",
]

Array = NDArray[np.float64]

# Of the default sd, and how likely each is before any contrast was seen.
_MULTIPLES = np.array([0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0])
_PRIOR = np.array([0.02, 0.05, 0.08, 0.12, 0.16, 0.18, 0.14, 0.11, 0.08, 0.06])
# An upper quantile, not the mean: few contrasts leave a null with the tail of a Student t, and one
# normal stands for it. With 0.9 the largest evidence of 150 healthy switches was a seventh of what
# a fail needs, and of 99 in 100 a four-hundredth (bench/gate/kinds.py): room for 0.8.
_QUANTILE = 0.8
_MIDDLE = 0.5
# Fewer contrasts cannot speak for less than the default.
_ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Log effects (G,) of times at which nothing changed, and their variances by counting (G,)."""

    effect: Array
    variance: Array


def pooled_rate(n: Array, x: Array, weight: Array) -> tuple[float, float]:
    """Weighted mean of the rates of several times, and the variance of its log by counting.

    `n`, `x`, `weight` (G,); times without exposure say nothing. Nothing at all: (nan, inf).
    """
    kept = (n > 0) & (weight > 0)
    if not kept.any():
        return float("nan"), float("inf")
    n, x, share = n[kept], x[kept], weight[kept] / weight[kept].sum()
    rate = (x + 0.5) / (n + 1.0)
    mean = float(share @ rate)
    return mean, float((share**2 * (x + 0.5) / (n + 1.0) ** 2).sum() / mean**2)


def pooled_histogram(counts: Array, weight: Array) -> Array:
    """Weighted mean of the shapes of several histograms (G, B + 1), as large as the largest."""
    total = counts.sum(axis=1)
    kept = (total > 0) & (weight > 0)
    if not kept.any():
        return np.zeros(counts.shape[1])
    share = weight[kept] / weight[kept].sum()
    shape = share @ (counts[kept] / total[kept, None])
    pooled: Array = shape * total[kept].max()
    return pooled


def count_contrasts(now: Array, before: Array, eps0: float) -> Contrasts:
    """From exposure and events (G, 2) of each time and of its own reference.

    `before` (G, 2): the reference's rate, and the variance of its log by counting.
    """
    n, x = now.T
    rate, noise = before.T
    kept = (n > 0) & np.isfinite(noise)
    n, x, rate, noise = n[kept], x[kept], rate[kept], noise[kept]
    seen = (x + 0.5) / (n + 1.0)
    effect = np.log((seen + eps0) / (rate + eps0))
    # By the rate that both share: where no event was seen its own noise would look like none.
    common = np.maximum(seen, rate)
    share = (common / (common + eps0)) ** 2
    return Contrasts(effect, share * (noise + 1.0 / np.maximum(n * common, 0.5)))


def scale_contrasts(now: Array, before: Array, edges: Array, grid: Grid) -> Contrasts:
    """From histograms (G, B + 1) of each time and of its own reference."""
    size, theirs = now.sum(axis=1), before.sum(axis=1)
    kept = (size >= 20) & (theirs >= 20)
    if not kept.any() or len(edges) < 2:
        return Contrasts(np.zeros(0), np.zeros(0))
    weight = theirs[kept] / (theirs[kept] + size[kept])
    table = ScaleTable.of(edges, grid)
    # One request at a time: the information cap of the grid is for bins, not for half an hour.
    shapes = now[kept] / size[kept, None]
    log_l = scale_likelihood(shapes[:, None], before[kept], weight, table, grid)[:, 0]
    inner = np.clip(log_l.argmax(axis=1), 1, log_l.shape[1] - 2)
    rows = np.arange(len(log_l))
    left, mid, right = (log_l[rows, inner + k] for k in (-1, 0, 1))
    curve = np.maximum(2 * mid - left - right, 1e-12)
    mode = grid.theta[inner] + grid.h * np.clip((right - left) / (2 * curve), -1, 1)
    each = np.clip(curve / grid.h**2 / weight, 0.05, 10.0)
    return Contrasts(mode, 1.0 / (each * size[kept]) + 1.0 / (each * theirs[kept]))


def learned_spread(found: Contrasts, default: float, *, least: float) -> float:
    """Upper 80 % point of the sd of contrasts beyond their variances, given the default.

    Below ten contrasts never less than the default, and the fewer the nearer to the middle of what
    is believed; without any the default. Never less than `least` of it.
    """
    sds = _MULTIPLES * default
    total = found.variance[:, None] + sds**2
    log_l = -0.5 * (np.log(total) + found.effect[:, None] ** 2 / total).sum(axis=0)
    log_p = log_l + np.log(_PRIOR)
    share = np.exp(log_p - log_p.max())
    # A point of the grid stands for all up to half-way to the next.
    ends = np.append(np.sqrt(sds[1:] * sds[:-1]), sds[-1])
    known = min(len(found.effect) / _ENOUGH, 1.0)
    quantile = _MIDDLE + (_QUANTILE - _MIDDLE) * known
    spread = float(np.interp(quantile, np.cumsum(share) / share.sum(), ends))
    floor = least if known >= 1.0 else 1.0
    return max(spread, floor * default)


def mean_shift(found: Contrasts) -> tuple[float, float]:
    """Mean effect of contrasts, and its variance by counting; what a time of day has in common."""
    count = len(found.effect)
    return float(found.effect.mean()), float(found.variance.sum() / count**2)


def unseasonal(found: Contrasts) -> Contrasts:
    """Each contrast against the mean of the others, as the next one would be against all of them.

    A mean of one contrast fewer is a little further off, which is taken back. Fewer than two say
    nothing.
    """
    count = len(found.effect)
    if count < 2:
        return Contrasts(np.zeros(0), np.zeros(0))
    others = count - 1
    sums, squares = found.effect.sum(), found.variance.sum()
    effect = found.effect - (sums - found.effect) / others
    variance = found.variance + (squares - found.variance) / others**2
    larger = (1 + 1 / count) / (1 + 1 / others)
    return Contrasts(effect * np.sqrt(larger), variance * larger)
