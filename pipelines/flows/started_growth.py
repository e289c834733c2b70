"""How memory grew at each age of the pods that a service started in the last weeks.

A canary is ten minutes old when its control is days old: only earlier starts say what is usual of
a young pod. A self-check learns it once and keeps it beside its certificate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.backtest.placebos import Life
from detector.gate.promotion import MEMORY
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query
from detector.signals.plan import AgeGrowth, Family, Plan
from models.sequential.growth import WINDOW_S, growth
from pipelines.flows.locate import Discover

__all__ = ["WithGrowth", "growth_of_starts"]

# Wide enough for any scrape interval.
_BIN_S, _WINDOWS = 60.0, 7
# More starts than these say little more, and each costs a read of seventy minutes.
_STARTS = 40


def growth_of_starts(
    plan: Plan,
    lives: Sequence[Life],
    source: MetricSource,
    *,
    timeout_s: float,
    scale: float = 1.0,
) -> tuple[AgeGrowth, ...]:
    """By window of age what the newest starts showed; of no age that fewer than three reached.

    Nothing where the plan has no memory. `SourceError`: the source does not answer.
    """
    bound = next((b for b in plan.signals if b.signal.name == MEMORY), None)
    born = sorted((life for life in lives if life.born > -math.inf), key=lambda life: life.born)
    if bound is None or not born:
        return ()
    rows = [_held(bound.total, life, source, timeout_s, scale) for life in born[-_STARTS:]]
    age = (np.arange(len(rows[0])) + 1) * _BIN_S
    found = growth(np.stack(rows), np.tile(age, (len(rows), 1)), _BIN_S)
    return tuple(
        AgeGrowth(window=at, median=one.median, variance=one.variance, starts=one.starts)
        for at, one in sorted(found.usual.items())
    )


def _held(
    family: Family, life: Life, source: MetricSource, timeout_s: float, scale: float
) -> FloatArray:
    """What a pod held in each bin of its first hour and a bit; NaN where nothing was seen."""
    bins = round(_WINDOWS * WINDOW_S / _BIN_S) + 1
    end = min(life.born + bins * _BIN_S * scale, life.gone)
    pod = Matcher(family.pod_label, MatchOp.EQUAL, life.pod)
    query = Query(family.metric, (*family.matchers, pod))
    (answer,) = source.read([query], life.born - _BIN_S * scale, end, timeout_s=timeout_s)
    held = np.full(bins, np.nan)
    for means in _means(answer, life.born, _BIN_S * scale, bins):
        known = np.isfinite(means)
        held[known] = np.nan_to_num(held[known]) + means[known]
    return held


def _means(answer: Answer, born: float, step: float, bins: int) -> Iterator[FloatArray]:
    """Each series as means of bins of age."""
    for series in answer.series:
        at = np.floor((series.times - born) / step).astype(np.int64)
        good = (at >= 0) & (at < bins) & np.isfinite(series.values)
        count = np.bincount(at[good], minlength=bins)
        total = np.bincount(at[good], weights=series.values[good], minlength=bins)
        yield np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, slots=True)
class WithGrowth:
    """A discovery whose plans know what earlier starts did."""

    discover: Discover
    growth: tuple[AgeGrowth, ...]

    def __call__(
        self,
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        """The plan with it."""
        plan = self.discover(catalog, request, start=start, end=end, timeout_s=timeout_s)
        signals = tuple(
            replace(bound, usual=self.growth) if bound.signal.name == MEMORY else bound
            for bound in plan.signals
        )
        return replace(plan, signals=signals)
