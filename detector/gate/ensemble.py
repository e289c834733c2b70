"""Signals of one attempt that are advanced and scored side by side, in one go for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.scoring import Account, SideBySide
from detector.gate.track import Base, Beginning, Track
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.kernels import BLUR_FLOOR, blur, blur_kernel
from models.sequential.running import Path, Running
from models.sequential.shares import Start
from models.sequential.stack import Stack
from models.sequential.warmup import attention

__all__ = ["Advance", "Ensemble"]

SingleArray = NDArray[np.float32]

_UNDER = -float(np.log(0.67))
_RING_S = 600.0
# Bins beyond those that are not worth a copy to be rid of.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Advance:
    """Sums after each new bin: what may fail, and what overloaded bins would have said."""

    path: Path
    muted: Path | None


@dataclass(slots=True)
class Ensemble:
    """At least one signal, all with cold starts or none.

    `running` are the sums of what may fail; `muted` of what may not because the pod was overloaded,
    but bounds harm: None while there was no such bin. `ring` (T, S, P, J) and `ring_age` (T, P)
    are the newest bins as they were heard.
    """

    tracks: list[Track]
    scorer: SideBySide = field(init=False)
    running: Running = field(init=False)
    muted: Running | None = field(init=False, default=None)
    ring: SingleArray = field(init=False)
    ring_age: FloatArray = field(init=False)
    _blur: FloatArray | None = field(init=False, default=None)
    _parts: dict[tuple[int, int], SideBySide] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.scorer = SideBySide(tuple(track.scorer for track in self.tracks))
        self.running = Running(self.stack, len(Account) + self._tally, self._tally)
        self.ring = np.zeros((0, *self.stack.lead, 0, self.stack.points), np.float32)
        self.ring_age = np.zeros((0, 0))
        self._place()

    @property
    def stack(self) -> Stack:
        """The rows of the tracks."""
        return self.scorer.row

    @property
    def _tally(self) -> int:
        return max(track.tally for track in self.tracks)

    def add(self, tracks: Sequence[Track]) -> None:
        """Further signals, nothing of which was seen."""
        self.tracks += tracks
        self.scorer = SideBySide(tuple(track.scorer for track in self.tracks))
        self.running.widen(self.stack, len(Account) + self._tally, self._tally)
        if self.muted is not None:
            self.muted.widen(self.stack, 1, 0)
        none = ((0, 0), (0, len(tracks)), (0, 0), (0, 0))
        self.ring = np.pad(self.ring, none)
        self._blur = None
        self._parts.clear()
        self._place()

    def _place(self) -> None:
        for at, track in enumerate(self.tracks):
            track.ensemble, track.slot = self, at

    def part(self, begin: int, end: int) -> SideBySide:
        """What scores the tracks `begin .. end - 1`."""
        if (begin, end) == (0, len(self.tracks)):
            return self.scorer
        if (begin, end) not in self._parts:
            self._parts[begin, end] = SideBySide(self.scorer.scorers[begin:end])
        return self._parts[begin, end]

    def advance(
        self,
        bases: Mapping[str, Base],
        win: Window,
        begin: int,
        grace: FloatArray,
        beginnings: Sequence[Beginning],
    ) -> Advance:
        """Add the window's bins from index `begin` on: sums after each, starts remembered."""
        each = [bases[track.name] for track in self.tracks]
        age, muted = win.age[begin:], None
        care = self._care(age, win.step_s, grace)
        log_l = self._heard(each, win.step_s, care)
        over = self._over(each, win, begin, care)
        if self.muted is not None or over.any():
            muted = self._mute(log_l, age, win.requests[begin:], over, beginnings)
            log_l, care = np.where(over[..., None], np.float32(0), log_l), care * ~over
        accounts = self._accounts(each, win, begin, care)
        self.running.grow(win.count)
        path = self.running.path(log_l, age, accounts, self._theirs(each))
        _begin(self.running, path, beginnings)
        self._remember(log_l, age, win.step_s)
        for track, base in zip(self.tracks, each, strict=True):
            track.take(base)
        return Advance(path, muted)

    def _care(self, age: FloatArray, step_s: float, grace: FloatArray) -> FloatArray:
        """How much each bin counts, (T, S, P)."""
        noise = np.array([[track.bin_noise(step_s)] for track in self.tracks])
        spared = np.array([[track.grace] for track in self.tracks])
        return attention(age[:, None], self.stack, noise, grace=grace[:, None] * spared)

    def _heard(self, each: Sequence[Base], step_s: float, care: FloatArray) -> SingleArray:
        """What each bin says after scrape noise and as far as it counts, (T, S, P, J)."""
        if self._blur is None:
            self._blur = self._kernels(step_s)
        told = np.full((*care.shape, self.stack.points), -np.inf)
        zero = np.array([track.learned.row.grid.zero for track in self.tracks])
        for at, (track, base) in enumerate(zip(self.tracks, each, strict=True)):
            told[:, at, :, : base.log_l.shape[-1]] = _tempered(base.log_l, track)
        heard = blur(told, self._blur)
        heard -= heard.transpose(1, 0, 2, 3)[np.arange(len(zero)), ..., zero].swapaxes(0, 1)[
            ..., None
        ]
        heard *= care[..., None]
        single = heard.astype(np.float32)
        for at, last in enumerate(self.stack.last.tolist()):
            single[:, at, :, last + 1 :] = single[:, at, :, last : last + 1]
        return single

    def _kernels(self, step_s: float) -> FloatArray:
        """Scrape noise of each signal, (S, J, J)."""
        kernels = np.zeros((*self.stack.lead, self.stack.points, self.stack.points))
        for kernel, track in zip(kernels, self.tracks, strict=True):
            made = blur_kernel(track.learned.row.grid, track.bin_noise(step_s))
            kernel[: len(made), : len(made)] = made
        return kernels

    def _over(
        self, each: Sequence[Base], win: Window, begin: int, care: FloatArray
    ) -> NDArray[np.bool_]:
        """Bins that count and whose pods carry more load than can be explained, (T, S, P)."""
        masked = np.array([[track.learned.row.masked_by_load] for track in self.tracks])
        over: NDArray[np.bool_] = win.overloaded(begin)[:, None] & (care > 0) & masked
        for at, base in enumerate(each):
            if base.allowed is not None:
                over[:, at] &= ~np.isfinite(base.allowed)
        return over

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
            self.muted = Running(self.stack, 1, 0)
        self.muted.grow(log_l.shape[2])
        said = np.where(over[..., None], log_l, np.float32(0))
        served = (requests[:, None] * over)[..., None]
        path = self.muted.path(said, age, served, np.zeros((*over.shape[:2], 0)))
        _begin(self.muted, path, [b for b in beginnings if b.start.step])
        return path

    def _accounts(
        self, each: Sequence[Base], win: Window, begin: int, care: FloatArray
    ) -> FloatArray:
        n, load = win.requests[begin:, None], win.load[begin:, None]
        under = np.maximum(-load - _UNDER, 0.0)
        rows = [track.learned.row for track in self.tracks]
        caution, mask = np.array([row.caution for row in rows]).T[..., None]
        told, counted = n * (care > 0), n * care
        columns = np.zeros((*care.shape, len(Account) + self._tally))
        columns[..., Account.REQUESTS] = told
        columns[..., Account.COUNTED] = counted
        columns[..., Account.CAUTION] = told * (under * caution + _excused(each, win, begin, care))
        columns[..., Account.MASK] = told * under * mask
        columns[..., Account.ON_HISTORY] = n * win.starved[begin:, None, None]
        columns[..., Account.BINS] = counted > 0
        for at, base in enumerate(each):
            columns[:, at, :, len(Account) : len(Account) + base.ours.shape[-1]] = base.ours
        return columns

    def _theirs(self, each: Sequence[Base]) -> FloatArray:
        """What was counted of the control, (T, S, C)."""
        columns = np.zeros((len(each[0].theirs), len(each), self._tally))
        for at, base in enumerate(each):
            columns[:, at, : base.theirs.shape[-1]] = base.theirs
        return columns

    def _remember(self, log_l: SingleArray, age: FloatArray, step_s: float) -> None:
        """Keep the last ten minutes of bins, and the new ones, for the persistence rule."""
        keep = round(_RING_S / step_s)
        missing = log_l.shape[2] - self.ring.shape[2]
        ring, ages = self.ring[-keep:], self.ring_age[-keep:]
        if missing:
            ring = np.pad(ring, ((0, 0), (0, 0), (0, missing), (0, 0)))
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

    @property
    def nbytes(self) -> int:
        """Bytes of the state held between polls."""
        muted = self.muted.nbytes if self.muted else 0
        return self.running.nbytes + muted + self.ring.nbytes + self.ring_age.nbytes


def _tempered(log_l: FloatArray, track: Track) -> FloatArray:
    """One rare event says what it may say of any harm large enough, not of the largest alone."""
    row = track.learned.row
    if not row.rare:
        return log_l
    zero = row.grid.zero
    least: FloatArray = np.minimum(log_l, log_l[..., zero : zero + 1] - np.log(BLUR_FLOOR))
    return least


def _begin(running: Running, path: Path, beginnings: Sequence[Beginning]) -> None:
    """Remember the sums before each start; before the first there is nothing."""
    for b in beginnings:
        if b.start.index:
            running.snapshot(b.start.index, running.before(path, b.index), b.known, b.settled)


def _excused(each: Sequence[Base], win: Window, begin: int, care: FloatArray) -> FloatArray | float:
    """Harm that the load of overloaded pods explains, (T, S, P); 0 where they say nothing."""
    if all(base.allowed is None for base in each):
        return 0.0
    excused, over = np.zeros_like(care), win.overloaded(begin)
    for at, base in enumerate(each):
        if base.allowed is not None:
            told = over & np.isfinite(base.allowed)
            excused[:, at] = np.where(told, base.allowed, 0.0)
    return excused
