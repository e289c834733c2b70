"""What a stream foretells of a signal: its own last half hour, moved as the stream saw it move.

The level is that of the samples which the gate read itself, so a stream that saw too little cannot
shift it. From the stream come how the half hour usually goes on at this time, and how far off that
was at some hundreds of past half hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.gate.course import WIDTH_S, Course
from detector.gate.forecast import LEAST, Basis, Counted, Forecast, Measure
from detector.gate.memory import BEFORE_S, Amount, Memory
from detector.series import FloatArray
from models.baseline.outlook import Outlook, Season, outlook
from models.sequential.before import Contrasts, learned_spread

__all__ = ["Streaming", "by_stream"]

_A_DAY = 48
_DAY_S = 86_400.0
# Two days, half of whose half hours tell something: each time of the day was seen.
_ENOUGH_DAYS, _ENOUGH, _COMPLETE = 2.0, 48, 0.5
_SAME_SDS, _SAME_PART = 3.0, 0.5
_TAIL, _TAIL_SDS = 0.99, 2.576
_FEW = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """What can be foretold from `days` of a stream; where nothing can, `why`."""

    forecasts: tuple[Forecast, ...] = ()
    days: float = 0.0
    why: str = ""


def by_stream(
    name: str, measure: Measure, memory: Memory, long: FloatArray, short: FloatArray, at: float
) -> Streaming | None:
    """Of a signal whose control was last seen before `at`; None where there is no stream.

    `long`: its tally of the two hours before the start, `short`: of the last half hour.
    """
    told = memory.stream
    if told is None:
        return None
    found = told.of(name)
    table = None if found is None else _tallies(measure, found)
    if found is None or table is None:
        return Streaming(why=told.why.get(name, "it counts durations by other bounds"))
    last = math.floor(at / WIDTH_S) - told.first
    blocks = _Blocks(measure=measure, table=table[: max(last, 0)], first=told.first)
    why = blocks.unfit(long, memory.at)
    if why:
        return Streaming(why=why)
    forecasts = tuple(blocks.forecasts(long, short, at))
    return Streaming(forecasts=forecasts, days=blocks.days)


def _tallies(measure: Measure, course: Course) -> FloatArray | None:
    """The half hours as the measure compares them (K, C); None where it cannot."""
    table = course.table
    if not course.edges:
        return table if isinstance(measure, Counted) and measure.edge is None else None
    rows = [
        measure.told(Amount(below={measure.name: tuple(zip(course.edges, row, strict=True))}))
        for row in table.tolist()
    ]
    found = np.array(rows).reshape(len(table), -1)
    return found if rows and (found.any() or not table.any()) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """Half hours (K, C) from number `first` on, and how they are compared."""

    measure: Measure
    table: FloatArray
    first: int

    @property
    def sizes(self) -> FloatArray:
        """Requests of each."""
        return self.table[:, 0] if isinstance(self.measure, Counted) else self.table.sum(axis=1)

    @property
    def days(self) -> float:
        """From the first half hour with requests to the end."""
        seen = np.flatnonzero(self.sizes > 0)
        return float(len(self.table) - seen[0]) / _A_DAY if len(seen) else 0.0

    def unfit(self, long: FloatArray, start: float) -> str:
        """Why it is not to be believed; empty where it is."""
        days, seen = self.days, int(np.count_nonzero(self.sizes > 0))
        if days < _ENOUGH_DAYS:
            return f"it knows {24 * days:.0f} h of the service, and {24 * _ENOUGH_DAYS:.0f} h tell"
        share = seen / (days * _A_DAY)
        if share < _COMPLETE:
            return f"it saw the service in {share:.0%} of the half hours of {days:.0f} days"
        return self._differs(long, start)

    def _differs(self, long: FloatArray, start: float) -> str:
        """Whether it counted something else than the source in the two hours before the start."""
        end = math.floor(start / WIDTH_S) - self.first
        begin = math.ceil((start - BEFORE_S) / WIDTH_S) - self.first
        ours = self.table[max(begin, 0) : end].sum(axis=0)
        size, theirs = (_size(self.measure, one) for one in (ours, long))
        part = (end - begin) * WIDTH_S / BEFORE_S
        if size < _SAME_PART * part * theirs:
            return f"it counted {size:.0f} requests where the source has {part * theirs:.0f}"
        found = self.measure.off(ours[None], long[None])
        far = np.abs(found.effect) > _SAME_SDS * np.sqrt(found.variance + self.measure.default**2)
        return "it counted other shares than the source before the start" if far.any() else ""

    def forecasts(self, long: FloatArray, short: FloatArray, at: float) -> Iterator[Forecast]:
        """From the last half hour, and from the last two hours."""
        slot = at / WIDTH_S
        for basis, tally, width in ((Basis.TWO_HOURS, long, 4), (Basis.HALF_HOUR, short, 1)):
            rate, histogram, noise = self.measure.level(tally)
            seen = self._outlook(width, slot) if math.isfinite(noise) else None
            if seen is None:
                continue
            yield Forecast(
                basis=basis,
                rate=rate,
                histogram=histogram,
                spread=_spread(seen, self.measure.default),
                noise=noise + seen.noise,
                quiet=len(seen.off),
                shift=seen.shift,
                times=seen.times if seen.season is not Season.NONE else 0,
            )

    def _outlook(self, width: int, slot: float) -> Outlook | None:
        """How half hours went on after the `width` before them."""
        before = np.cumsum(np.vstack([np.zeros(self.table.shape[1]), self.table]), axis=0)
        sums = before[width:-1] - before[: -width - 1]
        now = self.table[width:]
        least = _FEW if not isinstance(self.measure, Counted) else 1.0
        kept = (_sizes(self.measure, now) >= least) & (_sizes(self.measure, sums) >= least)
        if np.count_nonzero(kept) < _ENOUGH:
            return None
        found = self.measure.off(now[kept], sums[kept])
        slots = self.first + width + np.flatnonzero(kept)
        return outlook(found.effect, found.variance, slots, slot, a_day=_A_DAY)


def _sizes(measure: Measure, table: FloatArray) -> FloatArray:
    return table[:, 0] if isinstance(measure, Counted) else table.sum(axis=1)


def _size(measure: Measure, tally: FloatArray) -> float:
    return float(_sizes(measure, tally[None])[0])


def _spread(seen: Outlook, default: float) -> float:
    """sd of what was off beyond counting, wide enough for its tail.

    One half hour in a hundred is left to incidents and releases; a normal has to reach as far as
    the other ninety-nine. At a time of day that was less steady than others, as wide as it was.
    """
    far = np.abs(seen.off)
    kept = far <= np.quantile(far, _TAIL)
    sd = learned_spread(Contrasts(seen.off[kept], seen.variance[kept]), default, least=LEAST)
    reach = float(np.quantile(far / np.sqrt(seen.variance + sd**2), _TAIL)) / _TAIL_SDS
    return max(sd * max(reach, 1.0), seen.here)
