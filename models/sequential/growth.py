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

__all__ = ["WINDOW_S", "AtAge", "Growth", "closing_slopes", "growth", "usual_growth"]

Array = NDArray[np.float64]

# One slope of each ten minutes of age; after an hour a unit has its size, whatever its age.
WINDOW_S = 600.0
_SETTLED = 6
_STARTS = 3
# Share of a window's bins that must be there, and the least sd of slopes in ten minutes.
_PRESENT = 0.8
_LEAST = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class AtAge:
    """What `starts` reference starts showed in one window of age: `median` log growth in it.

    `variance` of what one more start would show.
    """

    median: float
    variance: float
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What is usual by window of age; the last window is of every age beyond."""

    usual: Mapping[int, AtAge]

    def excess(self, slope: Array, window: NDArray[np.int64]) -> tuple[Array, Array]:
        """Slopes beyond what is usual at their age, and their variance; NaN, inf where unknown."""
        y, variance = np.full(slope.shape, np.nan), np.full(slope.shape, np.inf)
        for at, usual in self.usual.items():
            here = np.isfinite(slope) & (np.minimum(window, _SETTLED) == at)
            y[here], variance[here] = slope[here] - usual.median, usual.variance
        return y, variance

    def with_more(self, other: Growth) -> Growth:
        """Of each window what more starts have shown."""
        both = dict(self.usual)
        for at, usual in other.usual.items():
            if at not in both or usual.starts > both[at].starts:
                both[at] = usual
        return Growth(usual=both)


def closing_slopes(value: Array, age: Array, step_s: float) -> tuple[Array, NDArray[np.int64]]:
    """Log growth in ten minutes, at the first bin after each window of age, and which window it is.

    `value`, `age` (units, T), bins of `step_s`; NaN at all other bins. A restart ends a window.
    """
    width = round(WINDOW_S / step_s)
    passed = (np.where(np.isfinite(age), age, -1.0) // WINDOW_S).astype(np.int64)
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


def growth(value: Array, age: Array, step_s: float) -> Growth:
    """What reference starts (units, T) showed at each age; of no age that fewer than three had."""
    return usual_growth(*closing_slopes(value, age, step_s))


def usual_growth(slope: Array, window: NDArray[np.int64]) -> Growth:
    """The same from slopes of starts, (units, N), NaN where there is none."""
    known = np.isfinite(slope)
    usual: dict[int, AtAge] = {}
    for at in range(_SETTLED + 1):
        here = known & (np.minimum(window, _SETTLED) == at)
        each = [float(np.median(s[h])) for s, h in zip(slope, here, strict=True) if h.any()]
        if len(each) >= _STARTS:
            spread = max(float(np.var(slope[here], ddof=1)), _LEAST**2)
            usual[at] = AtAge(
                median=float(np.median(each)),
                variance=spread * (1 + 1 / len(each)),
                starts=len(each),
            )
    return Growth(usual=usual)
