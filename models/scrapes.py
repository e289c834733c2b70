"""One target's scrapes in which something happens: births, resets, flips and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.bank import RECENT, Bank, Restart
from models.boundaries import Segments
from models.growing import Bools, Floats, Ints, push_all, sums
from models.runs import Runs

__all__ = ["Batch", "Scrapes"]

# What a restarted counter may show beyond the recent rate.
_SURGE, _SLACK = 10.0, 10.0


@dataclass(slots=True)
class Batch:
    """New samples with, for each, the one before it; and what is decided: offset, segment start.

    `first`: where each series begins. `restarts`, `began`: as `Counters.extend` was told.
    """

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


class Scrapes:
    """New scrapes of one target: rows are scrape times, columns its series.

    `at` (rows, columns) is where each sample lies in the batch, -1 where a series is absent. The
    batch's `offset` and `c0` hold what was decided so far; a decision holds to the run's end.
    """

    def __init__(self, bank: Bank, batch: Batch, target: int, runs: Runs, odd: Ints) -> None:
        self.bank, self.batch, self.target = bank, batch, target
        self.names, self.ends = runs.names, runs.ends
        self.rows, self.at, self.block = runs.united(batch.times)
        self.groups = bank.groups_of[target]
        self.group = np.searchsorted(self.groups, bank.group_of[runs.names])
        known = batch.restarts.get(target, ())
        self.certain = np.isin(self.rows, known) if known else np.zeros(len(self.rows), np.bool_)
        self.began = batch.began.get(target, (np.nan, np.nan))
        newest = bank.row[target]
        self.previous = np.maximum(np.concatenate([[newest], self.rows[:-1]]), newest)
        self.spans = self.rows - self.previous
        self.discarded = np.zeros(len(self.rows), np.bool_)
        self.settled = 0
        self.odd = odd
        self.clock = np.full(len(self.rows), bank.offset[bank.clock[target]])
        self.clock_c0 = self.previous + self.clock

    def walk(self) -> None:
        """Decide the rows where something happens, in order."""
        eventful = self.certain | ~((self.spans > 0) & (self.spans <= self.bank.gap))
        eventful |= self.rows <= self.bank.flip[self.target] + self.bank.wary
        eventful[np.searchsorted(self.rows, self.batch.times[self.odd])] = True
        waiting = np.flatnonzero(eventful).tolist()
        done = 0
        while done < len(waiting):
            again = self._event(waiting[done])
            if again:  # rows that what was found there makes eventful
                waiting = waiting[: done + 1] + sorted({*waiting[done + 1 :], *again})
            done += 1
        self._settle(len(self.rows))
        self.bank.row[self.target] = max(self.bank.row[self.target], self.rows[-1])

    def _settle(self, end: int) -> None:
        """Push the growth of rows before `end` into the rings of recent good intervals."""
        begin, self.settled = max(self.settled, end - RECENT), end
        if begin >= end:
            return
        bank, target = self.bank, self.target
        part = np.arange(begin, end)
        part = part[(self.spans[begin:end] > 0) & (self.spans[begin:end] < np.inf)]
        push_all(bank.spans, np.array([target]), self.spans[part][None])
        good = part[~self.discarded[part]]
        if len(good):
            push_all(bank.good, np.array([target]), self.spans[good][None])
            push_all(bank.grown, self.groups, self._growth(good))

    def _growth(self, rows: Ints) -> Floats:
        """What each group grew by in some rows, (groups, rows)."""
        batch, at = self.batch, self.at[rows]
        growth = (batch.values[at] + batch.offset[at]) - batch.c0[at]
        keys = (self.group * len(rows) + np.arange(len(rows))[:, None]).ravel()
        weights = np.where(at >= 0, growth, 0.0).ravel()
        return sums(keys, weights, len(self.groups) * len(rows)).reshape(-1, len(rows))

    def _event(self, row: int) -> list[int]:
        """Decide one row; gives later rows that are eventful because of it."""
        bank = self.bank
        self._settle(row)
        look = _Look(self, row)
        was = float(self.previous[row])
        if was == -np.inf:
            self._first(look)
            return []
        limit = bank.limit(self.target)
        if not 0.0 < look.now - was <= limit:
            self._discard(look)
            bank.tally.gaps += 1
            return []
        reset, again = self._reset_groups(look, look.now - was)
        if reset is None:
            return self._flipped(look)
        self._apply(look, reset, limit)
        return again

    def _flipped(self, look: _Look) -> list[int]:
        """A fall that is no restart; gives the later rows that may flip back."""
        bank = self.bank
        self._remember(look)
        self._discard(look)
        bank.tally.flips += 1
        bank.flip[self.target] = look.now
        bank.last_flip = max(bank.last_flip, look.now)
        wary = np.flatnonzero(self.rows <= look.now + bank.wary)
        return [int(later) for later in wary if later > look.row]

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
        rate = bank.grown[self.groups].sum(axis=1) / max(bank.good[self.target].sum(), 1e-9)
        most = _SURGE * rate * span + _SLACK
        if not fell.any() and not certain:
            return (None if self._jumps(look, most) else fell), []
        fits = sums(look.group, look.x, count) <= most
        if not certain and bool((fell & ~fits).any()):
            return None, []
        reset = np.ones(count, np.bool_) if certain else fits
        bank.reset[self.groups[reset]] = look.now
        bank.last_reset = max(bank.last_reset, look.now)
        bank.tally.resets += 1
        bank.restarts.append(Restart(self.target, look.now - span, look.now))
        return reset, self._revisit(look.row, reset)

    def _jumps(self, look: _Look, most: Floats) -> bool:
        """Whether, soon after a flip, a group rises as if it flipped back."""
        if look.now > self.bank.flip[self.target] + self.bank.wary:
            return False
        usual = np.where(look.held & ~self._returns(look), look.x - look.last, 0.0)
        rise = np.maximum(usual, 0.0)
        return bool((sums(look.group, rise, len(most)) > most).any())

    def _remember(self, look: _Look) -> None:
        """Note what each series that flipped showed before, and its offset then."""
        bank = self.bank
        fell = look.held & (look.x < look.last)
        series = self.names[look.column[fell]]
        last, offset = look.last[fell], self.batch.offset[look.at[fell]]
        calm = look.now > bank.flip[self.target] + bank.wary
        new = calm | np.isinf(bank.high[series]) | (last > bank.high[series])
        bank.high[series[new]], bank.former[series[new]] = last[new], offset[new]

    def _returns(self, look: _Look) -> Bools:
        """Series that, soon after a flip, are back above what they showed before it."""
        high = self.bank.high[self.names[look.column]]
        soon = look.now <= self.bank.flip[self.target] + self.bank.wary
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
        earlier = self.bank.reset[self.groups][look.group]
        restarted = look.held & (reset[look.group] | (look.before < earlier))
        sibling = bool((look.held & (look.before >= was)).any())
        born = look.fresh if sibling or self.certain[look.row] else np.zeros_like(look.fresh)
        self.bank.tally.births += int(np.count_nonzero(born))
        self._set(look, restarted | born, look.c0, look.c0, was)
        back = self._returns(look) & ~restarted
        former = self.bank.former[self.names[look.column]]
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
        if self.block is not None and which.all():
            self._set_all(self.block, look.row, offset, c0, since)
            return
        batch = self.batch
        for one in np.flatnonzero(which).tolist():
            at, end, value = int(look.at[one]), int(look.ends[one]), float(offset[one])
            batch.offset[at:end] = value
            batch.c0[at + 1 : end] = batch.last[at + 1 : end] + value
            batch.c0[at] = c0[one]
            if since is not None:
                batch.t0[at] = since

    def _set_all(
        self, block: slice, row: int, offset: Floats, c0: Floats, since: float | None
    ) -> None:
        """`_set` of all series at once, where they lie side by side in the batch."""
        shape = (len(self.names), len(self.rows))
        held, starts, last, begin = (
            values[block].reshape(shape)
            for values in (self.batch.offset, self.batch.c0, self.batch.last, self.batch.t0)
        )
        held[:, row:] = offset[:, None]
        starts[:, row + 1 :] = last[:, row + 1 :] + offset[:, None]
        starts[:, row] = c0
        if since is not None:
            begin[:, row] = since

    def clock_segments(self) -> Segments:
        """The target's clock as segments; its state is moved on."""
        bank, clock = self.bank, int(self.bank.clock[self.target])
        keep = self.spans > 0
        before = np.concatenate([[bank.time[clock]], self.rows[:-1]])
        bank.time[clock] = bank.value[clock] = bank.row[self.target]
        bank.offset[clock] = self.clock[-1]
        return Segments(
            series=np.full(int(keep.sum()), clock),
            t0=self.previous[keep],
            c0=self.clock_c0[keep],
            t1=self.rows[keep],
            c1=(self.rows + self.clock)[keep],
            before=before[keep],
        )


class _Look:
    """The samples of one row of a target."""

    def __init__(self, scrapes: Scrapes, row: int) -> None:
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
