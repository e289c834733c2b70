"""A forecast: a point for each step ahead, how far off it may be, and futures drawn from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["LEVELS", "Forecast"]

Floats = NDArray[np.float64]
# Probabilities at which errors are kept.
LEVELS: Floats = np.array(
    [
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        0.95,
        0.975,
        0.99,
        0.995,
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a series will be, step by step.

    `point` (H,) in the unit of the series, the first for the `step_s` seconds from `start_ms`
    (unix). `errors` (K, H): what may be added to it, at the K probabilities `LEVELS`, ascending.
    `slow`: the share of the errors' variance that hangs together over `memory` steps; the rest is
    of each step alone. `weights`: share of each member. `mase`: mean absolute error at the origins
    tried in the past, of which one is the seasonal naive forecast's in its own past. `shifts`: by
    how much each known change moved the level, by position in the history.
    """

    start_ms: int
    step_s: int
    point: Floats
    errors: Floats
    slow: float = 0.5
    memory: float = 24.0
    weights: Mapping[str, float] = field(default_factory=dict)
    mase: float = float("nan")
    shifts: Mapping[int, float] = field(default_factory=dict)
    floor: float | None = None
    ceiling: float | None = None
    silent: int = 0
    strays: int = 0
    is_constant: bool = False

    def quantile(self, probability: float) -> Floats:
        """What each step stays below with this probability: (H,). Beyond `LEVELS`, the last."""
        share = float(np.interp(probability, LEVELS, np.arange(len(LEVELS))))
        low, part = int(share), share - int(share)
        high = min(low + 1, len(LEVELS) - 1)
        return self._within(self.point + (1 - part) * self.errors[low] + part * self.errors[high])

    def interval(self, coverage: float) -> tuple[Floats, Floats]:
        """Where each step lies with this probability: lower and upper, (H,) each."""
        return self.quantile(0.5 - coverage / 2), self.quantile(0.5 + coverage / 2)

    def paths(self, count: int, rng: np.random.Generator) -> Floats:
        """Futures, equally likely: (count, H). At each step they are spread as `errors` says."""
        normal = self._normal(count, rng)
        share = np.interp(ndtr(normal), LEVELS, np.arange(len(LEVELS)))
        low = np.minimum(share.astype(np.int64), len(LEVELS) - 2)
        part, step = share - low, np.arange(len(self.point))
        drawn = (1 - part) * self.errors[low, step] + part * self.errors[low + 1, step]
        return self._within(self.point + drawn)

    def _normal(self, count: int, rng: np.random.Generator) -> Floats:
        """Standard normal numbers, of which a part hangs together from step to step."""
        kept = float(np.exp(-1 / self.memory))
        new = rng.standard_normal((len(self.point), count)) * np.sqrt(1 - kept**2)
        level = rng.standard_normal(count)
        slow = np.empty_like(new)
        for step, drawn in enumerate(new):
            slow[step] = level = kept * level + drawn
        fast = rng.standard_normal(new.shape)
        mixed: Floats = (np.sqrt(self.slow) * slow + np.sqrt(1 - self.slow) * fast).T
        return mixed

    def _within(self, values: Floats) -> Floats:
        if self.floor is None and self.ceiling is None:
            return values
        return np.clip(values, self.floor, self.ceiling)
