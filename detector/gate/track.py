"""One signal of one attempt: from bins to log-likelihoods, to sums, to evidence at each start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detector.gate.learn import Learned
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.evidence import evidence, log_shift
from models.sequential.kernels import BLUR_FLOOR, Kernels, blur, blur_kernel, build_kernels
from models.sequential.running import Path, Running, Sums, moved
from models.sequential.shares import Start
from models.sequential.warmup import attention, log_priors

__all__ = ["Account", "Advance", "Base", "Beginning", "Scores", "Track"]

SingleArray = NDArray[np.float32]

_OVER = float(np.log(1.5))
_UNDER = -float(np.log(0.67))
# sd of what history says of now, where the control is starved: counts, histograms.
_HISTORY_SD = {True: 0.25, False: 0.08}
_RING_S = 600.0
_QUARTERS = 4
_INCIDENTS = 16
# Boundaries scored at once: 5 rows, 8 templates and 70 effects of each make a megabyte.
_BATCH = 40


class Account(IntEnum):
    """Columns summed per canary row beside the likelihood; the tally's columns follow."""

    REQUESTS = 0
    COUNTED = 1
    CAUTION = 2
    MASK = 3
    ON_HISTORY = 4
    BINS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """New bins of one signal before noise and age: `log_l` (T, P, J), `weight` lambda (T,).

    `incident` (T,) is the reference's switch. `ours` (T, P, C) and `theirs` (T, C) are tallied
    for people: requests and events, or histograms.
    """

    log_l: FloatArray
    weight: FloatArray
    incident: FloatArray
    ours: FloatArray
    theirs: FloatArray


@dataclass(frozen=True, slots=True)
class Beginning:
    """A start that begins before bin `index` of the new bins.

    `known`: rows that had appeared by then; `settled`: none of them was young.
    """

    start: Start
    index: int
    known: int
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Log e-values of one start at T boundaries: `arm` (T,), `pods` (T, P).

    `shift` (T, D) is log L(d) of the arm, read under the kernels `key`, where all share them.
    """

    arm: FloatArray
    pods: FloatArray
    shift: FloatArray
    key: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Advance:
    """Sums after each new bin: what may fail, and what bounds harm (overloaded bins included)."""

    path: Path
    both: Path | None


@dataclass(slots=True)
class Track:
    """State of one signal.

    `judged` False: shown only. `weight`: share of alpha. `on_counts`: leans on a rate, else on a
    histogram. `told_apart` False: the series do not tell pods apart.
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
    running: Running = field(init=False)
    both: Running | None = field(init=False, default=None)
    ring: SingleArray = field(init=False)
    ring_age: FloatArray = field(init=False)
    lately: Base | None = field(init=False, default=None)
    incidents: FloatArray = field(init=False)
    _kernels: dict[tuple[int, int], Kernels] = field(init=False, default_factory=dict)
    _blur: FloatArray | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        row = self.learned.row
        columns = len(Account) + self.tally
        self.running = Running(row, columns, self.tally)
        if row.masked_by_load:
            self.both = Running(row, columns, self.tally)
        self.ring = np.zeros((0, 0, len(row.grid.theta)), dtype=np.float32)
        self.ring_age = np.zeros((0, 0))
        self.incidents = np.zeros(0)

    def bin_noise(self, step_s: float) -> float:
        """Scrape-to-scrape sd of one bin: blocks of 300 s were compared, not bins."""
        return self.learned.noise.sigma * float(np.sqrt(300.0 / step_s))

    def kernels(self, effective: int, quarters: int = 0) -> Kernels:
        """Kernels for a control worth `effective` pods, `quarters` of it replaced by history."""
        key = (effective, quarters)
        if key not in self._kernels:
            noise = self.learned.noise
            square = self.learned.arm**2 + _HISTORY_SD[self.on_counts] ** 2 * quarters / _QUARTERS
            square += noise.tau**2 / effective if self.told_apart else noise.tau**2
            tau, rho = noise.tau_grid, noise.rho
            if not self.told_apart:
                tau, rho = np.array([1e-6]), np.array([1.0])
            self._kernels[key] = build_kernels(self.learned.row, tau, rho, float(np.sqrt(square)))
        return self._kernels[key]

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
        full = (self._blurred(base.log_l, win.step_s) * care[..., None]).astype(np.float32)
        over = row.masked_by_load & (win.load[begin:] > _OVER)
        heard = np.where(over[..., None], np.float32(0), full)
        path = self._add(self.running, base, heard, win, begin, care * ~over, beginnings)
        both = None
        if self.both is not None:
            both = self._add(self.both, base, full, win, begin, care, _steps(beginnings))
        self._remember(heard, age, win.step_s)
        self.lately = base
        self.incidents = np.concatenate([self.incidents, base.incident])[-_INCIDENTS:]
        return Advance(path, both)

    def _add(
        self,
        running: Running,
        base: Base,
        log_l: SingleArray,
        win: Window,
        begin: int,
        care: FloatArray,
        beginnings: Sequence[Beginning],
    ) -> Path:
        running.grow(win.count)
        accounts = self._accounts(base, win, begin, care)
        path = running.path(log_l, win.age[begin:], accounts, base.theirs)
        for b in beginnings:
            running.snapshot(b.start.index, running.before(path, b.index), b.known, b.settled)
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
        columns[..., Account.CAUTION] = told * under * caution
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
        """Keep the last ten minutes of bins for the persistence rule."""
        keep = round(_RING_S / step_s)
        missing = log_l.shape[1] - self.ring.shape[1]
        ring, ages = self.ring, self.ring_age
        if missing:
            ring = np.pad(ring, ((0, 0), (0, missing), (0, 0)))
            ages = np.pad(ages, ((0, 0), (0, missing)), constant_values=np.nan)
        self.ring = np.concatenate([ring, log_l])[-keep - len(log_l) :]
        self.ring_age = np.concatenate([ages, age])[-keep - len(log_l) :]

    def keep(self, moved_on: Advance, live: Sequence[Start], step_s: float) -> None:
        """Make the end of the new bins the present and forget what no rule needs."""
        indices = {s.index for s in live}
        self.running.keep(moved_on.path, indices)
        if self.both is not None and moved_on.both is not None:
            self.both.keep(moved_on.both, {s.index for s in live if s.step})
        keep = round(_RING_S / step_s)
        self.ring, self.ring_age = self.ring[-keep:].copy(), self.ring_age[-keep:].copy()

    def present(self) -> Path:
        """The sums as they stand, as a path of one bin."""
        now = self.running.now
        return Path(now.log_l[None], now.accounts[None], now.reference[None])

    def since(self, start: Start, path: Path, begin: int, end: int) -> Path:
        """Sums of start `start` after bins `begin .. end - 1` of the path."""
        return path.since(self._before(start), begin, end)

    def bounding(self, start: Start) -> Path:
        """Sums that bound harm since a start: overloaded bins count here."""
        if self.both is None:
            return self.since(start, self.present(), 0, 1)
        now = self.both.now
        path = Path(now.log_l[None], now.accounts[None], now.reference[None])
        return path.since(self.both.snapshots.get(start.index), 0, 1)

    def log_shift(self, part: Path, kernels: Kernels) -> tuple[FloatArray, FloatArray]:
        """log L(d) of the arm (T, D) and of each row (T, P, D)."""
        return log_shift(part.log_l, kernels, self.log_q)

    def score(self, part: Path, effective: FloatArray) -> Scores:
        """Log e-values of sums since a start; `effective` (T,) is what the control amounts to."""
        accounts = part.accounts
        requests = np.maximum(accounts[..., Account.REQUESTS], 1e-9)
        caution = accounts[..., Account.CAUTION]
        arm = caution.sum(axis=1) / np.maximum(requests.sum(axis=1), 1e-9)
        cautions = np.concatenate([arm[:, None], caution / requests], axis=1)
        scores = np.empty(cautions.shape)
        shift = np.empty((len(scores), len(self.learned.row.grid.shift)))
        groups = list(_groups(effective, accounts))
        for key, at in groups:
            kernels = self.kernels(*key)
            chosen = part if len(at) == len(arm) else _rows(part, at)
            shift[at], log_pods = self.log_shift(chosen, kernels)
            logs = np.concatenate([shift[at][:, None], log_pods], axis=1)
            scores[at] = evidence(logs, kernels, self.learned.row, cautions[at])
        shared = groups[0][0] if len(groups) == 1 else None
        return Scores(arm=scores[:, 0], pods=scores[:, 1:], shift=shift, key=shared)

    def score_all(self, parts: Sequence[Path], effective: Sequence[FloatArray]) -> Scores:
        """Scores of several starts, one after the other; done together where shapes agree."""
        ends = np.cumsum([0, *(len(p.log_l) for p in parts)])
        found = []
        for chosen in _batches(parts):
            at = np.concatenate([np.arange(ends[k], ends[k + 1]) for k in chosen])
            joined = _join([parts[k] for k in chosen])
            scores = self.score(joined, np.concatenate([effective[k] for k in chosen]))
            found.append((at, scores))
        return _together(found)

    def score_at(self, starts: Sequence[Start], path: Path, at: int, effective: float) -> Scores:
        """Scores of several starts at one boundary of a path: what a poll has."""
        sums = [self._before(start) for start in starts]
        width, rows = path.log_l.shape[2], path.log_l.shape[1]
        narrow = np.array(
            [s is not None and s.log_l.shape[1] < width and len(s.log_l) == rows for s in sums]
        )
        found = []
        for part, columns in ((np.flatnonzero(narrow), 1), (np.flatnonzero(~narrow), width)):
            if len(part):
                joined = path.since_each([sums[k] for k in part.tolist()], at, columns)
                found.append((part, self.score(joined, np.full(len(part), effective))))
        return _together(found)

    def _before(self, start: Start) -> Sums | None:
        """Sums before a start; a start older than the track itself, like start 0, has none."""
        return None if start.index == 0 else self.running.snapshots.get(start.index)

    def without(self, part: Path, last_bin: int, windows: Sequence[tuple[int, int]]) -> Path:
        """The sums `part` (one bin, ending at `last_bin` of the ring) without each window of bins.

        Windows are (begin, end) counted back from the ring's end; bins outside the ring stay.
        """
        width = part.log_l.shape[2]
        held = len(self.ring)
        taken = []
        for begin, end in windows:
            cut = slice(max(held + begin - last_bin, 0), max(held + end - last_bin, 0))
            bins = moved(self.ring[cut], self.ring_age[cut], self.learned.row)
            taken.append(bins[:, : part.log_l.shape[1], :width].astype(np.float64).sum(axis=0))
        log_l = part.log_l - np.stack(taken)
        return Path(
            log_l,
            np.repeat(part.accounts, len(taken), axis=0),
            np.repeat(part.reference, len(taken), axis=0),
        )

    @property
    def log_q(self) -> FloatArray:
        """Log prior of the warm-up templates, (W,)."""
        return log_priors(self.learned.row.templates)

    @property
    def nbytes(self) -> int:
        """Bytes of the state held between polls."""
        both = self.both.nbytes if self.both else 0
        return self.running.nbytes + both + self.ring.nbytes + self.ring_age.nbytes


def _steps(beginnings: Sequence[Beginning]) -> list[Beginning]:
    """Only the steps of exposure: the bound needs no other start."""
    return [b for b in beginnings if b.start.step]


def _batches(parts: Sequence[Path]) -> Iterator[list[int]]:
    """Numbers of parts of one width that are scored at once: as many as a processor's cache holds.

    A poll has one boundary of each start, an attempt read from raw all of them.
    """
    for width in sorted({p.log_l.shape[2] for p in parts}):
        batch: list[int] = []
        rows = 0
        for number, part in enumerate(parts):
            if part.log_l.shape[2] != width:
                continue
            if batch and rows + len(part.log_l) > _BATCH:
                yield batch
                batch, rows = [], 0
            batch.append(number)
            rows += len(part.log_l)
        yield batch


def _together(found: Sequence[tuple[NDArray[np.int64], Scores]]) -> Scores:
    """Scores of parts, each in its places."""
    count = sum(len(at) for at, _ in found)
    first = found[0][1]
    arm, pods = np.empty(count), np.empty((count, first.pods.shape[1]))
    shift = np.empty((count, first.shift.shape[1]))
    for at, scores in found:
        arm[at], pods[at], shift[at] = scores.arm, scores.pods, scores.shift
    key = first.key if all(scores.key == first.key for _, scores in found) else None
    return Scores(arm=arm, pods=pods, shift=shift, key=key)


def _join(parts: Sequence[Path]) -> Path:
    if len(parts) == 1:
        return parts[0]
    return Path(
        np.concatenate([p.log_l for p in parts]),
        np.concatenate([p.accounts for p in parts]),
        np.concatenate([p.reference for p in parts]),
    )


def _rows(part: Path, at: NDArray[np.int64]) -> Path:
    return Path(part.log_l[at], part.accounts[at], part.reference[at])


def _groups(
    effective: FloatArray, accounts: FloatArray
) -> Iterator[tuple[tuple[int, int], NDArray[np.int64]]]:
    """Boundaries that share kernels: by worth of the control and share judged on history."""
    total = np.maximum(accounts[..., Account.REQUESTS].sum(axis=1), 1e-9)
    share = np.minimum(accounts[..., Account.ON_HISTORY].sum(axis=1) / total, 1.0)
    quarters = np.ceil(share * _QUARTERS - 1e-9).astype(np.int64)
    keys = effective.astype(np.int64) * (_QUARTERS + 1) + quarters
    for key in sorted(set(keys.tolist())):
        yield divmod(int(key), _QUARTERS + 1), np.flatnonzero(keys == key)
