"""Signals of one attempt that are advanced and scored side by side, in one go for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.ring import Ring
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
_COLUMNS = len(Account)


@dataclass(frozen=True, slots=True)
class Advance:
    """Sums after each new bin: what may fail, and what overloaded bins would have said."""

    path: Path
    muted: Path | None


@dataclass(frozen=True, slots=True)
class _Constants:
    """What differs between the signals side by side, (S, 1), and scrape noise as `blur` (S, J, J).

    `zero` (S,): where on its grid no effect is.
    """

    noise: FloatArray
    spared: FloatArray
    masked: NDArray[np.bool_]
    caution: FloatArray
    mask: FloatArray
    zero: NDArray[np.int64]
    blur: FloatArray

    @classmethod
    def of(cls, tracks: Sequence[Track], stack: Stack, step_s: float) -> _Constants:
        """Those of some tracks in bins of so many seconds."""
        rows = [track.learned.row for track in tracks]
        caution, mask = np.array([row.caution for row in rows]).T[..., None]
        blurs = np.zeros((*stack.lead, stack.points, stack.points))
        for kernel, track in zip(blurs, tracks, strict=True):
            made = blur_kernel(track.learned.row.grid, track.bin_noise(step_s))
            kernel[: len(made), : len(made)] = made
        return cls(
            noise=np.array([[track.bin_noise(step_s)] for track in tracks]),
            spared=np.array([[track.grace] for track in tracks]),
            masked=np.array([[row.masked_by_load] for row in rows]),
            caution=caution,
            mask=mask,
            zero=np.array([row.grid.zero for row in rows]),
            blur=blurs,
        )


@dataclass(slots=True)
class Ensemble:
    """At least one signal, all with cold starts or none.

    `running` are the sums of what may fail; `muted` of what may not because the pod was overloaded,
    but bounds harm: None while there was no such bin. `first`: the bin that sums begin with; of
    what was seen since earlier starts they are only a part.
    """

    tracks: list[Track]
    first: int = 0
    scorer: SideBySide = field(init=False)
    running: Running = field(init=False)
    muted: Running | None = field(init=False, default=None)
    _ring: Ring = field(init=False)
    _constants: _Constants | None = field(init=False, default=None)
    _parts: dict[tuple[int, int], SideBySide] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.scorer = SideBySide(tuple(track.scorer for track in self.tracks))
        self.running = Running(self.stack, _COLUMNS + self._tally, self._tally)
        self._ring = Ring(len(self.tracks), self.stack.points)
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
        self.running.widen(self.stack, _COLUMNS + self._tally, self._tally)
        if self.muted is not None:
            self.muted.widen(self.stack, 1, 0)
        self._ring.widen(len(tracks))
        self._constants = None
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
        age, muted, fixed = win.age[begin:], None, self._fixed(win.step_s)
        care = attention(age[:, None], self.stack, fixed.noise, grace=grace[:, None] * fixed.spared)
        log_l = self._heard(each, fixed, care)
        over = self._over(each, win, begin, care)
        if over is not None and (self.muted is not None or over.any()):
            muted = self._mute(log_l, age, win.requests[begin:], over, beginnings)
            log_l, care = np.where(over[..., None], np.float32(0), log_l), care * ~over
        accounts = self._accounts(each, win, begin, care)
        self.running.grow(win.count)
        path = self.running.path(log_l, age, accounts, self._theirs(each))
        _begin(self.running, path, beginnings)
        self._ring.add(log_l, age, win.step_s)
        for track, base in zip(self.tracks, each, strict=True):
            track.take(base)
        return Advance(path, muted)

    def _fixed(self, step_s: float) -> _Constants:
        """The constants of the signals side by side; bins are always as wide."""
        if self._constants is None:
            self._constants = _Constants.of(self.tracks, self.stack, step_s)
        return self._constants

    def _heard(self, each: Sequence[Base], fixed: _Constants, care: FloatArray) -> SingleArray:
        """What each bin says after scrape noise and as far as it counts, (T, S, P, J)."""
        told = np.full((*care.shape, self.stack.points), -np.inf)
        for at, (track, base) in enumerate(zip(self.tracks, each, strict=True)):
            told[:, at, :, : base.log_l.shape[-1]] = _tempered(base.log_l, track)
        heard = blur(told, fixed.blur)
        for at, zero in enumerate(fixed.zero.tolist()):
            heard[:, at] -= heard[:, at, :, zero, None].copy()
        heard *= care[..., None]
        single = heard.astype(np.float32)
        for at, last in enumerate(self.stack.last.tolist()):
            if last + 1 < self.stack.points:
                single[:, at, :, last + 1 :] = single[:, at, :, last : last + 1]
        return single

    def _over(
        self, each: Sequence[Base], win: Window, begin: int, care: FloatArray
    ) -> NDArray[np.bool_] | None:
        """Bins that count and whose pods carry more load than can be explained, (T, S, P).

        None where none ever did.
        """
        overloaded = win.overloaded(begin)
        if self.muted is None and not overloaded.any():
            return None
        over: NDArray[np.bool_] = overloaded[:, None] & (care > 0) & self._fixed(win.step_s).masked
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
        fixed = self._fixed(win.step_s)
        told, counted = n * (care > 0), n * care
        columns = np.zeros((*care.shape, _COLUMNS + self._tally))
        columns[..., Account.REQUESTS] = told
        columns[..., Account.COUNTED] = counted
        under = np.maximum(-load - _UNDER, 0.0)
        excused = _excused(each, win, begin, care)
        if excused is not None or np.count_nonzero(under):
            more = 0.0 if excused is None else excused
            columns[..., Account.CAUTION] = told * (under * fixed.caution + more)
            columns[..., Account.MASK] = told * under * fixed.mask
        columns[..., Account.ON_HISTORY] = n * win.starved[begin:, None, None]
        columns[..., Account.BINS] = counted > 0
        for at, base in enumerate(each):
            columns[:, at, :, _COLUMNS : _COLUMNS + base.ours.shape[-1]] = base.ours
        return columns

    def _theirs(self, each: Sequence[Base]) -> FloatArray:
        """What was counted of the control, (T, S, C)."""
        columns = np.zeros((len(each[0].theirs), len(each), self._tally))
        for at, base in enumerate(each):
            columns[:, at, : base.theirs.shape[-1]] = base.theirs
        return columns

    @property
    def ring(self) -> SingleArray:
        """The newest bins as they were heard, (T, S, P, J)."""
        return self._ring.bins

    @property
    def ring_age(self) -> FloatArray:
        """How old the units were in them, (T, P)."""
        return self._ring.ages

    def keep(self, moved_on: Advance, live: Sequence[Start], step_s: float) -> None:
        """Make the end of the new bins the present and forget what no rule needs."""
        self.running.keep(moved_on.path, {s.index for s in live})
        if self.muted is not None and moved_on.muted is not None:
            self.muted.keep(moved_on.muted, {s.index for s in live if s.step})
        self._ring.trim(step_s)

    @property
    def nbytes(self) -> int:
        """Bytes of the state held between polls."""
        muted = self.muted.nbytes if self.muted else 0
        return self.running.nbytes + muted + self._ring.nbytes


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


def _excused(each: Sequence[Base], win: Window, begin: int, care: FloatArray) -> FloatArray | None:
    """Harm that the load of overloaded pods explains, (T, S, P); None where they say nothing."""
    if all(base.allowed is None for base in each):
        return None
    excused, over = np.zeros_like(care), win.overloaded(begin)
    for at, base in enumerate(each):
        if base.allowed is not None:
            told = over & np.isfinite(base.allowed)
            excused[:, at] = np.where(told, base.allowed, 0.0)
    return excused
