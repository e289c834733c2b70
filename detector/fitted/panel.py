"""The metrics of a service side by side: which columns its plan gives, and rows of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.series import Answer, Matcher, Query, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Shape

__all__ = ["Column", "Panel", "Part", "columns_of", "panel_of", "queries_of"]

Floats = NDArray[np.float64]

_BUCKETS = "_bucket"
# A column that is missing in more of the rows says too little about the rest.
_LEAST_PRESENT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Series added up: counters as rates per second, gauges as their mean.

    `of_pods`: only series of pods that serve requests count, by `pod_label`.
    """

    query: Query
    counts: bool
    of_pods: bool = False
    pod_label: str = "pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One metric of the panel: a part, or a part for each of another.

    Where `per` is there and `part` is not, it is zero: no error series is no errors.
    """

    name: str
    part: Part
    per: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Rows `x` (T, columns), NaN where missing; the first is `first` steps after 1970.

    `columns` say which series each of them is made of, where that is known.
    """

    metrics: tuple[str, ...]
    x: Floats
    first: int
    step_s: float
    columns: tuple[Column, ...] = ()


def columns_of(plan: Plan) -> tuple[Column, ...]:
    """Requests, and what each signal is made of; the same series once."""
    found = [Column(name="requests", part=_counted(plan.requests))]
    for bound in plan.signals:
        found += _columns(bound)
    kept: dict[tuple[Part, Part | None], Column] = {}
    for one in found:
        kept.setdefault((one.part, one.per), one)
    return tuple(kept.values())


def queries_of(columns: Sequence[Column]) -> tuple[Query, ...]:
    """What to ask for, each once."""
    parts = [part for one in columns for part in (one.part, one.per) if part is not None]
    return tuple(dict.fromkeys(part.query for part in parts))


def panel_of(
    columns: Sequence[Column],
    answers: Mapping[Query, Answer],
    *,
    first: int,
    rows: int,
    step_s: float,
) -> Panel:
    """The rows from answers of newest samples at each step; the first column tells the pods.

    Columns that are missing in most rows are left out.
    """
    grid = _Grid(first=first, rows=rows, step_s=step_s)
    requests = columns[0].part
    served = answers[requests.query].series
    pods = frozenset(one.labels.get(requests.pod_label, "") for one in served)
    values = {one.name: _values(one, answers, grid, pods) for one in columns}
    kept = [name for name, x in values.items() if np.isfinite(x).mean() >= _LEAST_PRESENT]
    x = np.stack([values[name] for name in kept], axis=1) if kept else np.zeros((rows, 0))
    return Panel(
        metrics=tuple(kept),
        x=x,
        first=first,
        step_s=step_s,
        columns=tuple(one for one in columns if one.name in kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    first: int
    rows: int
    step_s: float

    def laid(self, series: Series) -> Floats:
        """The samples of one series on the rows and the row before them; NaN where none is."""
        out = np.full(self.rows + 1, np.nan)
        at = np.rint(series.times / self.step_s).astype(np.int64) - self.first + 1
        inside = (at >= 0) & (at <= self.rows)
        out[at[inside]] = series.values[inside]
        return out


def _columns(bound: BoundSignal) -> list[Column]:
    name = bound.signal.name
    if bound.bad:
        bad = _counted(bound.bad_in or bound.total, bound.bad)
        return [Column(name=name, part=bad, per=_counted(bound.total))]
    if bound.total.shape is Shape.BUCKETS:
        count = _counted(bound.total)
        base = bound.total.metric.removesuffix(_BUCKETS)
        total = replace(count, query=replace(count.query, metric=f"{base}_sum"))
        return [Column(name=f"{name}_mean", part=total, per=count)]
    # When a pod started is no course that could be usual.
    if bound.total.shape is Shape.START_TIME:
        return []
    return [Column(name=name, part=_part(bound.total))]


def _counted(family: Family, more: tuple[Matcher, ...] = ()) -> Part:
    """The counter of a family; of a histogram its count."""
    part = _part(family)
    name = family.metric
    if family.shape is Shape.BUCKETS:
        name = f"{name.removesuffix(_BUCKETS)}_count"
    return replace(part, query=Query(metric=name, matchers=(*family.matchers, *more)), counts=True)


def _part(family: Family) -> Part:
    return Part(
        query=Query(metric=family.metric, matchers=family.matchers),
        counts=family.shape in {Shape.COUNTER, Shape.BUCKETS},
        of_pods=family.joined,
        pod_label=family.pod_label,
    )


def _values(
    column: Column, answers: Mapping[Query, Answer], grid: _Grid, pods: frozenset[str]
) -> Floats:
    top = _total(column.part, answers, grid, pods)
    if column.per is None:
        return top
    below = _total(column.per, answers, grid, pods)
    top = np.where(np.isnan(top) & (below > 0), 0.0, top)
    return np.where(below > 0, top / np.where(below > 0, below, 1.0), np.nan)


def _total(
    part: Part, answers: Mapping[Query, Answer], grid: _Grid, pods: frozenset[str]
) -> Floats:
    """A part on the rows: rates added up, or the mean of gauges; NaN where no series is."""
    total, seen = np.zeros(grid.rows), np.zeros(grid.rows)
    for series in answers[part.query].series:
        if part.of_pods and series.labels.get(part.pod_label, "") not in pods:
            continue
        laid = grid.laid(series)
        row = _rate(laid, grid.step_s) if part.counts else laid[1:]
        there = np.isfinite(row)
        total[there] += row[there]
        seen += there
    if not part.counts:
        total /= np.maximum(seen, 1)
    return np.where(seen > 0, total, np.nan)


def _rate(laid: Floats, step_s: float) -> Floats:
    """Increase per second from row to row; a counter that fell began anew at zero."""
    grown = np.diff(laid)
    rate: Floats = np.where(grown < 0, laid[1:], grown) / step_s
    return rate
