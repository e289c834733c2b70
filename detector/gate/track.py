"""One signal of one attempt: its constants, and what was summed of it since each start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.gate.learn import Learned
from detector.gate.scoring import Account, Scorer
from detector.series import FloatArray
from models.sequential.rows import Row
from models.sequential.running import Path, Running, Seen, Snapshot, moved
from models.sequential.shares import Start

__all__ = ["Base", "Beginning", "Track"]

_INCIDENTS = 16
_COLUMNS = len(Account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """New bins of one signal before noise and age: `log_l` (T, P, J), `weight` lambda (T,).

    `incident` (T,) is the reference's switch. `ours` (T, P, C) and `theirs` (T, C) are tallied
    for people: requests and events, or histograms. `allowed` (T, P) is what an overloaded pod's
    load may explain; inf, or None for all, where nothing tells.
    """

    log_l: FloatArray
    weight: FloatArray
    incident: FloatArray
    ours: FloatArray
    theirs: FloatArray
    allowed: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """A start that begins before bin `index` of the new bins.

    `known`: rows that had appeared by then; `settled`: none of them was young.
    """

    start: Start
    index: int
    known: int
    settled: bool


class Sums(Protocol):
    """Where the sums of tracks lie side by side; `Ensemble`."""

    running: Running
    muted: Running | None

    @property
    def ring(self) -> NDArray[np.float32]:
        """The newest bins as they were heard, (T, S, P, J)."""
        ...

    @property
    def ring_age(self) -> FloatArray:
        """How old the units were in them, (T, P)."""
        ...


@dataclass(slots=True)
class Track:
    """One signal; its sums are `slot` of an `ensemble`.

    `judged` False: shown only. `weight`: share of alpha. `on_counts`: leans on a rate, else on a
    histogram. `told_apart` False: the series do not tell pods apart. `lately`: the newest bins.
    `template`: of one kind of log line its id, empty for several together; `is_new`: none of it was
    written before the start.
    """

    name: str
    learned: Learned
    judged: bool
    required: bool
    weight: float
    tally: int
    on_counts: bool
    told_apart: bool
    grace: bool = True
    template: str = ""
    is_new: bool = False
    scorer: Scorer = field(init=False)
    ensemble: Sums = field(init=False)
    slot: int = field(init=False, default=0)
    lately: Base | None = field(init=False, default=None)
    incidents: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.scorer = Scorer(self.learned, self.on_counts, self.told_apart)
        self.incidents = np.zeros(0)

    @property
    def signal(self) -> str:
        """The signal that it is of: log lines have tracks for single templates beside their own."""
        return self.name.partition("/")[0]

    def bin_noise(self, step_s: float) -> float:
        """Scrape-to-scrape sd of one bin: blocks of 300 s were compared, not bins."""
        return self.learned.noise.sigma * math.sqrt(300.0 / step_s)

    def take(self, base: Base) -> None:
        """Note its newest bins."""
        self.lately = base
        self.incidents = np.concatenate([self.incidents, base.incident])[-_INCIDENTS:]

    @property
    def muted(self) -> Running | None:
        """Sums of what overloaded bins say, of all tracks; None where load masks nothing."""
        return self.ensemble.muted if self.learned.row.masked_by_load else None

    @property
    def _shape(self) -> tuple[int, Row, int, int]:
        return self.slot, self.learned.row, _COLUMNS + self.tally, self.tally

    @property
    def accounts(self) -> FloatArray:
        """What is summed beside the likelihood of each row, (P, A)."""
        return self.ensemble.running.now.accounts[self.slot, :, : _COLUMNS + self.tally]

    def own(self, path: Path) -> Path:
        """Its part of a path of all."""
        return path.of_row(*self._shape)

    def present(self) -> Path:
        """The sums as they stand, as a path of one bin."""
        return self.own(self.ensemble.running.present())

    def before(self, start: Start) -> Snapshot | None:
        """Sums before a start; the first has none."""
        held = self.ensemble.running.snapshots.get(start.index)
        return None if held is None else held.of_row(*self._shape)

    def since(self, start: Start, path: Path, begin: int, end: int) -> Seen:
        """What was seen since a start after bins `begin .. end - 1` of its own path."""
        return path.since(self.before(start), begin, end)

    def bounding(self, start: Start) -> Seen:
        """What bounds harm since a start: overloaded bins count here."""
        heard = self.since(start, self.present(), 0, 1)
        if self.muted is None:
            return heard
        shape = (self.slot, self.learned.row, 1, 0)
        before = self.muted.snapshots.get(start.index)
        held = None if before is None else before.of_row(*shape)
        more = self.muted.present().of_row(*shape).since(held, 0, 1)
        return Seen(heard.log_l + more.log_l, heard.accounts)

    def counted(self, start: Start) -> FloatArray:
        """What was summed beside the likelihood of each row since a start, (P, A)."""
        before = self.before(start)
        return _less(self.accounts, None if before is None else before.accounts)

    def reference(self, start: Start) -> FloatArray:
        """What was summed of the control since a start, (C,)."""
        before = self.before(start)
        now = self.ensemble.running.now.reference[self.slot, : self.tally]
        return now if before is None else now - before.reference

    def mask(self, start: Start) -> float:
        """What load adds to the bound of harm since a start, a request of the arm."""
        if not self.learned.row.masked_by_load:
            return 0.0
        accounts = self.counted(start)
        requests = accounts[:, Account.REQUESTS].sum()
        if self.muted is not None:
            before = self.muted.snapshots.get(start.index)
            held = None if before is None else before.accounts[self.slot]
            requests += _less(self.muted.now.accounts[self.slot], held).sum()
        return float(accounts[:, Account.MASK].sum() / max(requests, 1e-9))

    def without(self, seen: Seen, last_bin: int, windows: Sequence[tuple[int, int]]) -> Seen:
        """What was `seen` (one row, ending at `last_bin` of the ring) without each window of bins.

        Windows are (begin, end) counted back from the ring's end; bins outside the ring stay.
        """
        width, row = seen.log_l.shape[2], self.learned.row
        ring = self.ensemble.ring[:, self.slot, :, : len(row.grid.theta)]
        held, taken = len(ring), []
        for begin, end in windows:
            cut = slice(max(held + begin - last_bin, 0), max(held + end - last_bin, 0))
            bins = moved(ring[cut], self.ensemble.ring_age[cut], row)
            taken.append(bins[:, : seen.log_l.shape[1], :width].sum(axis=0))
        log_l = seen.log_l - np.stack(taken)
        return Seen(log_l, np.repeat(seen.accounts, len(taken), axis=0))


def _less(accounts: FloatArray, before: FloatArray | None) -> FloatArray:
    """Accounts less those before a start; rows that came later began at zero."""
    if before is None:
        return accounts
    less = accounts.copy()
    less[: len(before)] -= before
    return less
