"""Cumulative counters: raw samples to credited increments per bin, incrementally.

A counter belongs to a target (what is scraped at once) and there to a group (one metric). Its
cleaned cumulative is the raw value plus an offset that changes only where something happens:

- birth: a counter absent at the target's previous scrape counts from 0, if a sibling was there;
- reset: a value fell, and every group that fell restarted from a value that fits its recent rate:
  `sum x <= 10 * rate * elapsed + 10`, or the caller knows of a restart; then `d = x` for all;
- else a fall (replica flip, duplicate) discards the interval of the whole target; a rise back over
  the value before the flip, soon after it, counts only what it exceeds it by;
- an interval over `max(gap, 4 * median interval)` is discarded, a shorter one spread evenly.

The cumulative at a boundary is interpolated between the samples around it if the later one comes
within `settle` of it, and is that of the last sample before it otherwise. So a bin depends on
samples by their time stamps alone, and never changes when more of them arrive.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.bank import Bank, Restart, Tally
from models.batch import Batch
from models.boundaries import Boundaries, Segments, joined
from models.growing import Bools, Floats, Ints, push, sums
from models.runs import Runs
from models.scrapes import Scrapes
from models.sight import FirstSight

__all__ = ["Counters", "Restart", "Tally"]

# Samples that are worked on at once: a few arrays of them fit the second-level cache.
_PART = 1 << 15


class Counters:
    """State of many counters; memory is a few numbers per series.

    Boundary m lies at `start + m * step` (seconds); bins are numbered by their end, so `advance`
    gives increments up to each boundary. `frozen` is the last boundary handed out.
    Every target also has a clock: a counter whose credited increment is the time covered.
    """

    def __init__(
        self, *, start: float, step: float, settle: float, gap: float, frozen: int
    ) -> None:
        self.step = step
        self.bank = Bank(step=step, gap=gap)
        self.bounds = Boundaries(start=start, step=step, settle=settle, frozen=frozen)
        self._sight = FirstSight(self.bank, self.bounds)

    # -- what is counted

    def add_target(self) -> int:
        """A new target; its clock is the series `clock(target)`."""
        target = self.bank.add_target()
        self.bounds.reserve(len(self.bank.time))
        return target

    def add_group(self, target: int) -> int:
        """A new group (metric) of a target; falls are judged over its sum."""
        return self.bank.add_group(target)

    def add_series(self, group: int) -> int:
        """A new child series of a group."""
        series = self.bank.add(int(self.bank.group_target[group]), group)
        self.bounds.reserve(len(self.bank.time))
        return series

    @property
    def count(self) -> int:
        """Number of series, clocks among them."""
        return self.bank.count

    @property
    def frozen(self) -> int:
        """The last boundary handed out."""
        return self.bounds.frozen

    @property
    def tally(self) -> Tally:
        """What happened so far."""
        return self.bank.tally

    def clock(self, target: int) -> int:
        """The series whose increments are the seconds that the target's samples cover."""
        return int(self.bank.clock[target])

    def row(self, target: int) -> float:
        """Time of the target's newest scrape, -inf for none."""
        return float(self.bank.row[target])

    def interval(self, targets: list[int], default: float) -> float:
        """Median time between scrapes of some targets, lately."""
        return self.bank.interval(targets, default)

    def take_restarts(self) -> list[Restart]:
        """Restarts that were found since this was last asked."""
        found, self.bank.restarts = self.bank.restarts, []
        return found

    # -- samples in

    def extend(
        self,
        series: Ints,
        times: Floats,
        values: Floats,
        *,
        restarts: Mapping[int, tuple[float, ...]] | None = None,
        began: Mapping[int, tuple[float, float]] | None = None,
    ) -> None:
        """Take samples, finite and newer than those before; equal ids adjacent, times ascending.

        `restarts`: times of scrapes at which a target is known to have restarted since the last;
        `began`: process start of targets as a scrape told it, (time of the scrape, start).
        """
        restarts, began = restarts or {}, began or {}
        left = self._sight.take((series, times, values), restarts, began)
        if left is not None:
            series, times, values = series[left], times[left], values[left]
        for part in self._parts(series):
            batch = Batch.of(self.bank, series[part], times[part], values[part])
            batch.restarts, batch.began = restarts, began
            self._take(batch)

    def _parts(self, series: Ints) -> list[slice | Ints]:
        """Samples target by target in parts that fit a processor's cache; all, if few."""
        if len(series) <= _PART:
            return [slice(None)] if len(series) else []
        first = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(np.diff(series)) + 1])
        size = np.diff(np.append(first, len(series)))
        target = self.bank.target_of[series[first]]
        order = np.argsort(target, kind="stable")
        first, size, target = first[order], size[order], target[order]
        ends = np.cumsum(size)
        part = (ends[np.searchsorted(target, target, side="right") - 1] - 1) // _PART
        at = np.repeat(first - (ends - size), size) + np.arange(len(series))
        cuts = ends[np.flatnonzero(np.diff(part))]
        return list(np.split(at, cuts))

    def _take(self, batch: Batch) -> None:
        """Decide what the samples of a batch count, and note it at the boundaries."""
        bank, series, times = self.bank, batch.series, batch.times
        begin, last = batch.first, batch.ends - 1
        odd = batch.odd(bank)
        rows, slow = self._rows(batch, last, odd)
        clocks = []
        if not slow.all():
            clocks.append(self._plain(batch, rows, slow))
        if slow.any():
            clocks += self._by_target(batch, slow, odd)
        self.bounds.note(joined([batch.segments(self.step), *clocks]))
        names = series[begin]
        bank.since[names] = np.minimum(bank.since[names], times[begin])
        bank.time[names], bank.value[names] = times[last], batch.values[last]
        bank.offset[names] = batch.offset[last]

    def _rows(self, batch: Batch, last: Ints, odd: Bools) -> tuple[Floats, Bools]:
        """The scrape of each target, NaN without, and the targets that need a closer look.

        Those are all with anything but one more scrape without an odd sample.
        """
        bank, times = self.bank, batch.times
        target = bank.target_of[batch.series[last]]
        rows = np.full(bank.targets, np.nan)
        rows[target] = times[last]
        slow = np.isnan(rows)
        slow[target[(times[batch.first] != rows[target]) | (times[last] != rows[target])]] = True
        slow[bank.target_of[batch.series[odd]]] = True
        slow[list(batch.restarts)] = True
        slow[np.isnan(rows)] = False
        return rows, slow

    def _plain(self, batch: Batch, rows: Floats, slow: Bools) -> Segments:
        """Targets with one ordinary scrape, all at once; no offset changes. Gives their clocks."""
        bank, series, values = self.bank, batch.series, batch.values
        offset, c0 = batch.offset, batch.c0
        if slow.any():
            rows = np.where(slow, np.nan, rows)
            keep = ~slow[bank.target_of[series]]
            series, values, offset, c0 = series[keep], values[keep], offset[keep], c0[keep]
        touched = np.flatnonzero(~np.isnan(rows))
        now, was, clock = rows[touched], bank.row[touched], bank.clock[touched]
        groups = np.flatnonzero(~np.isnan(rows[bank.group_target[: bank.groups]]))
        growth = sums(bank.group_of[series], (values + offset) - c0, bank.groups)
        push(bank.grown, groups, growth[groups])
        push(bank.good, touched, now - was)
        push(bank.spans, touched, now - was)
        bank.row[touched] = now
        bank.time[clock], bank.value[clock] = now, now
        at = bank.offset[clock]
        return Segments(clock, was, was + at, now, now + at, was)

    def _by_target(self, batch: Batch, slow: Bools, odd: Bools) -> list[Segments]:
        """Targets in which something happens, one by one. Gives their clocks."""
        bank = self.bank
        ends = batch.ends
        names = batch.series[batch.first]
        targets = bank.target_of[names]
        chosen = np.flatnonzero(slow[targets])
        chosen = chosen[np.lexsort((names[chosen], targets[chosen]))]
        strange = np.flatnonzero(odd)
        strange = strange[np.argsort(bank.target_of[batch.series[strange]], kind="stable")]
        edge = bank.target_of[batch.series[strange]]
        clocks = []
        for part in np.split(chosen, np.flatnonzero(np.diff(targets[chosen])) + 1):
            target = int(targets[part[0]])
            low, high = np.searchsorted(edge, [target, target + 1])
            runs = Runs(names[part], batch.first[part], ends[part])
            scrapes = Scrapes(bank, batch, target, runs, strange[low:high])
            scrapes.walk()
            clocks.append(scrapes.sheet.clock_segments())
        return clocks

    # -- increments out

    def advance(self, top: int) -> Floats:
        """Increments of every series in the bins up to boundary `top`, (series, new bins).

        Every sample up to `settle` after that boundary must have been given before.
        """
        bank = self.bank
        if top <= self.frozen:
            return np.zeros((bank.count, 0))
        seen = bank.time[: bank.count] > -np.inf
        cumulative = np.where(seen, (bank.value + bank.offset)[: bank.count], 0.0)
        return self.bounds.advance(top, cumulative)
