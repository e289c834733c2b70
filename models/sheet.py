"""One target's scrapes as a sheet of rows and columns, into which is written what they count."""

from __future__ import annotations

import numpy as np

from models.bank import Bank
from models.batch import Batch
from models.boundaries import Segments
from models.growing import Bools, Floats, Ints, sums
from models.runs import Runs

__all__ = ["Look", "Sheet"]


class Sheet:
    """New scrapes of one target: rows are scrape times, columns its series.

    `at` (rows, columns) is where each sample lies in the batch, -1 where a series is absent. The
    batch's `offset` and `c0` hold what was decided so far; a decision holds to the run's end.
    """

    def __init__(self, bank: Bank, batch: Batch, target: int, runs: Runs) -> None:
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
        self.clock = np.full(len(self.rows), bank.offset[bank.clock[target]])
        self.clock_c0 = self.previous + self.clock

    def growth(self, rows: Ints) -> Floats:
        """What each group grew by in some rows, (groups, rows)."""
        batch, at = self.batch, self.at[rows]
        growth = (batch.values[at] + batch.offset[at]) - batch.c0[at]
        keys = (self.group * len(rows) + np.arange(len(rows))[:, None]).ravel()
        weights = np.where(at >= 0, growth, 0.0).ravel()
        return sums(keys, weights, len(self.groups) * len(rows)).reshape(-1, len(rows))

    def decide(
        self, look: Look, which: Bools, offset: Floats, c0: Floats, since: float | None
    ) -> None:
        """From the row on, the series `which` have new offsets; `since`: their segment's begin."""
        if self.block is not None and which.all():
            self._decide_all(self.block, look.row, offset, c0, since)
            return
        batch = self.batch
        for one in np.flatnonzero(which).tolist():
            at, end, value = int(look.at[one]), int(look.ends[one]), float(offset[one])
            batch.offset[at:end] = value
            batch.c0[at + 1 : end] = batch.last[at + 1 : end] + value
            batch.c0[at] = c0[one]
            if since is not None:
                batch.t0[at] = since

    def _decide_all(
        self, block: slice, row: int, offset: Floats, c0: Floats, since: float | None
    ) -> None:
        """`decide` of all series at once, where they lie side by side in the batch."""
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

    def begin_clock(self, row: int, began: float) -> None:
        """The target's clock runs since `began`, as its first interval does."""
        self.clock[row:] = -began
        self.clock_c0[row] = 0.0
        self._follow(row)

    def stop_clock(self, row: int) -> None:
        """The clock does not count the interval before a row."""
        at = float(self.previous[row]) + float(self.clock[row])
        self.clock[row:] = at - self.rows[row]
        self.clock_c0[row] = at
        self._follow(row)

    def _follow(self, row: int) -> None:
        self.clock_c0[row + 1 :] = self.previous[row + 1 :] + self.clock[row + 1 :]

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


class Look:
    """The samples of one row of a target."""

    def __init__(self, sheet: Sheet, row: int) -> None:
        batch = sheet.batch
        here = sheet.at[row] >= 0
        self.row, self.now = row, float(sheet.rows[row])
        self.column = np.flatnonzero(here)
        self.at = sheet.at[row][here]
        self.ends, self.group = sheet.ends[here], sheet.group[here]
        self.x, self.last, self.before = (
            values[self.at] for values in (batch.values, batch.last, batch.before)
        )
        self.fresh = self.before == -np.inf
        self.held = ~self.fresh
        self.c0 = np.where(self.fresh, 0.0, batch.c0[self.at])
