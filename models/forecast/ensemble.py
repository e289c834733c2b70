"""The forecast of one series."""

from __future__ import annotations

import numpy as np

from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.outcome import LEVELS, Forecast

__all__ = ["MOST_AHEAD", "forecast"]

# Steps ahead that are told at most.
MOST_AHEAD = 10_000


def forecast(history: History, ahead: int) -> Forecast:
    """What the next `ahead` steps will be.

    `ShortHistoryError` where the history has too little to tell, ValueError where `ahead` is no
    number between 1 and `MOST_AHEAD`.
    """
    week = 7 * history.day
    if not 1 <= ahead <= MOST_AHEAD:
        raise ValueError(f"ahead {ahead}: between 1 and {MOST_AHEAD}")
    known = np.isfinite(history.values)
    if known.sum() < 2 * week:
        raise ShortHistoryError(needs_s=14 * DAY_S, has_s=int(known.sum()) * history.step_s)
    values = np.interp(np.arange(len(known)), np.flatnonzero(known), history.values[known])
    last = values[-week:]
    point = np.resize(last, ahead)
    errors = np.quantile(values[week:] - values[:-week], LEVELS)
    wider = np.sqrt(1 + np.arange(ahead) // week)
    return Forecast(
        start_ms=int(history.starts(1)[-1]),
        step_s=history.step_s,
        point=point,
        errors=errors[:, None] * wider,
        weights={"last week": 1.0},
        mase=1.0,
        floor=history.floor,
        ceiling=history.ceiling,
    )
