"""The course of series over days, coarsely, made of raw samples that are at hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from detector.series import Answer, FloatArray, Series

__all__ = ["LOOKBACK_S", "outlined"]

# As far back as Prometheus looks for the newest sample.
LOOKBACK_S = 300.0


def outlined(
    read: Callable[[float, float], Sequence[Answer]], start: float, end: float, *, step_s: float
) -> tuple[Answer, ...]:
    """As `MetricOutline.outline`, of what `read` gives between two times."""
    first, last = math.floor(start / step_s) + 1, math.floor(end / step_s)
    grid: FloatArray = step_s * np.arange(first, last + 1, dtype=np.float64)
    return tuple(
        Answer(series=[_on(one, grid) for one in answer.series], warnings=answer.warnings)
        for answer in read(start - LOOKBACK_S, end)
    )


def _on(series: Series, grid: FloatArray) -> Series:
    """A series at the times of a grid where it has a sample not much older."""
    at = series.times.searchsorted(grid, side="right") - 1
    there = (at >= 0) & (grid - series.times[at] < LOOKBACK_S)
    return Series(labels=series.labels, times=grid[there], values=series.values[at[there]])
