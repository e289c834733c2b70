"""How good forecasts of a series were: told at moments of its past, held against what came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.forecast.history import History, ShortHistoryError
from models.forecast.outcome import Forecast

__all__ = ["Hindsight", "hindsight", "seasonal_scale"]

Floats: TypeAlias = NDArray[np.float64]
Forecaster: TypeAlias = Callable[[History, int], Forecast]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """One forecast held against what came, over the `compared` steps of it that were measured.

    `mase`: mean absolute error, of which one is that of the week before in its own past (Hyndman
    and Koehler 2006). `smape` in per cent. `covered`: the share of steps within the interval.
    `interval_score`: of Gneiting and Raftery (2007), by the same scale as `mase`. `bias`: the mean
    error by that scale, positive where too much was told.
    """

    at_ms: int
    compared: int
    mase: float
    smape: float
    covered: float
    interval_score: float
    bias: float


def hindsight(
    history: History,
    ahead: int,
    forecast: Forecaster,
    *,
    origins: int,
    every: int,
    coverage: float = 0.9,
) -> tuple[Hindsight, ...]:
    """At most `origins` forecasts of `ahead` steps, oldest first, begun `every` steps apart.

    Each sees the history up to its origin alone; those for which that is too little are left out.
    `ShortHistoryError` where it is for all, ValueError where nothing was measured after any.
    """
    told = tuple(_each(history, ahead, forecast, origins, every, coverage))
    if not told:
        raise ValueError(f"nothing was measured in the {ahead} steps after any origin")
    return told[::-1]


def seasonal_scale(values: Floats, season: int) -> float:
    """The mean absolute difference of values one season apart; NaN where there is no such pair.

    >>> seasonal_scale(np.array([1.0, 5.0, 2.0, 7.0]), 2)
    1.5
    """
    apart = np.abs(values[season:] - values[:-season])
    known = apart[np.isfinite(apart)]
    return float(known.mean()) if len(known) else float("nan")


def _each(
    history: History,
    ahead: int,
    forecast: Forecaster,
    origins: int,
    every: int,
    coverage: float,
) -> Iterator[Hindsight]:
    """The newest origin first; it ends where one has too little before it."""
    for number in range(origins):
        cut = max(len(history.values) - ahead - number * every, 0)
        try:
            told = forecast(_until(history, cut), ahead)
        except ShortHistoryError as error:
            if number == 0:
                more = ahead * history.step_s
                raise ShortHistoryError(
                    needs_s=error.needs_s + more, has_s=error.has_s + more
                ) from error
            return
        came = history.values[cut : cut + ahead]
        if np.isfinite(came).any():
            scale = seasonal_scale(history.values[:cut], 7 * history.day)
            yield _held(told, came, scale, coverage)


def _until(history: History, cut: int) -> History:
    """What was known at a position."""
    changes = tuple(change for change in history.changes if change < cut)
    return replace(history, values=history.values[:cut], changes=changes)


def _held(told: Forecast, came: Floats, scale: float, coverage: float) -> Hindsight:
    there = np.isfinite(came)
    came, point = came[there], told.point[there]
    low, high = (bound[there] for bound in told.interval(coverage))
    error = np.abs(point - came)
    size = np.abs(point) + np.abs(came)
    outside = np.maximum(low - came, 0) + np.maximum(came - high, 0)
    score = high - low + 2 / (1 - coverage) * outside
    scale = scale if scale > 0 else float("nan")
    return Hindsight(
        at_ms=told.start_ms,
        compared=int(there.sum()),
        mase=float(error.mean() / scale),
        smape=float(100 * np.mean(2 * error / np.where(size > 0, size, 1.0))),
        covered=float(np.mean(outside <= 0)),
        interval_score=float(score.mean() / scale),
        bias=float(np.mean(point - came) / scale),
    )
