"""How far off futures were: drawn at moments of the past, their middle held against what came."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.growth.futures import LEAST_DAYS, futures
from models.hindsight import seasonal_scale

__all__ = ["REACH_DAYS", "mase"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# What is told for two weeks, twice: four and two weeks ago.
REACH_DAYS, _ORIGINS = 14, 2
_FUTURES, _WEEK = 100, 7


def mase(
    values: Floats, weekday: Ints, rng: np.random.Generator, *, jumps: tuple[int, ...] = ()
) -> float:
    """The mean absolute error, of which one is that of the week before in its own past.

    `values` (n,) one a day, NaN where missing, with their `weekday` (n,), as `futures` takes them;
    each forecast sees what was known at its moment alone. NaN where at both moments too little was
    known, or nothing moved before; a moment in a gap is left out. After Hyndman and Koehler, 2006,
    "Another look at measures of forecast accuracy".
    """
    errors = list(_errors(values, weekday, rng, jumps))
    return float(np.mean(np.concatenate(errors))) if errors else float("nan")


def _errors(
    values: Floats, weekday: Ints, rng: np.random.Generator, jumps: tuple[int, ...]
) -> Iterator[Floats]:
    """Of each moment, the oldest first, the scaled errors of the days that were measured."""
    for back in range(_ORIGINS, 0, -1):
        cut = len(values) - back * REACH_DAYS
        past = values[: max(cut, 0)]
        if np.isfinite(past).sum() < LEAST_DAYS or not np.isfinite(past[-1]):
            continue
        scale = seasonal_scale(past, _WEEK)
        came = values[cut : cut + REACH_DAYS]
        known = np.isfinite(came)
        if not scale > 0 or not known.any():
            continue
        told = futures(
            past,
            weekday[: cut + REACH_DAYS],
            REACH_DAYS,
            _FUTURES,
            rng,
            jumps=tuple(at for at in jumps if at < cut),
        )
        middle = np.maximum(np.median(told.paths, axis=0), 0.0)
        yield np.abs(came - middle)[known] / scale
