"""Local linear trends of many stiffnesses, each weighed by how well it foretold the series.

y = level + noise, level' = level + slope + noise, slope' = slope + noise (Harvey, 1989,
"Forecasting, structural time series models and the Kalman filter"): a grid of the three variances'
ratios, the common scale integrated out, weights by marginal likelihood. So how far a slope is
known, how fast it has been changing and what of it is chance all come from the series itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trends", "drawn", "fitted"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Variances of the noise of a day, and of steps of level and slope, as shares: all combinations.
_LEVEL: Floats = np.array([0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
_SLOPE: Floats = np.array([0.0, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1])
# How likely each is before the series was seen.
_SLOPE_PRIOR: Floats = np.array([0.2, 0.2, 0.2, 0.2, 0.1, 0.1])
_FREE = 1e4
_SHAPE, _SCALE = 1.0, 1e-4
_FIRST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Trends after the last value, (M,) each: `weights` that add up to 1, state and its covariance.

    In units of `unit` above `origin`; variances relative to a scale, of which `shape` and `scale`
    (M,) say what is known (inverse gamma). `evidence`: the logarithm of the marginal likelihood.
    """

    origin: float
    unit: float
    weights: Floats
    level: Floats
    slope: Floats
    covariance: Floats
    noise: Floats
    level_step: Floats
    slope_step: Floats
    shape: float
    scale: Floats
    evidence: float
    judged: Ints


def fitted(values: Floats, jumps: tuple[int, ...] = ()) -> Trends:
    """The trends of a series: (n,), NaN where missing; at `jumps` its level may be any other.

    ValueError where fewer than four values are known.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 4:
        raise ValueError(f"{len(known)} known values: at least 4")
    origin, unit = float(values[known[0]]), _unit(values[known], known)
    share, stiff = (grid.ravel() for grid in np.meshgrid(_LEVEL, _SLOPE, indexing="ij"))
    noise, level_step, slope_step = 1.0 - share, share, stiff**2
    run = _Run(noise, level_step, slope_step)
    freed = set(jumps)
    for at, value in enumerate((values - origin) / unit):
        run.step(at, float(value), is_free=at in freed)
    return run.trends(origin, unit, np.tile(_SLOPE_PRIOR, len(_LEVEL)))


def _unit(values: Floats, at: Ints) -> float:
    """The usual step from day to day."""
    steps = np.diff(values) / np.sqrt(np.diff(at))
    usual = float(np.sqrt(np.mean(steps**2)))
    return usual if usual > 0 else max(abs(float(values[0])), 1.0) * 1e-6


class _Run:
    """One pass of the Kalman filter over all combinations at once."""

    def __init__(self, noise: Floats, level_step: Floats, slope_step: Floats) -> None:
        self.noise, self.level_step, self.slope_step = noise, level_step, slope_step
        size = len(noise)
        self.level, self.slope = np.zeros(size), np.zeros(size)
        self.of_level, self.of_both = np.full(size, _FREE), np.zeros(size)
        self.of_slope = np.ones(size)
        self.squares, self.logs, self.skip = np.zeros(size), np.zeros(size), _FIRST
        self.judged: list[int] = []

    def step(self, at: int, value: float, *, is_free: bool) -> None:
        """A day on, and its value, if there is one."""
        self.level = self.level + self.slope
        self.of_level = self.of_level + 2 * self.of_both + self.of_slope + self.level_step
        self.of_both = self.of_both + self.of_slope
        self.of_slope = self.of_slope + self.slope_step
        if is_free:
            self.of_level = self.of_level + _FREE
            self.skip = max(self.skip, 1)
        if np.isfinite(value):
            self._learn(at, value)

    def _learn(self, at: int, value: float) -> None:
        off, spread = value - self.level, self.of_level + self.noise
        gain, turn = self.of_level / spread, self.of_both / spread
        self.level, self.slope = self.level + gain * off, self.slope + turn * off
        self.of_slope = self.of_slope - turn * self.of_both
        self.of_both = self.of_both * (1 - gain)
        self.of_level = self.of_level * (1 - gain)
        if self.skip:
            self.skip -= 1
            return
        self.judged.append(at)
        self.squares, self.logs = self.squares + off**2 / spread, self.logs + np.log(spread)

    def trends(self, origin: float, unit: float, prior: Floats) -> Trends:
        """What is known after the last value."""
        shape, scale = _SHAPE + len(self.judged) / 2, _SCALE + self.squares / 2
        told = np.log(prior) - shape * np.log(scale) - self.logs / 2
        most = float(told.max())
        weights = np.exp(told - most)
        evidence = most + float(np.log(weights.sum())) - len(self.judged) * float(np.log(unit))
        return Trends(
            origin=origin,
            unit=unit,
            weights=weights / weights.sum(),
            level=self.level,
            slope=self.slope,
            covariance=np.stack([self.of_level, self.of_both, self.of_slope]),
            noise=self.noise,
            level_step=self.level_step,
            slope_step=self.slope_step,
            shape=shape,
            scale=scale,
            evidence=evidence,
            judged=np.array(self.judged, dtype=np.int64),
        )


def drawn(trends: Trends, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Futures, equally likely: (count, ahead)."""
    of = rng.choice(len(trends.weights), size=count, p=trends.weights)
    scale = np.sqrt(trends.scale[of] / rng.gamma(trends.shape, size=count))
    level, slope = _states(trends, of, scale, rng)
    noise, level_step, slope_step = (
        scale * np.sqrt(some[of]) for some in (trends.noise, trends.level_step, trends.slope_step)
    )
    paths = np.empty((ahead, count))
    for day, (first, second, third) in enumerate(rng.standard_normal((ahead, 3, count))):
        level = level + slope + level_step * first
        slope = slope + slope_step * second
        paths[day] = level + noise * third
    futures: Floats = trends.origin + trends.unit * paths.T
    return futures


def _states(
    trends: Trends, of: Ints, scale: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Level and slope at the end, as they may be."""
    of_level, of_both, of_slope = trends.covariance[:, of]
    first, second = rng.standard_normal((2, len(of)))
    root = np.sqrt(np.maximum(of_level, 1e-12))
    rest = np.sqrt(np.maximum(of_slope - (of_both / root) ** 2, 0.0))
    level = trends.level[of] + scale * root * first
    return level, trends.slope[of] + scale * (of_both / root * first + rest * second)
