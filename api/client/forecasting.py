"""Forecasts of series of pandas, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from api.client.series import Grid, each, grid_of, seconds_of, times_of
from detector.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from models.forecast.history import History
    from models.forecast.outcome import Forecast

__all__ = ["forecast", "history_of"]

_COVERAGE = 0.9


def forecast(
    history: pd.Series | pd.DataFrame,
    horizon: str | float | pd.Timedelta,
    *,
    step: str | pd.Timedelta | None = None,
    how: str = "mean",
    coverage: float = _COVERAGE,
    changes: Sequence[datetime] = (),
    floor: float | None = None,
    ceiling: float | None = None,
) -> pd.DataFrame:
    """What a series will be: `point`, and `low` and `high` between which it lies by `coverage`.

    `history` has an index of times with a time zone; each value of the grid (hours, or days where
    values are rarer, or `step`) is the `how` ("mean" or "max") of what lies in it, and steps
    without one are missing. `horizon` is how far ahead, as "14d". From `changes` on the level may
    have been moved by what somebody did. Values stay between `floor` and `ceiling`.

    Of a Series the result is by time (`at`, the begin of each step, in UTC); its `attrs` have
    `mase`, `weights`, `shifts` and `assumptions`, what it rests on in sentences. Of a DataFrame it
    is by `series` and `at`, and `attrs` have those by series. `InputError` says which of these
    cannot be, as a history that is too short.
    """
    import pandas as pd

    if not 0 < coverage < 1:
        raise InputError(f"coverage: {coverage} is not between 0 and 1", field="coverage")
    ahead_s = seconds_of(horizon, "horizon")
    step_s = None if step is None else round(seconds_of(step, "step"))
    told: dict[Any, pd.DataFrame] = {}
    for name, series in each(history):
        grid = grid_of(series, step_s=step_s, how=how)
        past = history_of(grid, changes=changes, floor=floor, ceiling=ceiling)
        told[name] = _frame(_forecast(past, ahead_s, name), past, coverage)
    if isinstance(history, pd.Series):
        return told[history.name]
    joined = pd.concat(told, names=["series", "at"])
    joined.attrs = {name: one.attrs for name, one in told.items()}
    return joined


def history_of(
    grid: Grid,
    *,
    changes: Sequence[datetime] = (),
    floor: float | None = None,
    ceiling: float | None = None,
) -> History:
    """A grid as the models take it; changes outside of it are left out."""
    from models.forecast.history import History

    start_ms, step_s, values = grid
    try:
        return History(
            values=values,
            start_ms=start_ms,
            step_s=step_s,
            changes=_places(changes, start_ms, step_s, len(values)),
            floor=floor,
            ceiling=ceiling,
        )
    except ValueError as error:
        raise InputError(f"history: {error}", field="history") from error


def _places(changes: Sequence[datetime], start_ms: int, step_s: int, steps: int) -> tuple[int, ...]:
    """The steps from which on changes count; those before and after the history are left out."""
    found = set()
    for at in changes:
        if at.utcoffset() is None:
            raise InputError(f"changes: {at} has no time zone", field="changes")
        place = int((at.timestamp() * 1000 - start_ms) // (1000 * step_s))
        found |= {place} if 0 < place < steps else set()
    return tuple(sorted(found))


def _forecast(history: History, ahead_s: float, name: object) -> Forecast:
    from models.forecast.ensemble import MOST_AHEAD, forecast
    from models.forecast.history import ShortHistoryError

    ahead = int(np.ceil(ahead_s / history.step_s))
    if ahead > MOST_AHEAD:
        words = f"horizon: {ahead} steps ahead, above {MOST_AHEAD}"
        raise InputError(words, field="horizon")
    try:
        return forecast(history, ahead)
    except ShortHistoryError as error:
        whose = "" if name is None else f"{name}: "
        raise InputError(f"{whose}{error}", field="history", semantic=True) from error


def _frame(told: Forecast, history: History, coverage: float) -> pd.DataFrame:
    import pandas as pd

    from detector.capacity.doubts import doubts_of

    low, high = told.interval(coverage)
    before, ahead = len(history.values), len(told.point)
    at = times_of(history.starts(ahead))
    index = pd.DatetimeIndex(at[before:], name="at")
    frame = pd.DataFrame({"point": told.point, "low": low, "high": high}, index=index)
    frame.attrs = {
        "mase": told.mase,
        "weights": dict(told.weights),
        "shifts": {at[place]: moved for place, moved in told.shifts.items()},
        "assumptions": list(doubts_of(history, told)),
    }
    return frame
