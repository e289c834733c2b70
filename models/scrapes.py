"""One target's scrapes in which something happens: births, resets, flips and gaps."""

from __future__ import annotations

import numpy as np

from models.bank import RECENT, Bank, Restart
from models.batch import Batch
from models.growing import Bools, Floats, Ints, push_all, sums
from models.runs import Runs
from models.sheet import Look, Sheet

__all__ = ["Scrapes"]

# What a restarted counter may show beyond the recent rate.
_SURGE, _SLACK = 10.0, 10.0


class Scrapes:
    """Decides what the new scrapes of one target count; `odd` are its samples to look at."""

    def __init__(self, bank: Bank, batch: Batch, target: int, runs: Runs, odd: Ints) -> None:
        self.bank, self.target, self.odd = bank, target, odd
        self.sheet = Sheet(bank, batch, target, runs)
        self._settled = 0

    def walk(self) -> None:
        """Decide the rows where something happens, in order."""
        sheet, bank = self.sheet, self.bank
        eventful = sheet.certain | ~((sheet.spans > 0) & (sheet.spans <= bank.gap))
        eventful |= sheet.rows <= bank.flip[self.target] + bank.wary
        eventful[np.searchsorted(sheet.rows, sheet.batch.times[self.odd])] = True
        waiting = np.flatnonzero(eventful).tolist()
        done = 0
        while done < len(waiting):
            again = self._event(waiting[done])
            if again:  # rows that what was found there makes eventful
                waiting = waiting[: done + 1] + sorted({*waiting[done + 1 :], *again})
            done += 1
        self._settle(len(sheet.rows))
        bank.row[self.target] = max(bank.row[self.target], sheet.rows[-1])

    def _settle(self, end: int) -> None:
        """Push the growth of rows before `end` into the rings of recent good intervals."""
        begin, self._settled = max(self._settled, end - RECENT), end
        if begin >= end:
            return
        bank, sheet, target = self.bank, self.sheet, self.target
        part = np.arange(begin, end)
        part = part[(sheet.spans[begin:end] > 0) & (sheet.spans[begin:end] < np.inf)]
        push_all(bank.spans, np.array([target]), sheet.spans[part][None])
        good = part[~sheet.discarded[part]]
        if len(good):
            push_all(bank.good, np.array([target]), sheet.spans[good][None])
            push_all(bank.grown, sheet.groups, sheet.growth(good))

    def _event(self, row: int) -> list[int]:
        """Decide one row; gives later rows that are eventful because of it."""
        bank = self.bank
        self._settle(row)
        look = Look(self.sheet, row)
        was = float(self.sheet.previous[row])
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

    def _flipped(self, look: Look) -> list[int]:
        """A fall that is no restart; gives the later rows that may flip back."""
        bank = self.bank
        self._remember(look)
        self._discard(look)
        bank.tally.flips += 1
        bank.flip[self.target] = look.now
        bank.last_flip = max(bank.last_flip, look.now)
        wary = np.flatnonzero(self.sheet.rows <= look.now + bank.wary)
        return [int(later) for later in wary if later > look.row]

    def _first(self, look: Look) -> None:
        """The target's first scrape counts only from a process start just before it."""
        known, began = self.sheet.began
        young = known == look.now and 0.0 < look.now - began <= self.bank.step
        since = began if young else look.now - self.bank.step
        nothing = np.zeros(len(look.x))
        self.sheet.decide(look, look.fresh, nothing if young else -look.x, nothing, since)
        self.sheet.previous[look.row] = since
        self.sheet.begin_clock(look.row, began if young else look.now)

    def _reset_groups(self, look: Look, span: float) -> tuple[Bools | None, list[int]]:
        """Groups that restarted (None: a fall that is no restart), and rows to revisit."""
        bank, count = self.bank, len(self.sheet.groups)
        fell = np.zeros(count, np.bool_)
        fell[look.group[look.held & (look.x < look.last)]] = True
        certain = bool(self.sheet.certain[look.row])
        rate = bank.grown[self.sheet.groups].sum(axis=1) / max(bank.good[self.target].sum(), 1e-9)
        most = _SURGE * rate * span + _SLACK
        if not fell.any() and not certain:
            return (None if self._jumps(look, most) else fell), []
        fits = sums(look.group, look.x, count) <= most
        if not certain and bool((fell & ~fits).any()):
            return None, []
        reset = np.ones(count, np.bool_) if certain else fits
        bank.reset[self.sheet.groups[reset]] = look.now
        bank.last_reset = max(bank.last_reset, look.now)
        bank.tally.resets += 1
        bank.restarts.append(Restart(self.target, look.now - span, look.now))
        return reset, self._revisit(look.row, reset)

    def _jumps(self, look: Look, most: Floats) -> bool:
        """Whether, soon after a flip, a group rises as if it flipped back."""
        if look.now > self.bank.flip[self.target] + self.bank.wary:
            return False
        usual = np.where(look.held & ~self._returns(look), look.x - look.last, 0.0)
        rise = np.maximum(usual, 0.0)
        return bool((sums(look.group, rise, len(most)) > most).any())

    def _remember(self, look: Look) -> None:
        """Note what each series that flipped showed before, and its offset then."""
        bank = self.bank
        fell = look.held & (look.x < look.last)
        series = self.sheet.names[look.column[fell]]
        last, offset = look.last[fell], self.sheet.batch.offset[look.at[fell]]
        calm = look.now > bank.flip[self.target] + bank.wary
        new = calm | np.isinf(bank.high[series]) | (last > bank.high[series])
        bank.high[series[new]], bank.former[series[new]] = last[new], offset[new]

    def _returns(self, look: Look) -> Bools:
        """Series that, soon after a flip, are back above what they showed before it."""
        high = self.bank.high[self.sheet.names[look.column]]
        soon = look.now <= self.bank.flip[self.target] + self.bank.wary
        back: Bools = look.held & (look.last < high) & (look.x >= high) & soon
        return back

    def _revisit(self, row: int, reset: Bools) -> list[int]:
        """Next rows of the series that are absent at `row`, where their group restarted."""
        absent = (self.sheet.at[row] < 0) & reset[self.sheet.group]
        later = self.sheet.at[row + 1 :, absent] >= 0
        if not later.size:
            return []
        found = later.any(axis=0)
        return sorted({int(r) + row + 1 for r in later.argmax(axis=0)[found]})

    def _apply(self, look: Look, reset: Bools, limit: float) -> None:
        """Births, restarts and single gaps of a row whose scrape is good."""
        was = float(self.sheet.previous[look.row])
        earlier = self.bank.reset[self.sheet.groups][look.group]
        restarted = look.held & (reset[look.group] | (look.before < earlier))
        sibling = bool((look.held & (look.before >= was)).any())
        born = look.fresh if sibling or self.sheet.certain[look.row] else np.zeros_like(look.fresh)
        self.bank.tally.births += int(np.count_nonzero(born))
        self.sheet.decide(look, restarted | born, look.c0, look.c0, was)
        back = self._returns(look) & ~restarted
        former = self.bank.former[self.sheet.names[look.column]]
        self.sheet.decide(look, back, np.maximum(former, look.c0 - look.x), look.c0, None)
        long = look.held & ~restarted & ~back & (look.now - look.before > limit)
        self.bank.tally.gaps += int(long.any())
        lost = long | (look.fresh & ~born)
        self.sheet.decide(look, lost, look.c0 - look.x, look.c0, None)

    def _discard(self, look: Look) -> None:
        """No series of the target counts anything in this interval."""
        self.sheet.decide(look, np.ones_like(look.held), look.c0 - look.x, look.c0, None)
        self.sheet.discarded[look.row] = True
        if look.now > self.sheet.previous[look.row]:
            self.sheet.stop_clock(look.row)
