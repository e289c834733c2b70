"""Growth of what a unit holds, compared at equal age: young heaps and caches fill, and may.

The slope of the log over windows of age, beside the slopes that reference units had at that age
(section 3.4 of the method).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.gauge import log_slopes

__all__ = ["WINDOW_S", "Growth", "closing_slopes", "growth"]

Array = NDArray[np.float64]

# One slope of each ten minutes of age; after an hour a unit has its size, whatever its age.
WINDOW_S = 600.0
_SETTLED = 6
_STARTS = 3
# Share of a window's bins that must be there, and the least sd of slopes in ten minutes.
_PRESENT = 0.8
_LEAST = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """By window of age: median log growth in ten minutes of reference starts, and its variance.

    `starts` of the window with the fewest.
    """

    usual: Mapping[int, tuple[float, float]]
    starts: int

    def excess(self, slope: Array, window: NDArray[np.int64]) -> tuple[Array, Array]:
        """Slopes beyond what is usual at their age, and their variance; NaN, inf where unknown."""
        y, variance = np.full(slope.shape, np.nan), np.full(slope.shape, np.inf)
        for at, (middle, square) in self.usual.items():
            here = np.isfinite(slope) & (np.minimum(window, _SETTLED) == at)
            y[here], variance[here] = slope[here] - middle, square
        return y, variance


def closing_slopes(value: Array, age: Array, step_s: float) -> tuple[Array, NDArray[np.int64]]:
    """Log growth in ten minutes, at the first bin after each window of age, and which window it is.

    `value`, `age` (units, T), bins of `step_s`; NaN at all other bins. A restart ends a window.
    """
    width = round(WINDOW_S / step_s)
    passed = np.where(np.isnan(age), -1.0, age // WINDOW_S).astype(np.int64)
    window = np.pad(passed[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
    slope = np.full(value.shape, np.nan)
    times = np.arange(width) * np.float64(step_s)
    for unit, end in np.argwhere((passed > window) & (window >= 0)).tolist():
        span = slice(max(end - width, 0), end)
        held = np.where(_of_one_start(age[unit, span], step_s), value[unit, span], np.nan)
        if np.count_nonzero(held > 0) >= _PRESENT * width:
            slope[unit, end] = log_slopes(held[None], times[: len(held)])[0] * WINDOW_S
    return slope, window


def _of_one_start(age: Array, step_s: float) -> NDArray[np.bool_]:
    """The last bins, back to the newest start among them."""
    broken = ~(np.diff(age) > 0.5 * step_s)
    first = int(np.flatnonzero(broken)[-1]) + 1 if broken.any() else 0
    return np.arange(len(age)) >= first


def growth(value: Array, age: Array, step_s: float) -> Growth | None:
    """What reference starts (units, T) showed at each age; None of fewer than three at any age."""
    slope, window = closing_slopes(value, age, step_s)
    known = np.isfinite(slope)
    usual: dict[int, tuple[float, float]] = {}
    fewest = []
    for at in range(_SETTLED + 1):
        here = known & (np.minimum(window, _SETTLED) == at)
        each = [float(np.median(s[h])) for s, h in zip(slope, here, strict=True) if h.any()]
        if len(each) >= _STARTS:
            spread = max(float(np.var(slope[here], ddof=1)), _LEAST**2)
            usual[at] = float(np.median(each)), spread * (1 + 1 / len(each))
            fewest.append(len(each))
    return Growth(usual=usual, starts=min(fewest)) if usual else None
