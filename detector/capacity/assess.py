"""One resource assessed: futures of its worst days, with what-ifs on them, against its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from detector.capacity import driver
from detector.capacity.assessed import Assessment, Curve, Exhaustion, Headroom, Outlook
from detector.capacity.assumptions import assumed, problem_of
from detector.capacity.days import Days, days_of
from detector.capacity.exhaustion import AGAIN, exhausted, exhausted_since
from detector.capacity.past import accuracy
from detector.capacity.prices import Prices
from detector.capacity.report import Report
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.sizing import headroom, sized
from detector.capacity.whatif import WhatIf, loaded, resized
from detector.errors import InputError
from detector.series import FloatArray
from models.baseline.calendar import DAY_MS
from models.forecast.history import DAY_S
from models.growth.futures import Futures, futures
from models.growth.hindcast import mase

__all__ = ["MOST_HORIZON_S", "Assessment", "assess"]

Ints = NDArray[np.int64]
MOST_HORIZON_S = 366 * DAY_S
_FUTURES = 1000
# What is told of futures, day by day, in six digits: more would be two thirds of what is kept.
_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
# Days that a chart shows of the past.
_SHOWN = 180


def assess(
    resource: Resource,
    *,
    horizon_s: int,
    as_of: int,
    prices: Prices | None = None,
    what_if: Sequence[WhatIf] = (),
    past: Sequence[Report] = (),
    seed: int = 0,
) -> Assessment:
    """What is to be told of a resource at `as_of` (unix ms) for the next `horizon_s` seconds.

    The same for the same arguments. `past`: earlier reports, the oldest first, whose words are
    compared with what came. `InputError` where the horizon is not between a day and a year, or a
    what-if's amount is not of the resource's unit.
    """
    if not DAY_S <= horizon_s <= MOST_HORIZON_S:
        raise InputError("a horizon is between one day and 366", field="horizon")
    days = days_of(resource.usage, resource.kind, as_of)
    limit = resized(resource, what_if, as_of)
    known = _Known(resource=resource, days=days, limit=limit, as_of=as_of, horizon_s=horizon_s)
    problem = problem_of(resource, days, as_of)
    base = _base(known, what_if, past)
    if problem is not None:
        return replace(base, problem=problem)
    return _forecast(base, known, what_if, prices or Prices(), seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What there is before anything is forecast."""

    resource: Resource
    days: Days
    limit: Limit | None
    as_of: int
    horizon_s: int

    @property
    def ahead(self) -> int:
        """Days from the last one to the horizon's end."""
        until = self.as_of + 1000 * self.horizon_s
        return max(1, -(-(until - self.days.end_ms) // DAY_MS))

    def starts(self) -> Ints:
        """When each day to come begins, those with them that tell whether a limit stays reached."""
        at: Ints = self.days.end_ms + DAY_MS * np.arange(self.ahead + AGAIN, dtype=np.int64)
        return at

    def bound(self, limit: Limit) -> FloatArray:
        """The limit of each of these days."""
        return np.array([limit.at(int(start) + DAY_MS // 2) for start in self.starts()])


def _base(known: _Known, what_if: Sequence[WhatIf], past: Sequence[Report]) -> Assessment:
    """What is told without a forecast."""
    resource, days = known.resource, known.days
    curve = Curve(
        start_ms=days.end_ms - DAY_MS * len(days.worst[-_SHOWN:]),
        step_s=DAY_S,
        values=tuple(float(one) if isfinite(one) else None for one in days.worst[-_SHOWN:]),
    )
    return Assessment(
        identity=resource.identity,
        as_of=known.as_of,
        horizon_s=known.horizon_s,
        usage=curve,
        limit=known.limit,
        requested=resource.requested,
        replicas=resource.replicas,
        driver=driver.fitted(resource, days.steps),
        accuracy=accuracy(past, resource.key, days, resource.kind, known.as_of),
        what_if=tuple(one.text for one in what_if if one.kind in (None, resource.kind)),
        headroom=_left(known, None),
    )


def _left(known: _Known, paths: FloatArray | None) -> Headroom | None:
    if known.limit is None or not known.days.known:
        return None
    now, bound = known.limit.at(known.as_of), known.bound(known.limit)[: known.ahead]
    return headroom(known.days.worst, now, paths, bound)


def _forecast(
    base: Assessment,
    known: _Known,
    what_if: Sequence[WhatIf],
    prices: Prices,
    seed: int,
) -> Assessment:
    """The same with what follows from futures."""
    rng = Generator(PCG64(seed))
    resource, days, far = known.resource, known.days, known.ahead + AGAIN
    drawn = futures(days.worst, days.weekday(far), far, _FUTURES, rng, jumps=days.jumps())
    middles = known.starts() + DAY_MS // 2
    paths = np.maximum(drawn.paths, 0.0)
    paths = loaded(paths, middles, what_if, resource.kind, base.driver, rng)
    exhaustion = _exhaustion(known, paths)
    near = paths[:, : known.ahead]
    return replace(
        base,
        outlook=_outlook(known, near, drawn, seed),
        exhaustion=exhaustion,
        headroom=_left(known, near),
        sizing=sized(resource, known.limit, near, exhaustion, prices, known.as_of),
        assumptions=assumed(resource, known.limit, days, base.driver, drawn, known.as_of, what_if),
    )


def _exhaustion(known: _Known, paths: FloatArray) -> Exhaustion | None:
    if known.limit is None:
        return None
    return exhausted(
        paths,
        known.bound(known.limit),
        known.days,
        kind=known.resource.kind,
        as_of=known.as_of,
        horizon_s=known.horizon_s,
        since=exhausted_since(known.days, known.limit, known.resource.kind),
    )


def _outlook(known: _Known, paths: FloatArray, drawn: Futures, seed: int) -> Outlook:
    """Quantiles by day; what fills up goes no further than its limit."""
    days = known.days
    error = mase(days.worst, days.weekday(0), Generator(PCG64(seed)), jumps=days.jumps())
    if known.resource.kind is Kind.DISK and known.limit is not None:
        paths = np.minimum(paths, known.bound(known.limit)[: known.ahead])
    p05, p10, p25, p50, p75, p90, p95 = (
        tuple(float(f"{value:.6g}") for value in level)
        for level in np.quantile(paths, _LEVELS, axis=0).tolist()
    )
    return Outlook(
        start_ms=known.days.end_ms,
        step_s=DAY_S,
        p05=p05,
        p10=p10,
        p25=p25,
        p50=p50,
        p75=p75,
        p90=p90,
        p95=p95,
        weights=dict(drawn.weights),
        mase=float(f"{error:.6g}") if isfinite(error) else None,
    )
