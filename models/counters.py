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
# Samples that are worked on at once: a few arrays of them fit the second-level cache.
_PART = 1 << 15


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
    """New samples with, for each, the one before it; and what is decided: offset, segment start."""

    series: Ints
    times: Floats
    values: Floats
    before: Floats
    last: Floats
    first: Ints
    offset: Floats
    c0: Floats
    t0: Floats
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
        self._high: Floats = np.zeros(0)
        self._former: Floats = np.zeros(0)
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
        self._high[series], self._former[series] = np.inf, 0.0
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
        self._high = _grown(self._high, size, np.inf)
        self._former = _grown(self._former, size, 0.0)
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
        for part in self._parts(series):
            self._extend(
                self._batch(series[part], times[part], values[part]), restarts or {}, began or {}
            )

    def _parts(self, series: Ints) -> list[slice | Ints]:
        """Samples target by target in parts that fit a processor's cache; all, if few."""
        if len(series) <= _PART:
            return [slice(None)] if len(series) else []
        first = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(np.diff(series)) + 1])
        size = np.diff(np.append(first, len(series)))
        target = self.target_of[series[first]]
        order = np.argsort(target, kind="stable")
        first, size, target = first[order], size[order], target[order]
        ends = np.cumsum(size)
        part = (ends[np.searchsorted(target, target, side="right") - 1] - 1) // _PART
        at = np.repeat(first - (ends - size), size) + np.arange(len(series))
        cuts = ends[np.flatnonzero(np.diff(part))]
        return list(np.split(at, cuts))

    def _extend(
        self,
        batch: _Batch,
        restarts: Mapping[int, tuple[float, ...]],
        began: Mapping[int, tuple[float, float]],
    ) -> None:
        batch.restarts, batch.began = restarts, began
        series, times, values = batch.series, batch.times, batch.values
        odd = self._odd(batch)
        slow = self._unusual(batch, odd)
        plain = ~slow[self.target_of[series]]
        clocks = self._plain(batch, plain) if plain.any() else []
        if slow.any():
            clocks += self._by_target(batch, slow, odd)
        self._credit(batch, clocks)
        begin, last = batch.first, np.append(batch.first[1:], len(series)) - 1
        self.since[series[begin]] = np.minimum(self.since[series[begin]], times[begin])
        self.time[series[last]], self.value[series[last]] = times[last], values[last]
        self.offset[series[last]] = batch.offset[last]

    def _batch(self, series: Ints, times: Floats, values: Floats) -> _Batch:
        change = np.flatnonzero(series[1:] != series[:-1]) + 1
        first = np.concatenate([np.zeros(1, np.int64), change])
        before, last = np.empty_like(times), np.empty_like(values)
        before[1:], last[1:] = times[:-1], values[:-1]
        before[first], last[first] = self.time[series[first]], self.value[series[first]]
        offset = self.offset[series]
        return _Batch(
            series, times, values, before, last, first, offset, last + offset, before.copy()
        )

    def _odd(self, batch: _Batch) -> Bools:
        """Samples that are not simply the next of a known series, in good time."""
        series, times = batch.series, batch.times
        target = self.target_of[series]
        odd = (batch.values < batch.last) | ~(times - batch.before <= self.gap)
        odd |= batch.before < self._reset[self.group_of[series]]
        odd |= (times <= self._row[target]) | (times <= self._flip[target] + self.wary)
        return odd

    def _unusual(self, batch: _Batch, odd: Bools) -> Bools:
        """Targets with anything but one more scrape without an odd sample."""
        times, target = batch.times, self.target_of[batch.series]
        slow = np.zeros(self.targets, np.bool_)
        slow[target[odd]] = True
        slow[list(batch.restarts)] = True
        low, high = np.full(self.targets, np.inf), np.full(self.targets, -np.inf)
        np.minimum.at(low, target, times)
        np.maximum.at(high, target, times)
        slow |= low < high
        return slow

    def _plain(self, batch: _Batch, keep: Bools) -> list[_Segments]:
        """Targets with one ordinary scrape, all at once; no offset changes. Gives their clocks."""
        series, times = batch.series[keep], batch.times[keep]
        row = np.full(self.targets, np.nan)
        row[self.target_of[series]] = times
        touched = np.flatnonzero(~np.isnan(row))
        now, was, clock = row[touched], self._row[touched], self._clock[touched]
        rise = (batch.values[keep] + batch.offset[keep]) - batch.c0[keep]
        groups = np.flatnonzero(~np.isnan(row[self._group_target]))
        _push(self._grown, groups, _sums(self.group_of[series], rise, self.groups)[groups])
        _push(self._good, touched, now - was)
        _push(self._spans, touched, now - was)
        self._row[touched] = now
        self.time[clock], self.value[clock] = now, now
        at = self.offset[clock]
        return [_Segments(clock, was, was + at, now, now + at, was)]

    def _by_target(self, batch: _Batch, slow: Bools, odd: Bools) -> list[_Segments]:
        """Targets in which something happens, one by one. Gives their clocks."""
        ends = np.append(batch.first[1:], len(batch.series))
        names = batch.series[batch.first]
        targets = self.target_of[names]
        chosen = np.flatnonzero(slow[targets])
        chosen = chosen[np.lexsort((names[chosen], targets[chosen]))]
        strange = np.flatnonzero(odd)
        strange = strange[np.argsort(self.target_of[batch.series[strange]], kind="stable")]
        edge = self.target_of[batch.series[strange]]
        clocks = []
        for part in np.split(chosen, np.flatnonzero(np.diff(targets[chosen])) + 1):
            target = int(targets[part[0]])
            low, high = np.searchsorted(edge, [target, target + 1])
            runs = list(zip(names[part], batch.first[part], ends[part], strict=True))
            scrapes = _Scrapes(self, batch, target, runs, strange[low:high])
            scrapes.walk()
            clocks.append(scrapes.clock_segments())
        return clocks

    # -- increments out

    def _credit(self, batch: _Batch, clocks: list[_Segments]) -> None:
        """Note the cumulatives of a batch and of clocks."""
        self._note(
            _Segments(
                series=batch.series,
                t0=np.where(batch.t0 > -np.inf, batch.t0, batch.times - self.step),
                c0=batch.c0,
                t1=batch.times,
                c1=batch.values + batch.offset,
                before=batch.before,
            )
        )
        fields = [[getattr(clock, name) for clock in clocks] for name in _Segments.__slots__]
        self._note(_Segments(*(np.concatenate(parts) for parts in fields)))

    def _note(self, segments: _Segments) -> None:
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
    """New scrapes of one target: rows are scrape times, columns its series.

    `at` (rows, columns) is where each sample lies in the batch, -1 where a series is absent. The
    batch's `offset` and `c0` hold what was decided so far; a decision holds to the run's end.
    """

    def __init__(
        self,
        bank: Counters,
        batch: _Batch,
        target: int,
        runs: list[tuple[int, int, int]],
        odd: Ints,
    ) -> None:
        self.bank, self.batch, self.target = bank, batch, target
        names, begins, ends = (np.array(column, np.int64) for column in zip(*runs, strict=True))
        self.names, self.ends = names, ends
        self.rows, self.at = _union(batch.times, begins, ends)
        self.groups = np.array(bank._groups_of[target], np.int64)
        self.group = np.searchsorted(self.groups, bank.group_of[names])
        known = batch.restarts.get(target, ())
        self.certain = np.isin(self.rows, known) if known else np.zeros(len(self.rows), np.bool_)
        self.began = batch.began.get(target, (np.nan, np.nan))
        newest = bank._row[target]
        self.previous = np.maximum(np.concatenate([[newest], self.rows[:-1]]), newest)
        self.spans = self.rows - self.previous
        self.discarded = np.zeros(len(self.rows), np.bool_)
        self.settled = 0
        self.odd = odd
        self.clock = np.full(len(self.rows), bank.offset[bank._clock[target]])
        self.clock_c0 = self.previous + self.clock

    def walk(self) -> None:
        """Decide the rows where something happens, in order."""
        eventful = self.certain | ~((self.spans > 0) & (self.spans <= self.bank.gap))
        eventful |= self.rows <= self.bank._flip[self.target] + self.bank.wary
        eventful[np.searchsorted(self.rows, self.batch.times[self.odd])] = True
        waiting = np.flatnonzero(eventful).tolist()
        done = 0
        while done < len(waiting):
            again = self._event(waiting[done])
            if again:  # rows that what was found there makes eventful
                waiting = waiting[: done + 1] + sorted({*waiting[done + 1 :], *again})
            done += 1
        self._settle(len(self.rows))
        self.bank._row[self.target] = max(self.bank._row[self.target], self.rows[-1])

    def _settle(self, end: int) -> None:
        """Push the growth of rows before `end` into the rings of recent good intervals."""
        begin, self.settled = max(self.settled, end - _RECENT), end
        bank, target = self.bank, self.target
        part = np.arange(begin, end)
        part = part[(self.spans[begin:end] > 0) & (self.spans[begin:end] < np.inf)]
        _push_all(bank._spans, np.array([target]), self.spans[part][None])
        good = part[~self.discarded[part]]
        if len(good):
            _push_all(bank._good, np.array([target]), self.spans[good][None])
            _push_all(bank._grown, self.groups, self._growth(good))

    def _growth(self, rows: Ints) -> Floats:
        """What each group grew by in some rows, (groups, rows)."""
        batch, at = self.batch, self.at[rows]
        grown = (batch.values[at] + batch.offset[at]) - batch.c0[at]
        keys = (self.group * len(rows) + np.arange(len(rows))[:, None]).ravel()
        weights = np.where(at >= 0, grown, 0.0).ravel()
        return _sums(keys, weights, len(self.groups) * len(rows)).reshape(-1, len(rows))

    def _event(self, row: int) -> list[int]:
        """Decide one row; gives later rows that are eventful because of it."""
        bank = self.bank
        self._settle(row)
        look = _Look(self, row)
        was = float(self.previous[row])
        if was == -np.inf:
            self._first(look)
            return []
        limit = self._limit()
        if not 0.0 < look.now - was <= limit:
            self._discard(look)
            bank.tally.gaps += 1
            return []
        reset, again = self._reset_groups(look, look.now - was)
        if reset is None:
            self._remember(look)
            self._discard(look)
            bank.tally.flips += 1
            bank._flip[self.target] = look.now
            wary = np.flatnonzero(self.rows <= look.now + bank.wary)
            return [int(later) for later in wary if later > row]
        self._apply(look, reset, limit)
        return again

    def _limit(self) -> float:
        """Longest interval that is still spread, seconds."""
        spans = self.bank._spans[self.target]
        known = spans[~np.isnan(spans)]
        usual = float(np.median(known)) if len(known) else 0.0
        return max(self.bank.gap, _GAP_INTERVALS * usual)

    def _first(self, look: _Look) -> None:
        """The target's first scrape counts only from a process start just before it."""
        known, began = self.began
        young = known == look.now and 0.0 < look.now - began <= self.bank.step
        since = began if young else look.now - self.bank.step
        nothing = np.zeros(len(look.x))
        self._set(look, look.fresh, nothing if young else -look.x, nothing, since)
        self.clock[look.row :] = -began if young else -look.now
        self.clock_c0[look.row] = 0.0
        self.previous[look.row] = since
        self._follow(look.row)

    def _reset_groups(self, look: _Look, span: float) -> tuple[Bools | None, list[int]]:
        """Groups that restarted (None: a fall that is no restart), and rows to revisit."""
        bank, count = self.bank, len(self.groups)
        fell = np.zeros(count, np.bool_)
        fell[look.group[look.held & (look.x < look.last)]] = True
        certain = bool(self.certain[look.row])
        rate = bank._grown[self.groups].sum(axis=1) / max(bank._good[self.target].sum(), 1e-9)
        most = _SURGE * rate * span + _SLACK
        if not fell.any() and not certain:
            return (None if self._jumps(look, most) else fell), []
        fits = _sums(look.group, look.x, count) <= most
        if not certain and bool((fell & ~fits).any()):
            return None, []
        reset = np.ones(count, np.bool_) if certain else fits
        bank._reset[self.groups[reset]] = look.now
        bank.tally.resets += 1
        bank.restarts.append(Restart(self.target, look.now - span, look.now))
        return reset, self._revisit(look.row, reset)

    def _jumps(self, look: _Look, most: Floats) -> bool:
        """Whether, soon after a flip, a group rises as if it flipped back."""
        if look.now > self.bank._flip[self.target] + self.bank.wary:
            return False
        usual = np.where(look.held & ~self._returns(look), look.x - look.last, 0.0)
        rise = np.maximum(usual, 0.0)
        return bool((_sums(look.group, rise, len(most)) > most).any())

    def _remember(self, look: _Look) -> None:
        """Note what each series that flipped showed before, and its offset then."""
        bank = self.bank
        fell = look.held & (look.x < look.last)
        series = self.names[look.column[fell]]
        last, offset = look.last[fell], self.batch.offset[look.at[fell]]
        calm = look.now > bank._flip[self.target] + bank.wary
        new = calm | np.isinf(bank._high[series]) | (last > bank._high[series])
        bank._high[series[new]], bank._former[series[new]] = last[new], offset[new]

    def _returns(self, look: _Look) -> Bools:
        """Series that, soon after a flip, are back above what they showed before it."""
        high = self.bank._high[self.names[look.column]]
        soon = look.now <= self.bank._flip[self.target] + self.bank.wary
        back: Bools = look.held & (look.last < high) & (look.x >= high) & soon
        return back

    def _revisit(self, row: int, reset: Bools) -> list[int]:
        """Next rows of the series that are absent at `row`, where their group restarted."""
        absent = (self.at[row] < 0) & reset[self.group]
        later = self.at[row + 1 :, absent] >= 0
        if not later.size:
            return []
        found = later.any(axis=0)
        return sorted({int(r) + row + 1 for r in later.argmax(axis=0)[found]})

    def _apply(self, look: _Look, reset: Bools, limit: float) -> None:
        """Births, restarts and single gaps of a row whose scrape is good."""
        was = float(self.previous[look.row])
        earlier = self.bank._reset[self.groups][look.group]
        restarted = look.held & (reset[look.group] | (look.before < earlier))
        sibling = bool((look.held & (look.before >= was)).any())
        born = look.fresh if sibling or self.certain[look.row] else np.zeros_like(look.fresh)
        self.bank.tally.births += int(np.count_nonzero(born))
        self._set(look, restarted | born, look.c0, look.c0, was)
        back = self._returns(look) & ~restarted
        former = self.bank._former[self.names[look.column]]
        self._set(look, back, np.maximum(former, look.c0 - look.x), look.c0, None)
        long = look.held & ~restarted & ~back & (look.now - look.before > limit)
        self.bank.tally.gaps += int(long.any())
        lost = long | (look.fresh & ~born)
        self._set(look, lost, look.c0 - look.x, look.c0, None)

    def _discard(self, look: _Look) -> None:
        """No series of the target counts anything in this interval."""
        self._set(look, np.ones_like(look.held), look.c0 - look.x, look.c0, None)
        row = look.row
        self.discarded[row] = True
        if look.now <= self.previous[row]:
            return
        at = float(self.previous[row]) + float(self.clock[row])
        self.clock[row:] = at - look.now
        self.clock_c0[row] = at
        self._follow(row)

    def _follow(self, row: int) -> None:
        self.clock_c0[row + 1 :] = self.previous[row + 1 :] + self.clock[row + 1 :]

    def _set(
        self, look: _Look, which: Bools, offset: Floats, c0: Floats, since: float | None
    ) -> None:
        """From the row on, the series `which` have new offsets; `since`: their segment's begin."""
        batch = self.batch
        for one in np.flatnonzero(which).tolist():
            at, end, value = int(look.at[one]), int(look.ends[one]), float(offset[one])
            batch.offset[at:end] = value
            batch.c0[at + 1 : end] = batch.last[at + 1 : end] + value
            batch.c0[at] = c0[one]
            if since is not None:
                batch.t0[at] = since

    def clock_segments(self) -> _Segments:
        """The target's clock as segments; its state is moved on."""
        bank, clock = self.bank, int(self.bank._clock[self.target])
        keep = self.spans > 0
        before = np.concatenate([[bank.time[clock]], self.rows[:-1]])
        bank.time[clock] = bank.value[clock] = bank._row[self.target]
        bank.offset[clock] = self.clock[-1]
        return _Segments(
            series=np.full(int(keep.sum()), clock),
            t0=self.previous[keep],
            c0=self.clock_c0[keep],
            t1=self.rows[keep],
            c1=(self.rows + self.clock)[keep],
            before=before[keep],
        )


class _Look:
    """The samples of one row of a target."""

    def __init__(self, scrapes: _Scrapes, row: int) -> None:
        batch = scrapes.batch
        here = scrapes.at[row] >= 0
        self.row, self.now = row, float(scrapes.rows[row])
        self.column = np.flatnonzero(here)
        self.at = scrapes.at[row][here]
        self.ends, self.group = scrapes.ends[here], scrapes.group[here]
        self.x, self.last, self.before = (
            values[self.at] for values in (batch.values, batch.last, batch.before)
        )
        self.fresh = self.before == -np.inf
        self.held = ~self.fresh
        self.c0 = np.where(self.fresh, 0.0, batch.c0[self.at])


def _union(times: Floats, begins: Ints, ends: Ints) -> tuple[Floats, Ints]:
    """Distinct times of some runs, ascending, and where each run has them (-1: it has not)."""
    sizes = ends - begins
    longest = int(sizes.argmax())
    rows = times[begins[longest] : ends[longest]]
    parts = [times[b:e] for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]
    if not all(_is_part(part, rows) for part in parts):
        rows = np.unique(np.concatenate(parts))
    at = np.full((len(rows), len(parts)), -1, np.int64)
    for column, part in enumerate(parts):
        where = slice(None) if len(part) == len(rows) else np.searchsorted(rows, part)
        at[where, column] = np.arange(begins[column], ends[column])
    return rows, at


def _is_part(part: Floats, rows: Floats) -> bool:
    """Whether a run is the end of `rows`, as that of a series born late is."""
    return np.array_equal(part, rows[len(rows) - len(part) :])


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


def _push_all(ring: Floats, at: Ints, values: Floats) -> None:
    """Shift the rows `at` of a ring and put several values at their ends, (rows, values)."""
    ring[at] = np.concatenate([ring[at], values], axis=1)[:, -ring.shape[1] :]
