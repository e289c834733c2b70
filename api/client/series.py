"""Series of pandas as arrays: on an even grid, in UTC, bounded."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DAY_S",
    "HOUR_S",
    "Grid",
    "each",
    "grid_of",
    "milliseconds_of",
    "numbers_of",
    "seconds_of",
    "times_of",
]

HOUR_S, DAY_S = 3600, 86_400
# Values that are taken of one series, and steps that a grid has at most: ten years of hours.
_MOST_VALUES, _MOST_STEPS = 10_000_000, 90_000
_MOST_SERIES = 10_000
# Days as everything else of ours writes them; pandas is to know them by a capital letter alone.
_DAYS = re.compile(r"(?<=\d)d$")
Grid: TypeAlias = "tuple[int, int, NDArray[np.float64]]"


def each(given: pd.Series | pd.DataFrame) -> Iterator[tuple[Hashable, pd.Series]]:
    """The series of a frame with their names, or the one that was given."""
    import pandas as pd

    if isinstance(given, pd.Series):
        yield given.name, given
        return
    if not isinstance(given, pd.DataFrame):
        raise InputError("history: give a Series or a DataFrame of pandas", field="history")
    if not 1 <= given.shape[1] <= _MOST_SERIES:
        words = f"history: {given.shape[1]} columns, not between 1 and {_MOST_SERIES}"
        raise InputError(words, field="history")
    if not given.columns.is_unique:
        raise InputError("history: two columns have one name", field="history")
    yield from ((name, given[name]) for name in given.columns)


def milliseconds_of(index: pd.Index, field: str) -> NDArray[np.int64]:
    """An index of times as unix milliseconds; `InputError` where it has no time zone."""
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(f"{field}: its index has no times (a DatetimeIndex)", field=field)
    if index.tz is None:
        words = f"{field}: its times have no time zone; say it: {field}.tz_localize('UTC')"
        raise InputError(words, field=field)
    if index.hasnans:
        raise InputError(f"{field}: a time is missing (NaT)", field=field)
    if not 1 <= len(index) <= _MOST_VALUES:
        words = f"{field}: {len(index)} values, not between 1 and {_MOST_VALUES}"
        raise InputError(words, field=field)
    at: NDArray[np.int64] = index.as_unit("ms").asi8
    return at


def grid_of(series: pd.Series, *, step_s: int | None, how: str, field: str = "history") -> Grid:
    """Begin (unix ms), step and values of an even grid: the `how` of what lies in each step.

    Hours where values are at most one apart, else days, unless `step_s` says it. Steps without a
    value are NaN. `InputError` where it is no series of numbers over time.
    """
    at = milliseconds_of(series.index, field)
    values = numbers_of(series, field)
    step = step_s or (HOUR_S if _apart_s(at) <= HOUR_S else DAY_S)
    if step not in {HOUR_S, DAY_S}:
        raise InputError("step: it is an hour or a day", field="step")
    place = at // (1000 * step)
    first = int(place.min())
    steps = int(place.max()) - first + 1
    if steps > _MOST_STEPS:
        words = f"{field}: {steps} steps, above {_MOST_STEPS}; take a longer step or less of it"
        raise InputError(words, field=field)
    return first * 1000 * step, step, _summed(place - first, values, steps, how)


def _apart_s(at: NDArray[np.int64]) -> float:
    """How far apart values mostly are."""
    apart = np.diff(np.unique(at))
    return float(np.median(apart)) / 1000 if len(apart) else DAY_S


def numbers_of(series: pd.Series, field: str) -> NDArray[np.float64]:
    """Its values, NaN where one is missing; `InputError` for what is no finite number."""
    try:
        values: NDArray[np.float64] = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"{field}: its values are no numbers", field=field) from error
    if np.isinf(values).any():
        raise InputError(f"{field}: a value is infinite", field=field)
    return values


def _summed(
    place: NDArray[np.int64], values: NDArray[np.float64], steps: int, how: str
) -> NDArray[np.float64]:
    known = np.isfinite(values)
    place, values = place[known], values[known]
    count = np.bincount(place, minlength=steps)
    match how:
        case "mean":
            total = np.bincount(place, weights=values, minlength=steps)
            return np.where(count > 0, total / np.maximum(count, 1), np.nan)
        case "max":
            most = np.full(steps, -np.inf)
            np.maximum.at(most, place, values)
            return np.where(count > 0, most, np.nan)
    raise InputError(f"how: {how!r} is neither 'mean' nor 'max'", field="how")


def times_of(at: NDArray[np.int64]) -> pd.DatetimeIndex:
    """Unix milliseconds as times in UTC."""
    import pandas as pd

    return pd.DatetimeIndex(pd.to_datetime(at, unit="ms", utc=True)).as_unit("ns")


def seconds_of(span: str | float | pd.Timedelta, field: str) -> float:
    """A span of time in seconds, as "14d", a Timedelta, or a number of seconds."""
    import pandas as pd

    told = _DAYS.sub("D", span) if isinstance(span, str) else span
    try:
        found = (
            pd.Timedelta(told, unit="s") if isinstance(told, int | float) else pd.Timedelta(told)
        )
    except (TypeError, ValueError, OverflowError) as error:
        words = f"{field}: {span!r} is no span of time; write 14d or 6h"
        raise InputError(words, field=field) from error
    if found is pd.NaT or found <= pd.Timedelta(0):
        raise InputError(f"{field}: {span!r} is not above 0", field=field)
    return float(found.total_seconds())
