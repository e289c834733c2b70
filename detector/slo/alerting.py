"""When alerts on a burn begin and end: what one has told of does not make another.

A window of three days remembers an outage for three days, and whatever fails a little meanwhile
seems to go on with it. So an alert that was over begins again only if what was spent since then is
itself as much as its window allows, and beyond chance: the window forgets what was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray
from detector.slo.burn import PAIRS, Burning, Course, Pair, burning, fires, limit, rates
from models.binomial import at_least

__all__ = ["Spending", "alerts", "begins", "spendings"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_QUIET = list(Burning).index(Burning.QUIET)


def alerts(course: Course) -> Ints:
    """At each bin the place among the members of `Burning` of the alert that is on, as of then.

    As `burning`, with which it agrees but where an alert would tell anew of what was told.
    """
    level, spending = burning(course), spendings(course)
    told = np.zeros(len(level), bool)
    ended: int | None = None
    for first, last in _runs(level > _QUIET):
        begin = min(one.begins(first, last, ended) for one in spending)
        if begin < last:
            told[begin:last], ended = True, last
    return np.where(told, level, np.minimum(level, _QUIET))


def begins(level: Ints, of: Burning) -> Ints:
    """The bins at which an alert begins to be as grave as that."""
    on = level >= list(Burning).index(of)
    return np.flatnonzero(on & ~np.concatenate([[False], on[:-1]]))


def _runs(on: Bools) -> Iterator[tuple[int, int]]:
    """Begin and end of each stretch of bins that are on."""
    steps = np.diff(np.concatenate([[0], on.astype(np.int8), [0]]))
    yield from zip(
        np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one pair sees of the budget spent, over the whole window or since a bin.

    `on`: where it alerts, `allowed` (bins,) what its window may spend; `bad`, `total` are sums of
    all before each bin, and of all.
    """

    course: Course
    window: int
    on: Bools
    allowed: FloatArray
    bad: FloatArray
    total: FloatArray

    def begins(self, first: int, last: int, ended: int | None) -> int:
        """The bin of those at which the pair has something new to tell; `last` for none.

        New is what was spent since the bin `ended`, None for all.
        """
        at = first + np.flatnonzero(self.on[first:last])
        if ended is not None:
            at = at[self._is_new(at, ended)]
        return int(at[0]) if len(at) else last

    def _is_new(self, at: Ints, ended: int) -> Bools:
        rule = self.course.rule
        since = np.maximum(at + 1 - self.window, ended)
        spent = self.bad[at + 1] - self.bad[since]
        count = self.total[at + 1] - self.total[since]
        enough = (spent >= rule.fewest) & (spent > self.allowed[at])
        beyond: Bools = enough & (at_least(spent, count, self.course.budget) <= rule.alpha)
        return beyond


def spendings(course: Course) -> list[Spending]:
    """What each of the pairs sees."""
    known = np.isfinite(course.bad) & np.isfinite(course.total)
    bad, total = (_summed(np.where(known, part, 0.0)) for part in (course.bad, course.total))
    return [_spending(course, pair, bad, total) for pair in PAIRS]


def _spending(course: Course, pair: Pair, bad: FloatArray, total: FloatArray) -> Spending:
    window = course.bins(pair.long_s)
    count = rates(course.bad, course.total, window)[1]
    return Spending(
        course=course,
        window=window,
        on=fires(course, pair)[0],
        allowed=limit(course, pair, count) * count,
        bad=bad,
        total=total,
    )


def _summed(values: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros(1), np.cumsum(values)])
