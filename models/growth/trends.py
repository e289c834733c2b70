"""Local linear trends of many kinds, each weighed by how well it foretold the series.

y = level + lag + noise, level' = level + slope, slope' = slope + noise, lag' = kept x lag + noise
(Harvey, 1989, "Forecasting, structural time series models and the Kalman filter"): a grid of how
much is kept, of the variances' ratios and of how stiff the slope is, the common scale integrated
out, weights by marginal likelihood. So how far a slope is known, how fast it has been changing and
what of it is chance all come from the series itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trends", "drawn", "fitted"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# What is kept of the lag from day to day, and its share of what is not trend: all that differ.
_LAGS = (
    (0.0, 0.0),
    *((kept, share) for kept in (0.5, 0.8, 0.94, 1.0) for share in (0.05, 0.25, 0.6, 1.0)),
)
# Steps of the slope in a day, by the noise of the series.
_STIFF: Floats = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
# How likely a slope is to stay, and by what share of it, in a day, it moves else.
_STAYS, _MOVES, _WIDE = 0.7, 0.02, 1.0
# A slope is taken for at least so much of the level in a day, and of the usual step.
_LEAST_SLOPE, _LEAST_SHARE = 5e-4, 1e-4
_FREE, _SLOPE_FREE = 1e4, 1.0
_SHAPE, _SCALE = 1.0, 1e-4
_FIRST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Trends after the last value, (M,) each: `weights` that add up to 1.

    `state` (3, M) of level, slope and lag, and `covariance` (3, 3, M), in units of `unit` above
    `origin`; `noise`, `kept`, `lag_step` and `slope_step` (M,) as in the module's formula, as
    variances relative to a scale, of which `shape` and `scale` (M,) tell (inverse gamma).
    `evidence`: the logarithm of the marginal likelihood of the values `judged`, by position; the
    first ones only tell where the series begins.
    """

    origin: float
    unit: float
    weights: Floats
    state: Floats
    covariance: Floats
    noise: Floats
    kept: Floats
    lag_step: Floats
    slope_step: Floats
    shape: float
    scale: Floats
    evidence: float
    judged: Ints


def fitted(values: Floats, jumps: tuple[int, ...] = (), sizes: Floats | None = None) -> Trends:
    """The trends of a series: (n,), NaN where missing; at `jumps` its level may be any other.

    `sizes` (n,): how large what is not trend is on each day, of the last one; always the same where
    not told. ValueError where fewer than four values are known.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 4:
        raise ValueError(f"{len(known)} known values: at least 4")
    origin, levelled = float(values[known[0]]), _levelled(values, known, jumps)
    unit, run, freed = _unit(levelled, known), _Run(), set(jumps)
    squares = np.ones(len(values)) if sizes is None else sizes**2
    for at, value in enumerate((values - origin) / unit):
        run.step(at, float(value), float(squares[at]), is_free=at in freed)
    return run.trends(origin, unit, max(_slope(levelled, known) / unit, _LEAST_SHARE))


def _levelled(values: Floats, known: Ints, jumps: tuple[int, ...]) -> Floats:
    """The known values without what they moved by at jumps."""
    steps = np.diff(values[known])
    jumped = np.isin(known[1:], jumps)
    steps[jumped] = np.median(steps)
    levelled: Floats = values[known[0]] + np.concatenate([[0.0], np.cumsum(steps)])
    return levelled


def _unit(values: Floats, at: Ints) -> float:
    """The usual step from day to day."""
    steps = np.diff(values) / np.sqrt(np.diff(at))
    usual = float(np.sqrt(np.mean(steps**2)))
    return usual if usual > 0 else max(abs(float(values[0])), 1.0) * 1e-6


def _slope(values: Floats, at: Ints) -> float:
    """How much a day usually adds or takes: by the medians of the first and the last third."""
    third = max(len(values) // 3, 1)
    first, last = np.median(values[:third]), np.median(values[-third:])
    days = float(np.median(at[-third:]) - np.median(at[:third]))
    return max(abs(float(last - first)) / days, _LEAST_SLOPE * float(np.median(np.abs(values))))


class _Run:
    """One pass of the Kalman filter over the whole grid at once."""

    def __init__(self) -> None:
        lags = np.repeat(np.array(_LAGS).T, len(_STIFF), axis=1)
        self.kept, share = lags
        self.stiff = np.tile(_STIFF, len(_LAGS))
        self.noise = 1.0 - share
        self.lag_step = share * np.where(self.kept < 1, 1 - self.kept**2, 1.0)
        size = len(share)
        self.state, self.spread = np.zeros((3, size)), np.zeros((3, 3, size))
        self.spread[0, 0], self.spread[1, 1] = _FREE, _SLOPE_FREE
        self.spread[2, 2] = np.where(self.kept < 1, share, 0.0)
        self.squares, self.logs, self.skip = np.zeros(size), np.zeros(size), _FIRST
        self.judged: list[int] = []

    def step(self, at: int, value: float, size: float, *, is_free: bool) -> None:
        """A day on, and its value, if there is one."""
        level, slope, lag = self.state
        self.state = np.stack([level + slope, slope, self.kept * lag])
        self._spread_on(size)
        if is_free:
            self.spread[0, 0] += _FREE
            self.skip = max(self.skip, 1)
        if np.isfinite(value):
            self._learn(at, value, size)

    def _spread_on(self, size: float) -> None:
        of = self.spread
        of[0] += of[1]
        of[:, 0] += of[:, 1]
        of[2] *= self.kept
        of[:, 2] *= self.kept
        of[1, 1] += self.stiff**2
        of[2, 2] += self.lag_step * size

    def _learn(self, at: int, value: float, size: float) -> None:
        of = self.spread
        seen = of[:, 0] + of[:, 2]
        off = value - self.state[0] - self.state[2]
        spread = seen[0] + seen[2] + self.noise * size
        gain = seen / spread
        self.state += gain * off
        of -= gain[:, None] * seen[None]
        if self.skip:
            self.skip -= 1
            return
        self.judged.append(at)
        self.squares += off**2 / spread
        self.logs += np.log(spread)

    def trends(self, origin: float, unit: float, slope: float) -> Trends:
        """What is known after the last value."""
        shape, scale = _SHAPE + len(self.judged) / 2, _SCALE + self.squares / 2
        told = (
            np.log(self._prior(np.sqrt(scale / shape) / slope))
            - shape * np.log(scale)
            - self.logs / 2
        )
        most = float(told.max())
        weights = np.exp(told - most)
        evidence = most + float(np.log(weights.sum())) - len(self.judged) * float(np.log(unit))
        return Trends(
            origin=origin,
            unit=unit,
            weights=weights / weights.sum(),
            state=self.state,
            covariance=self.spread,
            noise=self.noise,
            kept=self.kept,
            lag_step=self.lag_step,
            slope_step=self.stiff**2,
            shape=shape,
            scale=scale,
            evidence=evidence,
            judged=np.array(self.judged, dtype=np.int64),
        )

    def _prior(self, scale: Floats) -> Floats:
        """How likely each is before: by how fast its slope moves, `scale` as a share of it."""
        moves = np.log(np.maximum(self.stiff * scale, 1e-12) / _MOVES) / _WIDE
        likely = np.where(self.stiff > 0, np.exp(-(moves**2) / 2), 0.0).reshape(len(_LAGS), -1)
        moving = (1 - _STAYS) * likely / np.maximum(likely.sum(axis=1, keepdims=True), 1e-12)
        moving[:, 0] = _STAYS
        prior: Floats = np.maximum(moving.ravel(), 1e-12)
        return prior


def drawn(trends: Trends, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Futures, equally likely: (count, ahead)."""
    of = rng.choice(len(trends.weights), size=count, p=trends.weights)
    scale = np.sqrt(trends.scale[of] / rng.gamma(trends.shape, size=count))
    level, slope, lag = trends.state[:, of] + scale * _off(trends.covariance[:, :, of], rng)
    noise, lag_step, slope_step = (
        scale * np.sqrt(some[of]) for some in (trends.noise, trends.lag_step, trends.slope_step)
    )
    kept, paths = trends.kept[of], np.empty((ahead, count))
    for day, (first, second, third) in enumerate(rng.standard_normal((ahead, 3, count))):
        level = level + slope
        lag = kept * lag + lag_step * first
        slope = slope + slope_step * second
        paths[day] = level + lag + noise * third
    futures: Floats = trends.origin + trends.unit * paths.T
    return futures


def _off(covariance: Floats, rng: np.random.Generator) -> Floats:
    """How far states may be from their means: (3, count), by a root of each covariance."""
    sizes, turns = np.linalg.eigh(np.moveaxis(covariance, 2, 0))
    normal = rng.standard_normal(sizes.shape) * np.sqrt(np.maximum(sizes, 0.0))
    off: Floats = np.einsum("nij,nj->in", turns, normal)
    return off
