"""How fast the error budget burns, over pairs of windows, and whether that is worth an alert.

Pairs and thresholds are those of *The Site Reliability Workbook* (Beyer et al., 2018), chapter 5.
Ours differ where traffic is not even: the threshold is of the budget that was spent, so it rises
where a window holds less traffic than is usual and falls where it holds more; and what failed must
be beyond chance by the exact binomial tail, so that one of twenty at night wakes nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray
from models.binomial import at_least, at_most

__all__ = [
    "OURS",
    "PAIRS",
    "TEXTBOOK",
    "Burning",
    "Course",
    "Pair",
    "Rule",
    "burning",
    "fires",
    "limit",
    "rates",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Burning(StrEnum):
    """What is known of the burn; unknown is never quiet."""

    UNKNOWN = "unknown"
    QUIET = "quiet"
    TICKET = "ticket"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Alert where both windows burn `times` too fast: the short one says that it still does."""

    times: float
    long_s: float
    short_s: float
    alert: Burning


PAIRS = (
    Pair(times=14.4, long_s=3600.0, short_s=300.0, alert=Burning.PAGE),
    Pair(times=6.0, long_s=21_600.0, short_s=1800.0, alert=Burning.PAGE),
    Pair(times=1.0, long_s=259_200.0, short_s=21_600.0, alert=Burning.TICKET),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When to alert. `alpha`: chance of an alert at one look if the budget burns just in time.

    `fewest`: bad events without which there is none; `most`: a share of bad events that is always
    beyond the threshold; `steepest`: how far heavy traffic lowers it. `exact` False: the textbook.
    """

    exact: bool = True
    alpha: float = 1e-5
    fewest: float = 3.0
    most: float = 0.5
    steepest: float = 2.0
    known: float = 0.5


OURS, TEXTBOOK = Rule(), Rule(exact=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What was counted, bin by bin, and by what it is judged.

    `bad`, `total` (bins of `step_s` seconds,), NaN where unknown; `usual` is the mean traffic a
    second, `budget` the share that may be bad.
    """

    bad: FloatArray
    total: FloatArray
    usual: FloatArray | float
    step_s: float
    budget: float
    rule: Rule = OURS

    def bins(self, span_s: float) -> int:
        """How many bins a span is."""
        return max(round(span_s / self.step_s), 1)

    def last(self, bins: int) -> Course:
        """The last so many bins of it, at least one; what is usual stays."""
        usual = self.usual if isinstance(self.usual, float) else np.asarray(self.usual)[-bins:]
        return replace(self, bad=self.bad[-bins:], total=self.total[-bins:], usual=usual)


def rates(
    bad: FloatArray, total: FloatArray, window: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of the last `window` bins at each bin: bad, total, and the share of bins known."""
    told = np.isfinite(total) & np.isfinite(bad)
    parts = np.where(told, bad, 0.0), np.where(told, total, 0.0), told.astype(np.float64)
    sums = [_trailing(part, window) for part in parts]
    return sums[0], sums[1], sums[2] / window


def _trailing(values: FloatArray, window: int) -> FloatArray:
    total = np.concatenate([np.zeros(1), np.cumsum(values)])
    at = np.arange(1, len(total))
    sums: FloatArray = total[at] - total[np.maximum(at - window, 0)]
    # What is left of large sums after a subtraction is rounding, not an event.
    return np.where(np.abs(sums) < 1e-6, 0.0, sums)


def burning(course: Course, pairs: Sequence[Pair] = PAIRS) -> Ints:
    """At each bin the place of the worst alert among the members of `Burning`, as of then."""
    places = list(Burning)
    worst = np.zeros(len(course.bad), np.int64)
    quiet, told = places.index(Burning.QUIET), np.zeros(len(course.bad), bool)
    for pair in pairs:
        on, known = fires(course, pair)
        told |= known
        worst = np.maximum(worst, np.where(on, places.index(pair.alert), 0))
    return np.where((worst == 0) & told, quiet, worst)


def fires(course: Course, pair: Pair) -> tuple[Bools, Bools]:
    """Whether a pair alerts at each bin, and whether its windows are known well enough."""
    budget, rule = course.budget, course.rule
    long = rates(course.bad, course.total, course.bins(pair.long_s))
    short = rates(course.bad, course.total, course.bins(pair.short_s))
    if not rule.exact:
        most = pair.times * budget
        both = [(n > 0) & (x > most * n) for x, n, _ in (long, short)]
        return both[0] & both[1], (long[1] > 0) & (short[1] > 0)
    known = (short[2] >= rule.known) & (long[1] > 0)
    limit_share = limit(course, pair, long[1])
    may = known & (long[0] >= rule.fewest) & (long[0] > limit_share * long[1])
    at = np.flatnonzero(may)
    beyond = at_least(long[0][at], long[1][at], budget) <= rule.alpha
    may[at] = beyond & _still(short[0][at], short[1][at], limit_share[at], budget)
    return may, known


_OVER = 0.05
_ENOUGH = 3.0


def _still(bad: FloatArray, count: FloatArray, share: FloatArray, budget: float) -> Bools:
    """Whether a short window says that it goes on; one of few requests vetoes what it excludes."""
    can_say = count * share >= _ENOUGH
    beyond = (bad > share * count) & (at_least(bad, count, budget) <= _OVER)
    return np.where(can_say, beyond, (bad > 0) & (at_most(bad, count, share) > _OVER))


def limit(course: Course, pair: Pair, count: FloatArray) -> FloatArray:
    """The share of bad events at which a window has spent what the pair allows of the budget.

    `count` (bins,) is what the window counted at each bin.
    """
    budget, rule = course.budget, course.rule
    exposure = count / np.maximum(np.asarray(course.usual) * pair.long_s, 1e-12)
    # Below once its pace a budget lasts, however much traffic there is.
    times = np.maximum(pair.times / np.clip(exposure, 1e-6, rule.steepest), 1.0)
    share: FloatArray = np.minimum(times * budget, max(rule.most, min(pair.times * budget, 0.99)))
    return share
