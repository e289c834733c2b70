"""First sight of whole targets: all samples of series to which nothing happens, at once.

What is read first of an attempt is hours of history, nearly all of it calm. To a target that was
never seen, whose series all have samples at the same times and only rise, nothing happens after
its first scrape: it needs no look at each scrape, and gives what `Scrapes` would, to the bit.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from models.bank import RECENT, Bank
from models.boundaries import Boundaries
from models.growing import Bools, Floats, Ints, sums

__all__ = ["FirstSight"]


@dataclass(frozen=True, slots=True)
class _Block:
    """Series of one target: their values, (series, rows), at the times of the rows."""

    target: int
    names: Ints
    rows: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class FirstSight:
    """Begins targets in a bank and at the boundaries."""

    bank: Bank
    bounds: Boundaries

    def take(
        self,
        samples: tuple[Ints, Floats, Floats],
        restarted: Container[int],
        began: Mapping[int, tuple[float, float]],
    ) -> Bools | None:
        """Which samples (series, times, values) are left to be looked at; None for all of them.

        Targets that are known to have restarted are left too. `began`: see `Counters.extend`.
        """
        bank, series = self.bank, samples[0]
        if not (bank.row[: bank.targets] == -np.inf).any():
            return None
        first = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(np.diff(series)) + 1])
        size = np.diff(np.append(first, len(series)))
        names = series[first]
        target = bank.target_of[names]
        new = np.flatnonzero(bank.row[target] == -np.inf)
        new = new[np.lexsort((names[new], target[new]))]
        left = np.ones(len(series), np.bool_)
        for runs in np.split(new, np.flatnonzero(np.diff(target[new])) + 1):
            if not len(runs) or (size[runs] != size[runs[0]]).any():
                continue
            number = int(target[runs[0]])
            at = first[runs][:, None] + np.arange(size[runs[0]])
            block = None if number in restarted else self._calm(number, at, samples)
            if block is not None:
                self._begin(block, *began.get(number, (np.nan, np.nan)))
                left[at] = False
        return left

    def _calm(self, target: int, at: Ints, samples: tuple[Ints, Floats, Floats]) -> _Block | None:
        """The samples of a target, unless anything happens after the first of them."""
        series, times, values = samples[0][at[:, 0]], samples[1][at], samples[2][at]
        rows = times[0]
        if (np.diff(rows) > self.bank.gap).any() or (times != rows).any():
            return None
        if (values[:, 1:] < values[:, :-1]).any():
            return None
        return _Block(target, series, rows, values)

    def _begin(self, block: _Block, known: float, start: float) -> None:
        """Count a block; its first scrape only from a process start just before it."""
        bank, rows, values = self.bank, block.rows, block.values
        now = float(rows[0])
        young = known == now and 0.0 < now - start <= bank.step
        since = start if young else now - bank.step
        offset = np.zeros(len(values)) if young else -values[:, 0]
        clock, ticking = int(bank.clock[block.target]), -start if young else -now
        cumulative = np.zeros((len(values) + 1, len(rows) + 1))
        np.add(values, offset[:, None], out=cumulative[:-1, 1:])
        np.add(rows, ticking, out=cumulative[-1, 1:])
        self.bounds.begin(np.append(block.names, clock), since, rows, cumulative)
        bank.since[block.names] = now
        bank.time[block.names], bank.value[block.names] = rows[-1], values[:, -1]
        bank.offset[block.names], bank.offset[clock] = offset, ticking
        bank.time[clock] = bank.value[clock] = bank.row[block.target] = rows[-1]
        if len(rows) > 1:
            self._fill_rings(block, cumulative[:-1, 1:][:, -RECENT - 1 :])

    def _fill_rings(self, block: _Block, cumulative: Floats) -> None:
        """The last intervals and what each group grew by in them."""
        bank, groups = self.bank, self.bank.groups_of[block.target]
        spans, growth = np.diff(block.rows[-RECENT - 1 :]), np.diff(cumulative)
        count = len(spans)
        group = np.searchsorted(groups, bank.group_of[block.names])
        keys = (group[:, None] * count + np.arange(count)).ravel()
        bank.spans[block.target, -count:] = bank.good[block.target, -count:] = spans
        found = sums(keys, growth.ravel(), len(groups) * count)
        bank.grown[groups, -count:] = found.reshape(-1, count)
