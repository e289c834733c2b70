"""One signal of one attempt: from bins to log-likelihoods, to sums since each start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.learn import Learned
from detector.gate.scoring import Account, Scorer
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.kernels import BLUR_FLOOR, blur, blur_kernel
from models.sequential.running import Path, Running, Seen, Snapshot, moved
from models.sequential.shares import Start
from models.sequential.warmup import attention

__all__ = ["Advance", "Base", "Beginning", "Track"]

SingleArray = NDArray[np.float32]

_UNDER = -float(np.log(0.67))
_RING_S = 600.0
# Bins beyond those that are not worth a copy to be rid of.
_SPARE = 4
_INCIDENTS = 16


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


@dataclass(frozen=True, slots=True)
class Advance:
    """Sums after each new bin: what may fail, and what overloaded bins would have said."""

    path: Path
    muted: Path | None


@dataclass(slots=True)
class Track:
    """State of one signal.

    `judged` False: shown only. `weight`: share of alpha. `on_counts`: leans on a rate, else on a
    histogram. `told_apart` False: the series do not tell pods apart. `muted`: sums of what may not
    fail because the pod was overloaded, but bounds harm; None while there was no such bin.
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
    scorer: Scorer = field(init=False)
    running: Running = field(init=False)
    muted: Running | None = field(init=False, default=None)
    ring: SingleArray = field(init=False)
    ring_age: FloatArray = field(init=False)
    lately: Base | None = field(init=False, default=None)
    incidents: FloatArray = field(init=False)
    _blur: FloatArray | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        row = self.learned.row
        self.scorer = Scorer(self.learned, self.on_counts, self.told_apart)
        self.running = Running(row, len(Account) + self.tally, self.tally)
        self.ring = np.zeros((0, 0, len(row.grid.theta)), dtype=np.float32)
        self.ring_age = np.zeros((0, 0))
        self.incidents = np.zeros(0)

    def bin_noise(self, step_s: float) -> float:
        """Scrape-to-scrape sd of one bin: blocks of 300 s were compared, not bins."""
        return self.learned.noise.sigma * float(np.sqrt(300.0 / step_s))

    def advance(
        self,
        base: Base,
        win: Window,
        begin: int,
        grace: FloatArray,
        beginnings: Sequence[Beginning],
    ) -> Advance:
        """Add the window's bins from index `begin` on: sums after each, starts remembered."""
        row, age = self.learned.row, win.age[begin:]
        care = attention(age, row, self.bin_noise(win.step_s), grace=grace if self.grace else 0.0)
        heard = self._blurred(base.log_l, win.step_s)
        heard *= care[..., None]
        log_l, muted = heard.astype(np.float32), None
        over = win.overloaded(begin) & (care > 0)
        if base.allowed is not None:
            over &= ~np.isfinite(base.allowed)
        if self.muted is not None or (row.masked_by_load and over.any()):
            muted = self._mute(log_l, age, win.requests[begin:], over, beginnings)
            log_l, care = np.where(over[..., None], np.float32(0), log_l), care * ~over
        accounts = self._accounts(base, win, begin, care)
        self.running.grow(win.count)
        path = self.running.path(log_l, age, accounts, base.theirs)
        _begin(self.running, path, beginnings)
        self._remember(log_l, age, win.step_s)
        self.lately = base
        self.incidents = np.concatenate([self.incidents, base.incident])[-_INCIDENTS:]
        return Advance(path, muted)

    def _mute(
        self,
        log_l: SingleArray,
        age: FloatArray,
        requests: FloatArray,
        over: NDArray[np.bool_],
        beginnings: Sequence[Beginning],
    ) -> Path:
        """Sums of what overloaded bins say: no start but the steps of exposure needs them."""
        if self.muted is None:
            self.muted = Running(self.learned.row, 1, 0)
        self.muted.grow(log_l.shape[1])
        said = np.where(over[..., None], log_l, np.float32(0))
        path = self.muted.path(said, age, (requests * over)[..., None], np.zeros((len(over), 0)))
        _begin(self.muted, path, [b for b in beginnings if b.start.step])
        return path

    def _accounts(self, base: Base, win: Window, begin: int, care: FloatArray) -> FloatArray:
        n, load = win.requests[begin:], win.load[begin:]
        under = np.maximum(-load - _UNDER, 0.0)
        caution, mask = self.learned.row.caution
        counted = care > 0
        told = n * counted
        columns = np.empty((*n.shape, len(Account) + base.ours.shape[-1]))
        columns[..., Account.REQUESTS] = told
        columns[..., Account.COUNTED] = n * care
        columns[..., Account.CAUTION] = told * (under * caution + _excused(base, win, begin))
        columns[..., Account.MASK] = told * under * mask
        columns[..., Account.ON_HISTORY] = n * win.starved[begin:, None]
        columns[..., Account.BINS] = n * care > 0
        columns[..., len(Account) :] = base.ours
        return columns

    def _blurred(self, log_l: FloatArray, step_s: float) -> FloatArray:
        grid = self.learned.row.grid
        if self._blur is None:
            self._blur = blur_kernel(grid, self.bin_noise(step_s))
        if self.learned.row.rare:
            # One event says what it may say of any harm large enough, not of the largest alone.
            log_l = np.minimum(log_l, log_l[..., grid.zero : grid.zero + 1] - np.log(BLUR_FLOOR))
        blurred = blur(log_l, self._blur)
        return blurred - blurred[..., grid.zero : grid.zero + 1]

    def _remember(self, log_l: SingleArray, age: FloatArray, step_s: float) -> None:
        """Keep the last ten minutes of bins, and the new ones, for the persistence rule."""
        keep = round(_RING_S / step_s)
        missing = log_l.shape[1] - self.ring.shape[1]
        ring, ages = self.ring[-keep:], self.ring_age[-keep:]
        if missing:
            ring = np.pad(ring, ((0, 0), (0, missing), (0, 0)))
            ages = np.pad(ages, ((0, 0), (0, missing)), constant_values=np.nan)
        self.ring, self.ring_age = np.concatenate([ring, log_l]), np.concatenate([ages, age])

    def keep(self, moved_on: Advance, live: Sequence[Start], step_s: float) -> None:
        """Make the end of the new bins the present and forget what no rule needs."""
        self.running.keep(moved_on.path, {s.index for s in live})
        if self.muted is not None and moved_on.muted is not None:
            self.muted.keep(moved_on.muted, {s.index for s in live if s.step})
        keep = round(_RING_S / step_s)
        if len(self.ring) > keep + _SPARE:
            self.ring, self.ring_age = self.ring[-keep:].copy(), self.ring_age[-keep:].copy()

    def present(self) -> Path:
        """The sums as they stand, as a path of one bin."""
        return self.running.present()

    def before(self, start: Start) -> Snapshot | None:
        """Sums before a start; a start older than the track itself, like start 0, has none."""
        return self.running.snapshots.get(start.index)

    def since(self, start: Start, path: Path, begin: int, end: int) -> Seen:
        """What was seen since a start after bins `begin .. end - 1` of the path."""
        return path.since(self.before(start), begin, end)

    def bounding(self, start: Start) -> Seen:
        """What bounds harm since a start: overloaded bins count here."""
        heard = self.since(start, self.present(), 0, 1)
        if self.muted is None:
            return heard
        more = self.muted.present().since(self.muted.snapshots.get(start.index), 0, 1)
        return Seen(heard.log_l + more.log_l, heard.accounts)

    def counted(self, start: Start) -> FloatArray:
        """What was summed beside the likelihood of each row since a start, (P, A)."""
        return _less(self.running.now.accounts, self.before(start))

    def reference(self, start: Start) -> FloatArray:
        """What was summed of the control since a start, (C,)."""
        before, now = self.before(start), self.running.now.reference
        return now if before is None else now - before.reference

    def mask(self, start: Start) -> float:
        """What load adds to the bound of harm since a start, a request of the arm."""
        if not self.learned.row.masked_by_load:
            return 0.0
        accounts = self.counted(start)
        requests = accounts[:, Account.REQUESTS].sum()
        if self.muted is not None:
            before = self.muted.snapshots.get(start.index)
            requests += _less(self.muted.now.accounts, before).sum()
        return float(accounts[:, Account.MASK].sum() / max(requests, 1e-9))

    def without(self, seen: Seen, last_bin: int, windows: Sequence[tuple[int, int]]) -> Seen:
        """What was `seen` (one row, ending at `last_bin` of the ring) without each window of bins.

        Windows are (begin, end) counted back from the ring's end; bins outside the ring stay.
        """
        width = seen.log_l.shape[2]
        held = len(self.ring)
        taken = []
        for begin, end in windows:
            cut = slice(max(held + begin - last_bin, 0), max(held + end - last_bin, 0))
            bins = moved(self.ring[cut], self.ring_age[cut], self.learned.row)
            taken.append(bins[:, : seen.log_l.shape[1], :width].sum(axis=0))
        log_l = seen.log_l - np.stack(taken)
        return Seen(log_l, np.repeat(seen.accounts, len(taken), axis=0))

    @property
    def nbytes(self) -> int:
        """Bytes of the state held between polls."""
        muted = self.muted.nbytes if self.muted else 0
        return self.running.nbytes + muted + self.ring.nbytes + self.ring_age.nbytes


def _begin(running: Running, path: Path, beginnings: Sequence[Beginning]) -> None:
    """Remember the sums before each start; before the first there is nothing."""
    for b in beginnings:
        if b.start.index:
            running.snapshot(b.start.index, running.before(path, b.index), b.known, b.settled)


def _excused(base: Base, win: Window, begin: int) -> FloatArray:
    """Harm that the load of overloaded pods explains, (T, P); 0 where they say nothing."""
    if base.allowed is None:
        return np.zeros((1, 1))
    told = win.overloaded(begin) & np.isfinite(base.allowed)
    return np.where(told, base.allowed, 0.0)


def _less(accounts: FloatArray, before: Snapshot | None) -> FloatArray:
    """Accounts less those before a start; rows that came later began at zero."""
    if before is None:
        return accounts
    less = accounts.copy()
    less[: len(before.accounts)] -= before.accounts
    return less
