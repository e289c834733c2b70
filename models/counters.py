"""Cumulative counters: raw samples to credited increments per bin, incrementally.

A counter belongs to a target (what is scraped at once) and there to a group (one metric). Its
cleaned cumulative is the raw value plus an offset that changes only where something happens:

- birth: a counter absent at the target's previous scrape counts from 0, if a sibling was there;
- reset: a value fell, and every group that fell restarted from a value that fits its recent rate:
  `sum x <= 10 * rate * elapsed + 10`, or the caller knows of a restart; then `d = x` for all;
- else a fall (replica flip, duplicate) discards the interval of the whole target;
- an interval over `max(gap, 4 * median interval)` is discarded, a shorter one spread evenly.

The cumulative at a boundary is interpolated between the samples around it if the later one comes
within `settle` of it, and is that of the last sample before it otherwise. So a bin depends on
samples by their time stamps alone, and never changes when more of them arrive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counters", "Restart", "Tally"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T", np.float64, np.int64)

# Good intervals that tell the recent rate, and what a restarted counter may show beyond it.
_RECENT = 12
_SURGE, _SLACK = 10.0, 10.0
_GAP_INTERVALS = 4.0


@dataclass(slots=True)
class Tally:
    """How often each thing happened, in scrapes of a target."""

    births: int = 0
    resets: int = 0
    flips: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """A target restarted between two scrapes (`before` is -inf at its first)."""

    target: int
    before: float
    at: float


@dataclass(slots=True)
class _Segments:
    """Pieces of cleaned cumulatives, one per sample: from (t0, c0) to (t1, c1), linear."""

    series: Ints
    t0: Floats
    c0: Floats
    t1: Floats
    c1: Floats
    before: Floats


@dataclass(slots=True)
class _Batch:
    """New samples with, for each, the one before it."""

    series: Ints
    times: Floats
    values: Floats
    before: Floats
    last: Floats
    first: Ints
    restarts: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    began: Mapping[int, tuple[float, float]] = field(default_factory=dict)


class Counters:
    """State of many counters; memory is a few numbers per series.

    Boundary m lies at `start + m * step` (seconds); bins are numbered by their end, so `advance`
    gives increments up to each boundary. `frozen` is the last boundary handed out.
    Every target also has a clock: a counter whose credited increment is the time covered.
    """

    def __init__(
        self, *, start: float, step: float, settle: float, gap: float, frozen: int
    ) -> None:
        self.start, self.step, self.settle, self.gap = start, step, settle, gap
        self.frozen = frozen
        self.wary = _RECENT * step
        self.tally = Tally()
        self.restarts: list[Restart] = []
        self.count = self.targets = self.groups = 0
        self.target_of: Ints = np.zeros(0, np.int64)
        self.group_of: Ints = np.zeros(0, np.int64)
        self.time: Floats = np.zeros(0)
        self.since: Floats = np.zeros(0)
        self.value: Floats = np.zeros(0)
        self.offset: Floats = np.zeros(0)
        self._done: Ints = np.zeros(0, np.int64)
        self._credited: Floats = np.zeros(0)
        self._ahead: Floats = np.zeros((0, 1))
        self._row: Floats = np.zeros(0)
        self._clock: Ints = np.zeros(0, np.int64)
        self._spans: Floats = np.zeros((0, _RECENT))
        self._good: Floats = np.zeros((0, _RECENT))
        self._members: list[list[int]] = []
        self._groups_of: list[list[int]] = []
        self._group_target: Ints = np.zeros(0, np.int64)
        self._grown: Floats = np.zeros((0, _RECENT))
        self._reset: Floats = np.zeros(0)
        self._flip: Floats = np.zeros(0)

    # -- what is counted

    def add_target(self) -> int:
        """A new target; its clock is the series `clock(target)`."""
        target = self.targets
        self.targets += 1
        self._members.append([])
        self._groups_of.append([])
        self._row = _grown(self._row, self.targets, -np.inf)
        self._spans = _grown(self._spans, self.targets, np.nan)
        self._good = _grown(self._good, self.targets, 0.0)
        self._flip = _grown(self._flip, self.targets, -np.inf)
        self._clock = _grown(self._clock, self.targets, -1)
        self._clock[target] = self._add(target, -1)
        return target

    def add_group(self, target: int) -> int:
        """A new group (metric) of a target; falls are judged over its sum."""
        group = self.groups
        self.groups += 1
        self._groups_of[target].append(group)
        self._group_target = _grown(self._group_target, self.groups, target)
        self._grown = _grown(self._grown, self.groups, 0.0)
        self._reset = _grown(self._reset, self.groups, -np.inf)
        return group

    def add_series(self, group: int) -> int:
        """A new child series of a group."""
        target = int(self._group_target[group])
        series = self._add(target, group)
        self._members[target].append(series)
        return series

    def clock(self, target: int) -> int:
        """The series whose increments are the seconds that the target's samples cover."""
        return int(self._clock[target])

    def row(self, target: int) -> float:
        """Time of the target's newest scrape, -inf for none."""
        return float(self._row[target])

    def interval(self, targets: list[int], default: float) -> float:
        """Median time between scrapes of some targets, lately."""
        spans = self._spans[targets]
        known = spans[~np.isnan(spans)]
        return float(np.median(known)) if len(known) else default

    def _add(self, target: int, group: int) -> int:
        series = self.count
        self.count += 1
        if self.count > len(self.time):
            self._reserve(max(64, 2 * self.count))
        self.target_of[series], self.group_of[series] = target, group
        self.time[series] = -np.inf
        self.since[series] = np.inf
        self.value[series] = self.offset[series] = self._credited[series] = 0.0
        self._done[series] = self.frozen
        self._ahead[series] = np.nan
        return series

    def _reserve(self, size: int) -> None:
        self.target_of = _grown(self.target_of, size, 0)
        self.group_of = _grown(self.group_of, size, 0)
        self.time = _grown(self.time, size, -np.inf)
        self.since = _grown(self.since, size, np.inf)
        self.value = _grown(self.value, size, 0.0)
        self.offset = _grown(self.offset, size, 0.0)
        self._done = _grown(self._done, size, 0)
        self._credited = _grown(self._credited, size, 0.0)
        self._ahead = _grown(self._ahead, size, np.nan)

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
        if not len(series):
            return
        batch = self._batch(series, times, values)
        batch.restarts, batch.began = restarts or {}, began or {}
        slow = self._unusual(batch)
        target = self.target_of[series]
        is_slow = slow[target]
        if not is_slow.all():
            self._credit(self._plain(batch, ~is_slow))
        if is_slow.any():
            self._credit(self._by_target(batch, np.flatnonzero(slow)))
        begin, last = batch.first, np.append(batch.first[1:], len(series)) - 1
        self.since[series[begin]] = np.minimum(self.since[series[begin]], times[begin])
        self.time[series[last]], self.value[series[last]] = times[last], values[last]

    def _batch(self, series: Ints, times: Floats, values: Floats) -> _Batch:
        change = np.flatnonzero(series[1:] != series[:-1]) + 1
        first = np.concatenate([np.zeros(1, np.int64), change])
        before, last = np.empty_like(times), np.empty_like(values)
        before[1:], last[1:] = times[:-1], values[:-1]
        before[first], last[first] = self.time[series[first]], self.value[series[first]]
        return _Batch(series, times, values, before, last, first)

    def _unusual(self, batch: _Batch) -> Bools:
        """Targets with anything but one more scrape of known series in good time."""
        series, times = batch.series, batch.times
        target = self.target_of[series]
        odd = (batch.values < batch.last) | ~(times - batch.before <= self.gap)
        odd |= batch.before < self._reset[self.group_of[series]]
        odd |= (times <= self._row[target]) | (times <= self._flip[target] + self.wary)
        slow = np.zeros(self.targets, np.bool_)
        slow[target[odd]] = True
        slow[list(batch.restarts)] = True
        low, high = np.full(self.targets, np.inf), np.full(self.targets, -np.inf)
        np.minimum.at(low, target, times)
        np.maximum.at(high, target, times)
        slow |= low < high
        return slow

    def _plain(self, batch: _Batch, keep: Bools) -> _Segments:
        """Segments of targets with one ordinary scrape, all at once; offsets do not change."""
        series, times, values = batch.series[keep], batch.times[keep], batch.values[keep]
        last, before, off = batch.last[keep], batch.before[keep], self.offset[series]
        row = np.full(self.targets, np.nan)
        row[self.target_of[series]] = times
        touched = np.flatnonzero(~np.isnan(row))
        now, was, clock = row[touched], self._row[touched], self._clock[touched]
        rise = (values + off) - (last + off)
        grown = _sums(self.group_of[series], rise, self.groups)
        groups = np.flatnonzero(~np.isnan(row[self._group_target]))
        _push(self._grown, groups, grown[groups])
        _push(self._good, touched, now - was)
        _push(self._spans, touched, now - was)
        self._row[touched] = now
        self.time[clock], self.value[clock] = now, now
        at = self.offset[clock]
        return _Segments(
            series=np.concatenate([series, clock]),
            t0=np.concatenate([before, was]),
            c0=np.concatenate([last + off, was + at]),
            t1=np.concatenate([times, now]),
            c1=np.concatenate([values + off, now + at]),
            before=np.concatenate([before, was]),
        )

    def _by_target(self, batch: _Batch, slow: Ints) -> _Segments:
        ends = np.append(batch.first[1:], len(batch.series))
        runs: dict[int, list[tuple[int, int, int]]] = {int(target): [] for target in slow}
        names = batch.series[batch.first]
        for name, begin, end, target in zip(
            names.tolist(),
            batch.first.tolist(),
            ends.tolist(),
            self.target_of[names].tolist(),
            strict=True,
        ):
            if target in runs:
                runs[target].append((name, begin, end))
        parts = [
            _Scrapes(self, batch, target, held).segments() for target, held in runs.items() if held
        ]
        fields = [[getattr(p, name) for p in parts] for name in _Segments.__slots__]
        return _Segments(*(np.concatenate(values) for values in fields))

    # -- increments out

    def _credit(self, segments: _Segments) -> None:
        """Note the cumulative at every boundary that the segments decide."""
        series = segments.series
        top = np.floor((segments.t1 - self.start) / self.step).astype(np.int64)
        done = np.maximum(_floor(segments.before, self.start, self.step), self._done[series])
        count = np.maximum(top - done, 0)
        if count.any():
            self._widen(int(top.max()) - self.frozen)
            at = np.repeat(np.arange(len(series)), count)
            begin = np.cumsum(count) - count
            boundary = done[at] + 1 + np.arange(len(at)) - begin[at]
            self._ahead[series[at], boundary - self.frozen - 1] = self._interpolated(
                segments, at, boundary
            )
            np.maximum.at(self._done, series, top)

    def _interpolated(self, segments: _Segments, at: Ints, boundary: Ints) -> Floats:
        end = self.start + boundary * self.step
        t0, t1 = segments.t0[at], segments.t1[at]
        c0, c1 = segments.c0[at], segments.c1[at]
        share = np.clip((end - t0) / (t1 - t0), 0.0, 1.0)
        inside: Floats = np.minimum(c0 + (c1 - c0) * share, np.maximum(c0, c1))
        credited: Floats = np.where(t1 - end <= self.settle, inside, c0)
        return credited

    def _widen(self, width: int) -> None:
        if width > self._ahead.shape[1]:
            wide = np.full((len(self._ahead), width), np.nan)
            wide[:, : self._ahead.shape[1]] = self._ahead
            self._ahead = wide

    def advance(self, top: int) -> Floats:
        """Increments of every series in the bins up to boundary `top`, (series, new bins).

        Every sample up to `settle` after that boundary must have been given before.
        """
        new = top - self.frozen
        if new <= 0:
            return np.zeros((self.count, 0))
        self._widen(new)
        ahead = self._ahead[: self.count, :new]
        cumulative = np.where(self.time > -np.inf, self.value + self.offset, 0.0)[: self.count]
        decided = np.where(np.isnan(ahead), cumulative[:, None], ahead)
        before = np.concatenate([self._credited[: self.count, None], decided[:, :-1]], axis=1)
        self._credited[: self.count] = decided[:, -1]
        rest = self._ahead[:, new:].copy()
        self._ahead = rest if rest.shape[1] else np.full((len(self._ahead), 1), np.nan)
        self.frozen = top
        np.maximum(self._done, top, out=self._done)
        increments: Floats = np.maximum(decided - before, 0.0)
        return increments


class _Scrapes:
    """New scrapes of one target as a matrix: rows are scrape times, columns its series."""

    def __init__(
        self, bank: Counters, batch: _Batch, target: int, runs: list[tuple[int, int, int]]
    ) -> None:
        self.bank, self.target = bank, target
        self.members = np.array(bank._members[target], np.int64)
        columns = {name: column for column, name in enumerate(bank._members[target])}
        slices = [batch.times[begin:end] for _, begin, end in runs]
        self.rows = _union(slices)
        shape = (len(self.rows), len(self.members))
        self.x, self.before, self.last = (np.full(shape, np.nan) for _ in range(3))
        for name, begin, end in runs:
            at = _places(batch.times[begin:end], self.rows)
            column = columns[name]
            self.x[at, column] = batch.values[begin:end]
            self.before[at, column] = batch.before[begin:end]
            self.last[at, column] = batch.last[begin:end]
        self.groups = bank._groups_of[target]
        place = {group: at for at, group in enumerate(self.groups)}
        self.group = np.array([place[g] for g in bank.group_of[self.members].tolist()], np.int64)
        known = batch.restarts.get(target, ())
        self.certain = np.isin(self.rows, known) if known else np.zeros(len(self.rows), np.bool_)
        self.began = batch.began.get(target, (np.nan, np.nan))
        self.present = ~np.isnan(self.x)
        newest = bank._row[target]
        self.previous = np.maximum(np.concatenate([[newest], self.rows[:-1]]), newest)
        self.spans = self.rows - self.previous
        self.offset = bank.offset[self.members].copy()
        self.offsets = np.broadcast_to(self.offset, shape).copy()
        self.c0 = self.last + self.offsets
        self.t0 = self.before.copy()
        self.discarded = np.zeros(len(self.rows), np.bool_)
        self.settled = 0
        self.clock_offset = np.full(len(self.rows), bank.offset[bank._clock[target]])
        self.clock_c0 = self.previous + self.clock_offset

    def segments(self) -> _Segments:
        """Walk the rows where something happens; then all samples as segments."""
        ordered = self.rows > self.bank._row[self.target]
        with np.errstate(invalid="ignore"):
            odd = (self.x < self.last) | ~(self.rows[:, None] - self.before <= self.bank.gap)
        odd |= self.before < self.bank._reset[self.groups][self.group]
        eventful = (odd & self.present).any(axis=1) | self.certain | ~ordered
        eventful |= ~(self.spans <= self.bank.gap)
        eventful |= self.rows <= self.bank._flip[self.target] + self.bank.wary
        waiting = [int(row) for row in np.flatnonzero(eventful)]
        done = 0
        while done < len(waiting):
            again = self._event(waiting[done])
            if again:  # rows that what was found there makes eventful
                waiting = waiting[: done + 1] + sorted({*waiting[done + 1 :], *again})
            done += 1
        self._settle(len(self.rows))
        return self._keep()

    def _settle(self, end: int) -> None:
        """Push the growth of rows before `end` into the rings of recent good intervals."""
        begin, self.settled = max(self.settled, end - _RECENT), end
        bank, target = self.bank, self.target
        for row in range(begin, end):
            span = float(self.spans[row])
            if not 0 < span < np.inf:
                continue
            _push_one(bank._spans, target, span)
            if not self.discarded[row]:
                self._push_growth(row, span)

    def _push_growth(self, row: int, span: float) -> None:
        here = self.present[row]
        grown = (self.x[row] + self.offsets[row] - self.c0[row])[here]
        sums = _sums(self.group[here], grown, len(self.groups))
        _push(self.bank._grown, np.array(self.groups), sums)
        _push_one(self.bank._good, self.target, span)

    def _event(self, row: int) -> list[int]:
        """Decide one row; gives rows of series that were absent when their target restarted."""
        bank = self.bank
        self._settle(row)
        now, was = float(self.rows[row]), float(self.previous[row])
        here = self.present[row]
        fresh = here & (self.before[row] == -np.inf)
        held = here & ~fresh
        c0 = np.where(fresh, 0.0, np.where(held, self.last[row] + self.offset, 0.0))
        if was == -np.inf:
            self._first(row, fresh)
            return []
        limit = self._limit()
        if not now - was <= limit or now <= was:
            self._discard(row, here, c0)
            bank.tally.gaps += 1
            return []
        reset, again = self._reset_groups(row, here, held, now - was)
        if reset is None:
            self._discard(row, here, c0)
            bank.tally.flips += 1
            bank._flip[self.target] = now
            return [r for r in range(row + 1, len(self.rows)) if self.rows[r] <= now + bank.wary]
        self._apply(row, here, fresh, c0, reset, limit)
        return again

    def _limit(self) -> float:
        spans = self.bank._spans[self.target]
        known = spans[~np.isnan(spans)]
        return (
            max(self.bank.gap, _GAP_INTERVALS * float(np.median(known)))
            if len(known)
            else (self.bank.gap)
        )

    def _first(self, row: int, fresh: Bools) -> None:
        """The target's first scrape counts only from a process start just before it."""
        now = float(self.rows[row])
        known, began = self.began
        young = known == now and 0.0 < now - began <= self.bank.step
        offset = np.zeros_like(self.offset) if young else -self.x[row]
        since = began if young else now - self.bank.step
        self._set(row, fresh, offset, np.zeros_like(offset), since)
        self._set_clock(row, -began if young else -now, since)

    def _reset_groups(
        self, row: int, here: Bools, held: Bools, span: float
    ) -> tuple[Bools | None, list[int]]:
        """Groups that restarted (None: a fall that is no restart), and rows to revisit."""
        bank, count = self.bank, len(self.groups)
        fell = np.zeros(count, np.bool_)
        fell[self.group[held & (self.x[row] < self.last[row])]] = True
        certain = bool(self.certain[row])
        rate = bank._grown[self.groups].sum(axis=1) / max(bank._good[self.target].sum(), 1e-9)
        most = _SURGE * rate * span + _SLACK
        if not fell.any() and not certain:
            return (None if self._jumps(row, held, most) else fell), []
        fits = _sums(self.group[here], self.x[row][here], count) <= most
        if not certain and bool((fell & ~fits).any()):
            return None, []
        reset = np.ones(count, np.bool_) if certain else fits
        now = float(self.rows[row])
        bank._reset[np.array(self.groups)[reset]] = now
        bank.tally.resets += 1
        bank.restarts.append(Restart(self.target, now - span, now))
        return reset, self._revisit(row, ~here & reset[self.group])

    def _jumps(self, row: int, held: Bools, most: Floats) -> bool:
        """Whether, soon after a flip, a group rises as if it flipped back."""
        if self.rows[row] > self.bank._flip[self.target] + self.bank.wary:
            return False
        rise = (self.x[row] - self.last[row])[held]
        return bool((_sums(self.group[held], rise, len(most)) > most).any())

    def _revisit(self, row: int, absent: Bools) -> list[int]:
        """Next rows of the series that are absent at `row`."""
        later = self.present[row + 1 :, absent]
        found = later.any(axis=0)
        return sorted({int(r) + row + 1 for r in later.argmax(axis=0)[found]})

    def _apply(
        self, row: int, here: Bools, fresh: Bools, c0: Floats, reset: Bools, limit: float
    ) -> None:
        """Births, restarts and single gaps of a row whose scrape is good."""
        now, was = float(self.rows[row]), float(self.previous[row])
        held = here & ~fresh
        earlier = self.bank._reset[self.groups][self.group]
        returned = held & (self.before[row] < earlier)
        restarted = (held & reset[self.group]) | returned
        witness = bool((held & (self.before[row] >= was)).any()) or bool(self.certain[row])
        born = fresh & witness
        self.bank.tally.births += int(np.count_nonzero(born))
        self._set(row, restarted | born, c0, c0, was)
        with np.errstate(invalid="ignore"):
            long = held & ~restarted & (now - self.before[row] > limit)
        lost = long | (fresh & ~born)
        self._set(row, lost, c0 - self.x[row], c0, np.where(fresh, was, self.before[row]))
        self.bank.tally.gaps += int(long.any())

    def _discard(self, row: int, here: Bools, c0: Floats) -> None:
        """No series of the target counts anything in this interval."""
        self._set(row, here, c0 - self.x[row], c0, np.nan)
        self.discarded[row] = True
        now = float(self.rows[row])
        if now <= self.previous[row]:
            return
        at = float(self.previous[row]) + float(self.clock_offset[row])
        self.clock_offset[row:] = at - now
        self.clock_c0[row] = at
        if row + 1 < len(self.rows):
            self.clock_c0[row + 1 :] = self.previous[row + 1 :] + self.clock_offset[row + 1 :]

    def _set_clock(self, row: int, offset: float, since: float) -> None:
        self.clock_offset[row:] = offset
        self.clock_c0[row] = 0.0
        self.previous[row] = since
        self.clock_c0[row + 1 :] = self.previous[row + 1 :] + offset

    def _set(self, row: int, which: Bools, offset: Floats, c0: Floats, t0: Floats | float) -> None:
        """From `row` on the series `which` have new offsets; their segment there begins at t0."""
        if not which.any():
            return
        self.offset[which] = offset[which]
        self.offsets[row:, which] = self.offset[which]
        self.c0[row + 1 :, which] = self.last[row + 1 :, which] + self.offset[which]
        self.c0[row, which] = c0[which]
        since = np.broadcast_to(t0, which.shape)
        told = which & ~np.isnan(since)
        self.t0[row, told] = since[told]

    def _keep(self) -> _Segments:
        """Write the state back, and all samples as segments."""
        bank, clock = self.bank, int(self.bank._clock[self.target])
        bank.offset[self.members] = self.offset
        bank.offset[clock] = self.clock_offset[-1]
        rows = self.rows
        fresh = self.spans > 0
        before = np.concatenate([[bank.time[clock]], rows[:-1]])
        bank._row[self.target] = max(float(bank._row[self.target]), float(rows[-1]))
        bank.time[clock] = bank.value[clock] = bank._row[self.target]
        bank.offset[clock] = self.clock_offset[-1]
        row, column = np.nonzero(self.present)
        clocks = np.full(int(fresh.sum()), clock)
        t1 = rows[row]
        t0 = np.where(np.isinf(self.t0[row, column]), t1 - bank.step, self.t0[row, column])
        began = np.where(np.isinf(self.previous), rows - bank.step, self.previous)
        return _Segments(
            series=np.concatenate([self.members[column], clocks]),
            t0=np.concatenate([t0, began[fresh]]),
            c0=np.concatenate([self.c0[row, column], self.clock_c0[fresh]]),
            t1=np.concatenate([t1, rows[fresh]]),
            c1=np.concatenate(
                [self.x[row, column] + self.offsets[row, column], (rows + self.clock_offset)[fresh]]
            ),
            before=np.concatenate([self.before[row, column], before[fresh]]),
        )


def _union(slices: list[Floats]) -> Floats:
    """Distinct times, ascending."""
    longest = max(slices, key=len)
    if all(len(part) == len(longest) and np.array_equal(part, longest) for part in slices):
        return longest
    return np.unique(np.concatenate(slices))


def _places(times: Floats, rows: Floats) -> Ints | slice:
    if len(times) == len(rows):
        return slice(None)
    return np.searchsorted(rows, times)


def _sums(groups: Ints, weights: Floats, count: int) -> Floats:
    sums: Floats = np.bincount(groups, weights=weights, minlength=count).astype(np.float64)
    return sums


def _floor(times: Floats, start: float, step: float) -> Ints:
    finite = np.where(np.isfinite(times), times, start - 2**40 * step)
    return np.floor((finite - start) / step).astype(np.int64)


def _grown(old: NDArray[T], size: int, fill: float) -> NDArray[T]:
    new = np.full((size, *old.shape[1:]), fill, old.dtype)
    new[: len(old)] = old
    return new


def _push(ring: Floats, at: Ints, values: Floats) -> None:
    """Shift the rows `at` of a ring and put one value at their ends."""
    if len(at):
        held = ring[at]
        held[:, :-1] = held[:, 1:]
        held[:, -1] = values
        ring[at] = held


def _push_one(ring: Floats, at: int, value: float) -> None:
    ring[at, :-1] = ring[at, 1:].copy()
    ring[at, -1] = value
