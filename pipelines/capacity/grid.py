"""Hours or days of a past, and what a query says of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detector.capacity.packs.schema import Fold
from detector.errors import SourceError
from detector.series import Answer, FloatArray

__all__ = ["Grid", "Labels", "Rows", "folded", "grid_of", "labels_of", "rows_of", "whole"]

Labels = frozenset[tuple[str, str]]
Rows = Mapping[Labels, FloatArray]
HOUR_S, DAY_S = 3600, 86_400
# Longer pasts are told by days: 90 days have as many hours as a forecast needs.
_HOURLY_DAYS = 90
# How often a query is looked at within an hour or a day.
_WITHIN = {HOUR_S: 300, DAY_S: 900}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """`count` bins of `step_s` seconds, the last of which ends at `end` (unix seconds)."""

    end: int
    step_s: int
    count: int

    @property
    def start(self) -> int:
        """When the first begins, in unix seconds."""
        return self.end - self.step_s * self.count

    @property
    def ends(self) -> FloatArray:
        """When each ends, in unix seconds: (count,)."""
        return self.start + self.step_s * np.arange(1, self.count + 1, dtype=np.float64)


def grid_of(as_of: float, days: int) -> Grid:
    """The whole hours, or days of UTC, of so many days up to a moment.

    >>> grid_of(86_400 * 10 + 4000, 2)
    Grid(end=867600, step_s=3600, count=48)
    >>> grid_of(86_400 * 400 + 4000, 200).step_s
    86400
    """
    step_s = HOUR_S if days <= _HOURLY_DAYS else DAY_S
    return Grid(end=int(as_of // step_s) * step_s, step_s=step_s, count=days * DAY_S // step_s)


def folded(query: str, fold: Fold, step_s: int) -> str:
    """A query of what it was within each bin, by its highest, its lowest or its mean.

    >>> folded("sum(used)", Fold.MAX, 3600)
    'max_over_time((sum(used))[3600s:300s])'
    """
    function = {Fold.MAX: "max", Fold.MEAN: "avg", Fold.MIN: "min"}[fold]
    return f"{function}_over_time(({query})[{step_s}s:{_WITHIN[step_s]}s])"


def whole(answer: Answer) -> Answer:
    """The answer, unless the source warns that series may be missing: then `SourceError`.

    A limit that is missing would look like none, and a disk that is missing like no disk.
    """
    if answer.warnings:
        raise SourceError(f"the source warns that series may be missing: {answer.warnings[0]}")
    return answer


def rows_of(answer: Answer, grid: Grid) -> dict[Labels, FloatArray]:
    """What was said of each bin by each series, NaN where nothing was: (count,) each.

    What is infinite, or below zero, is no amount of anything. Series of the same labels are one.
    """
    rows: dict[Labels, FloatArray] = {}
    for series in answer.series:
        at = np.round((series.times - grid.start) / grid.step_s).astype(np.int64) - 1
        is_amount = np.isfinite(series.values) & (series.values >= 0)
        inside = (at >= 0) & (at < grid.count) & is_amount
        row = rows.setdefault(labels_of(series.labels), np.full(grid.count, math.nan))
        row[at[inside]] = series.values[inside]
    return rows


def labels_of(labels: Mapping[str, str]) -> Labels:
    """What tells a series from the others of its query."""
    return frozenset((name, value) for name, value in labels.items() if value and name[:2] != "__")
