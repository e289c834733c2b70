"""Counts of an objective's indicator from a source: what its counters grew, bin by bin."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.ports import MetricOutline
from detector.series import FloatArray, Query, Series
from detector.slo.counts import Counts, Flaw, counts_of
from detector.slo.objective import Counted

__all__ = ["STEP_S", "counts_in"]

Bools = NDArray[np.bool_]

STEP_S = 300.0


def counts_in(
    source: object, indicator: Counted, begin: float, end: float, *, timeout_s: float
) -> Counts | Flaw:
    """Bins of five minutes between two times; `InputError` for a source without an outline.

    A counter that fell began anew; one that appears where others were seen before counts from 0.
    Where the source warns that series may be missing, nothing is counted.
    A bin in which no counter of the total has a sample at both ends is a gap.
    """
    if not isinstance(source, MetricOutline):
        raise InputError("this source cannot tell the course of series over days", field="source")
    first, last = math.ceil(begin / STEP_S), math.floor(end / STEP_S)
    if last <= first:
        return Flaw.NO_DATA
    queries: tuple[Query, ...] = (indicator.part, indicator.total)
    answers = source.outline(
        queries, (first - 1) * STEP_S, last * STEP_S, step_s=STEP_S, timeout_s=timeout_s
    )
    if any(one.warnings for one in answers):
        return Flaw.PARTIAL_DATA
    rows = [[_on_grid(series, first, last) for series in one.series] for one in answers]
    there = np.zeros(last - first + 1, bool)
    for row in (*rows[0], *rows[1]):
        there |= np.isfinite(row)
    part, total = (_grown(some, there) for some in rows)
    # No series of failures beside a counted total is no failure; of successes it is none either.
    part = np.where(np.isnan(part) & np.isfinite(total), 0.0, part)
    return counts_of(
        part, total, part_is_good=indicator.part_is_good, end=last * STEP_S, step_s=STEP_S
    )


def _on_grid(series: Series, first: int, last: int) -> FloatArray:
    """The counter at each edge of the bins, NaN where it has no sample."""
    on = np.full(last - first + 1, np.nan)
    at = np.round(series.times / STEP_S).astype(np.int64) - first
    inside = (at >= 0) & (at <= last - first) & np.isfinite(series.values)
    on[at[inside]] = series.values[inside]
    return on


def _grown(rows: Sequence[FloatArray], there: Bools) -> FloatArray:
    """What all counters grew in each bin, NaN where none was seen at both ends."""
    grown, seen = np.zeros(len(there) - 1), np.zeros(len(there) - 1, bool)
    for on in rows:
        born = int(np.isfinite(on).argmax())
        if born > 0 and there[born - 1]:
            on[born - 1] = 0.0
        steps = np.diff(on)
        steps = np.where(steps < 0, on[1:], steps)
        seen |= np.isfinite(steps)
        grown += np.nan_to_num(steps)
    return np.where(seen, grown, np.nan)
