"""What a signal should show now, foretold from the minutes before and from how the hour moved it.

The level of the last two hours, or of the last half hour, as it stands or moved as it moved at this
time of other days. How far off each of these was at quiet moments is measured; the surest is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from detector.gate.memory import Amount, Memory, Then
from detector.series import FloatArray
from models.sequential.before import (
    Contrasts,
    count_contrasts,
    learned_spread,
    mean_shift,
    scale_contrasts,
    unseasonal,
)
from models.sequential.rows import ROWS, RowName

__all__ = [
    "COUNT_SD",
    "LEAST",
    "SCALE_SD",
    "Basis",
    "Counted",
    "Forecast",
    "Measure",
    "Scaled",
    "above",
    "forecasts",
    "quiet_of",
]

# sd of a before/after comparison in health while nothing is known of the service: a judgement.
COUNT_SD, SCALE_SD = 0.25, 0.08

# With ten quiet moments and more a service may show that it is steadier, down to a quarter of what
# is assumed: drawn as services of eight kinds no forecast was off by four of what was learned.
LEAST = 0.25
# A time of day is told from chance by that many days.
_DAYS = 6


class Basis(StrEnum):
    """Which minutes a forecast leans on."""

    HALF_HOUR = "half hour"
    TWO_HOURS = "2 hours"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A `rate` or a `histogram` that is expected `shift` (log) further up.

    `spread`: sd learned at `quiet` moments; `noise`: variance by counting. `times`: of how many
    past times at the same hour it makes use.
    """

    basis: Basis
    rate: float
    histogram: FloatArray | None
    spread: float
    noise: float
    quiet: int
    shift: float = 0.0
    times: int = 0

    @property
    def sd(self) -> float:
        """How far off it may be in health."""
        return math.hypot(self.spread, math.sqrt(self.noise))


class Measure(Protocol):
    """How tallies of one signal are compared: exposure and events, or histograms."""

    @property
    def name(self) -> str:
        """The signal."""
        ...

    @property
    def default(self) -> float:
        """sd that is assumed while nothing is known."""
        ...

    def told(self, amount: Amount) -> FloatArray:
        """The tally of an amount."""
        ...

    def off(self, now: FloatArray, before: FloatArray) -> Contrasts:
        """How far each of some tallies (G, C) is from that before it."""
        ...

    def level(self, tally: FloatArray) -> tuple[float, FloatArray | None, float]:
        """Rate or histogram of a tally, and the variance of its log by counting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Events per exposure, of a ratio or above an edge (`edge` of `edges`)."""

    name: str
    eps0: float
    default: float
    edge: int | None = None
    edges: FloatArray | None = None

    def told(self, amount: Amount) -> FloatArray:
        """Exposure and events."""
        if self.edge is None:
            counted: FloatArray = np.array(amount.counts.get(self.name, (0.0, 0.0)))
            return np.maximum(counted, 0.0)
        histogram = None if self.edges is None else amount.histogram(self.name, self.edges)
        return np.zeros(2) if histogram is None else above(histogram, self.edge)

    def off(self, now: FloatArray, before: FloatArray) -> Contrasts:
        """By the rates, each with what eps0 adds."""
        n, x = before.T
        noise = np.where(n > 0, 1.0 / (x + 0.5), np.inf)
        return count_contrasts(now, np.stack([(x + 0.5) / (n + 1.0), noise], axis=1), self.eps0)

    def level(self, tally: FloatArray) -> tuple[float, FloatArray | None, float]:
        """The rate; nothing counted is no doubt that could be overcome."""
        n, x = tally
        rate = (x + 0.5) / (n + 1.0)
        share = rate / (rate + self.eps0)
        return float(rate), None, float(share**2 / (x + 0.5)) if n > 0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """Latency, by histograms on `edges`."""

    name: str
    edges: FloatArray
    default: float

    def told(self, amount: Amount) -> FloatArray:
        """Requests per bucket, none where the edges were others."""
        histogram = amount.histogram(self.name, self.edges)
        return np.zeros(len(self.edges) + 1) if histogram is None else histogram

    def off(self, now: FloatArray, before: FloatArray) -> Contrasts:
        """By how much slower the same shape was."""
        return scale_contrasts(now, before, self.edges, ROWS[RowName.LATENCY].grid)

    def level(self, tally: FloatArray) -> tuple[float, FloatArray | None, float]:
        """The histogram itself."""
        size = float(tally.sum())
        return 0.0, tally, 1.0 / size if size > 0 else math.inf


def above(histogram: FloatArray, edge: int) -> FloatArray:
    """Requests of a histogram, and those above an edge."""
    return np.array([histogram.sum(), histogram[edge + 1 :].sum()])


def quiet_of(memory: Memory) -> tuple[Then, ...]:
    """Moments at which nothing was released."""
    return tuple(then for then in memory.then if not then.changed)


def forecasts(
    measure: Measure, memory: Memory, long: FloatArray, short: FloatArray
) -> Iterator[Forecast]:
    """All that can be foretold from tallies of the last two hours and of the last half hour."""
    quiet = quiet_of(memory)
    yield from _leaning(measure, quiet, Basis.TWO_HOURS, long, lambda then: then.before)
    yield from _leaning(measure, quiet, Basis.HALF_HOUR, short, lambda then: then.lately)


def _leaning(
    measure: Measure,
    quiet: Sequence[Then],
    basis: Basis,
    tally: FloatArray,
    before: Callable[[Then], Amount],
) -> Iterator[Forecast]:
    """As the level stands, and moved as it moved at this hour."""
    rate, histogram, noise = measure.level(tally)
    if not math.isfinite(noise):
        return
    found = _off(measure, quiet, before)
    yield Forecast(
        basis=basis,
        rate=rate,
        histogram=histogram,
        spread=learned_spread(found, measure.default, least=LEAST),
        noise=noise,
        quiet=len(found.effect),
    )
    same = _off(measure, [then for then in quiet if then.moment.is_same_hour], before)
    if len(same.effect) < _DAYS:
        return
    shift, counted = mean_shift(same)
    yield Forecast(
        basis=basis,
        rate=rate,
        histogram=histogram,
        spread=learned_spread(unseasonal(same), measure.default, least=LEAST),
        noise=noise + counted,
        quiet=len(found.effect),
        shift=shift,
        times=len(same.effect),
    )


def _off(measure: Measure, moments: Sequence[Then], before: Callable[[Then], Amount]) -> Contrasts:
    """What each half hour was against what was known before it."""
    if not moments:
        return Contrasts(np.zeros(0), np.zeros(0))
    now = np.array([measure.told(then.after) for then in moments])
    return measure.off(now, np.array([measure.told(before(then)) for then in moments]))
