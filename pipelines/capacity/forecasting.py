"""The forecast of one query: its past is read, and what it will be is told with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from detector.capacity.doubts import doubts_of
from detector.capacity.packs.schema import Fold
from detector.errors import InputError, SourceError
from models.baseline.calendar import Calendar
from models.forecast.history import History, ShortHistoryError
from pipelines.capacity.grid import Grid, folded, grid_of, rows_of, whole
from pipelines.capacity.ranges import Ranges

if TYPE_CHECKING:
    from models.forecast.outcome import Forecast

__all__ = ["Foretold", "Past", "foretold", "history_of"]

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """The past of a query, and what it will be; None where `problem` says why nothing is told.

    `assumptions`: what the forecast rests on, in sentences.
    """

    history: History
    forecast: Forecast | None
    problem: str | None = None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is read of a query: `days` up to unix seconds, each hour or day told by its `fold`.

    By hours where they are 90 days or less. `changes`: known ones, in unix ms.
    """

    as_of: float
    days: int = 90
    fold: Fold = Fold.MEAN
    calendar: Calendar = field(default_factory=Calendar)
    changes: Sequence[int] = ()


def foretold(ranges: Ranges, query: str, past: Past, *, ahead_s: int, timeout_s: float) -> Foretold:
    """What a query will be for so many seconds.

    `InputError` (field `query`) where it has several series, or the source refuses it;
    `SourceError`.
    """
    # The statistics are loaded where something is foretold, and not at every start.
    from models.forecast.ensemble import forecast

    grid = grid_of(past.as_of, past.days)
    history = history_of(ranges, query, grid=grid, fold=past.fold, timeout_s=timeout_s)
    marks = _positions(history, past.changes)
    history = replace(history, calendar=past.calendar, changes=marks)
    if not np.isfinite(history.values).any():
        return Foretold(history=history, forecast=None, problem="nothing was measured")
    try:
        told = forecast(history, max(1, -(-ahead_s // grid.step_s)))
    except ShortHistoryError as error:
        return Foretold(history=history, forecast=None, problem=str(error))
    return Foretold(history=history, forecast=told, assumptions=doubts_of(history, told))


def history_of(ranges: Ranges, query: str, *, grid: Grid, fold: Fold, timeout_s: float) -> History:
    """The past of a query with one series; `InputError` (field `query`), `SourceError`."""
    try:
        answer = ranges.ranged(
            folded(query, fold, grid.step_s),
            grid.ends[0],
            grid.ends[-1],
            step_s=float(grid.step_s),
            timeout_s=timeout_s,
        )
    except SourceError as error:
        if error.code == "query_rejected" and not error.retryable:
            raise InputError(str(error), field="query", semantic=True) from error
        raise
    rows = rows_of(whole(answer), grid)
    if len(rows) > 1:
        told = "; ".join(str(dict(sorted(one))) for one in sorted(rows, key=sorted)[:_NAMED])
        raise InputError(
            f"{len(rows):,} series: aggregate them, as sum(...), or select one; there are {told}",
            field="query",
            semantic=True,
        )
    values = next(iter(rows.values()), np.full(grid.count, np.nan))
    return History(values=values, start_ms=1000 * grid.start, step_s=grid.step_s, floor=0.0)


def _positions(history: History, changes: Sequence[int]) -> tuple[int, ...]:
    """In which steps they were."""
    size = len(history.values)
    found = {(at - history.start_ms) // (1000 * history.step_s) for at in changes}
    return tuple(sorted(at for at in found if 0 < at < size))
