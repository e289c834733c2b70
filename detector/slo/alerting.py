"""When alerts on a burn begin and end: what one has told of does not make another.

A window of three days remembers an outage for three days, and whatever fails a little meanwhile
seems to go on with it. So an alert that was over begins again only if what was spent since then is
itself as much as its window allows, and beyond chance: the window forgets what was told.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray
from detector.slo.burn import OURS, PAIRS, Burning, Pair, Rule, burning, fires, limit, rates
from models.binomial import at_least

__all__ = ["alerts", "begins"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_QUIET = list(Burning).index(Burning.QUIET)


def alerts(
    bad: FloatArray,
    total: FloatArray,
    usual: FloatArray | float,
    *,
    step_s: float,
    budget: float,
    rule: Rule = OURS,
) -> Ints:
    """At each bin the place among the members of `Burning` of the alert that is on, as of then.

    As `burning`, with which it agrees but where an alert would tell anew of what was told.
    """
    level = burning(bad, total, usual, step_s=step_s, budget=budget, rule=rule)
    spending = [
        _Spending(bad, total, usual, pair, step_s=step_s, budget=budget, rule=rule)
        for pair in PAIRS
    ]
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


class _Spending:
    """What one pair sees of the budget spent, over the whole window or since a time."""

    def __init__(
        self,
        bad: FloatArray,
        total: FloatArray,
        usual: FloatArray | float,
        pair: Pair,
        *,
        step_s: float,
        budget: float,
        rule: Rule,
    ) -> None:
        self._on, _ = fires(bad, total, usual, pair, step_s=step_s, budget=budget, rule=rule)
        self._window = max(round(pair.long_s / step_s), 1)
        count = rates(bad, total, self._window)[1]
        self._allowed = limit(count, usual, pair, budget, rule) * count
        known = np.isfinite(bad) & np.isfinite(total)
        self._bad, self._total = (_summed(np.where(known, part, 0.0)) for part in (bad, total))
        self._budget, self._rule = budget, rule

    def begins(self, first: int, last: int, ended: int | None) -> int:
        """The bin of those at which the pair has something new to tell; `last` for none.

        New is what was spent since `ended`, None for all.
        """
        at = first + np.flatnonzero(self._on[first:last])
        if ended is not None:
            at = at[self._is_new(at, ended)]
        return int(at[0]) if len(at) else last

    def _is_new(self, at: Ints, ended: int) -> Bools:
        since = np.maximum(at + 1 - self._window, ended)
        spent = self._bad[at + 1] - self._bad[since]
        count = self._total[at + 1] - self._total[since]
        enough = (spent >= self._rule.fewest) & (spent > self._allowed[at])
        beyond: Bools = enough & (at_least(spent, count, self._budget) <= self._rule.alpha)
        return beyond


def _summed(values: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros(1), np.cumsum(values)])
