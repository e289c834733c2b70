"""One signal at one moment, in numbers: evidence, bounds of harm, what was seen on each side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.gauging import Gauged
from detector.gate.rule import ARM, Board, Candidate
from detector.gate.scoring import Account
from detector.gate.track import Track
from detector.series import FloatArray
from models.sequential.bound import (
    Interval,
    Outlook,
    Progress,
    intervals,
    log_bet,
    outlook,
    smallest_effect,
)
from models.sequential.shares import Start

__all__ = ["State", "Tally", "state_of"]

_SHOWN = 0.10
_EXPOSURE_LEVEL = 0.20
_CALM = math.log(5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Totals since a start: columns of the canary scope and of the control."""

    canary: FloatArray
    control: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`strongest`: largest evidence over needed. `suspicion`: largest share x evidence (log).

    `effect`: interval of 90 % since `strongest`'s start for its scope. `bound`: upper end of harm
    on the whole attempt, or with half the error on the exposure alone, which no earlier load
    masks; `bound_now` on the exposure, both with the load mask added; `unmasked` without it.
    `exposure_log_e`: the arm's evidence since the exposure began. `excused`: harm that load, or its
    lack, may explain in `strongest` (log).
    """

    track: Track
    strongest: Candidate
    suspicion: float
    effect: Interval
    bound: float
    bound_now: float
    unmasked: float
    exposure_log_e: float
    tally: Tally
    counted: float
    bins: float
    on_history: float
    info: float
    outlook: Outlook
    smallest: float
    load: float
    excused: float

    @property
    def required(self) -> bool:
        """Whether a pass needs this signal's harm bounded."""
        return self.track.required

    @property
    def cleared(self) -> bool:
        """Whether harm is bounded below the limit on the attempt and on the exposure."""
        limit = self.track.learned.row.limit
        calm = self.exposure_log_e <= _CALM
        return self.bound < limit and self.bound_now < limit and calm


def state_of(
    board: Board,
    live: Sequence[Start],
    effective: int,
    level: float,
    step_s: float,
    load: float = 0.0,
) -> State:
    """Read the state off a track's sums and its board at the newest boundary."""
    track, kernels = board.track, board.track.scorer.kernels(effective)
    most = board.strongest()
    suspicion = most.excess + board.base
    # Where nothing speaks for harm the arm over the whole attempt is shown.
    strongest = most if suspicion > 0 else board.candidate(0, 0)
    bounds = _bounds(board, strongest, live, effective, level)
    accounts = track.running.now.accounts
    totals = accounts.sum(axis=0)
    progress = _progress(track, totals, bounds.log_e, level, step_s)
    excused = _excused(track, strongest)
    return State(
        track=track,
        strongest=strongest,
        suspicion=suspicion,
        effect=bounds.effect,
        bound=min(bounds.whole.total, bounds.alone.total),
        bound_now=bounds.now.total,
        unmasked=bounds.whole.high,
        exposure_log_e=float(board.log_e[board.starts.index(_exposure(live)), 0]),
        tally=_tally(track, strongest),
        counted=progress.counted,
        bins=progress.bins,
        on_history=float(
            min(totals[Account.ON_HISTORY] / max(totals[Account.REQUESTS], 1e-9), 1.0)
        ),
        info=progress.info,
        outlook=outlook(progress, kernels),
        smallest=smallest_effect(
            track.learned.row,
            kernels,
            log_needed=strongest.log_needed,
            info=progress.info * progress.counted,
            units=max(1, len(accounts)),
            caution=excused,
        ),
        load=load,
        excused=excused,
    )


@dataclass(frozen=True, slots=True)
class _Bound:
    """Upper end of harm, and the mask that load adds to it."""

    high: float
    mask: float

    @property
    def total(self) -> float:
        return self.high + self.mask


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The effect that is shown; harm on the whole attempt, now, and on the exposure alone.

    `log_e`: log e of each true effect on the whole attempt.
    """

    effect: Interval
    whole: _Bound
    now: _Bound
    alone: _Bound
    log_e: FloatArray


def _bounds(
    board: Board, strongest: Candidate, live: Sequence[Start], effective: int, level: float
) -> _Bounds:
    """All that is read off e-values of true effects, in one product of matrices."""
    track, attempt, exposure = board.track, live[0], _exposure(live)
    row = track.learned.row
    logs = [
        board.arm_shift(attempt),
        _scope_since(board, strongest),
        _harm_since(board, attempt),
        _harm_since(board, exposure),
    ]
    log_e = log_bet(np.array(logs), track.scorer.kernels(effective))
    alphas = [_SHOWN, 1 - level, _EXPOSURE_LEVEL, (1 - level) / 2]
    effect, over_all, since, alone = intervals(log_e[[1, 2, 3, 3]], row, alphas)
    whole = _Bound(over_all.high, track.mask(attempt))
    if exposure is attempt:
        return _Bounds(effect, whole, whole, whole, log_e[0])
    mask = track.mask(exposure)
    harmless = whole.total < row.limit
    only = whole if harmless else _Bound(alone.high, mask)
    return _Bounds(effect, whole, _Bound(since.high, mask), only, log_e[0])


def information(track: Track) -> float:
    """Information of one canary request about the effect (gate method, section 7)."""
    lam = float(track.lately.weight[-1]) if track.lately is not None else 1.0
    learned = track.learned
    if isinstance(learned, Gauged):
        return learned.per_request
    if not track.on_counts:
        return 1.5 * lam
    if learned.edge is not None:
        return 0.05 * lam
    limit = learned.row.limit
    rate = learned.rate + learned.eps0
    return 2 * lam * rate * (math.expm1(limit) - limit) / limit**2


def _scope_since(board: Board, shown: Candidate) -> FloatArray:
    """log L(d) of the candidate's scope since its start."""
    if shown.scope == ARM:
        return board.arm_shift(shown.start)
    track = board.track
    seen = track.since(shown.start, track.present(), 0, 1)
    scope: FloatArray = track.scorer.log_shift(seen)[1][0, shown.scope]
    return scope


def _harm_since(board: Board, start: Start) -> FloatArray:
    """log L(d) of the arm since a start from all bins, those of overloaded pods included."""
    track = board.track
    if track.muted is None:
        return board.arm_shift(start)
    shift: FloatArray = track.scorer.log_shift(track.bounding(start))[0][0]
    return shift


def _exposure(live: Sequence[Start]) -> Start:
    return next((s for s in reversed(live) if s.step), live[0])


def _excused(track: Track, shown: Candidate) -> float:
    rows = track.counted(shown.start)
    scope = rows if shown.scope == ARM else rows[shown.scope : shown.scope + 1]
    caution, requests = scope[:, [Account.CAUTION, Account.REQUESTS]].sum(axis=0)
    return float(caution / max(requests, 1e-9))


def _tally(track: Track, shown: Candidate) -> Tally:
    rows = track.counted(shown.start)[:, len(Account) :]
    canary = rows.sum(axis=0) if shown.scope == ARM else rows[shown.scope]
    return Tally(canary=canary, control=track.reference(shown.start))


def _progress(
    track: Track, totals: FloatArray, log_e: FloatArray, level: float, step_s: float
) -> Progress:
    """How far the bound of the whole attempt has come."""
    row, accounts = track.learned.row, track.running.now.accounts
    shift = row.grid.shift
    return Progress(
        counted=float(totals[Account.COUNTED]),
        bins=float(accounts[:, Account.BINS].max(initial=0.0)),
        units=max(1, int(np.count_nonzero(accounts[:, Account.REQUESTS]))),
        info=information(track),
        noise=track.bin_noise(step_s),
        limit=row.limit,
        mode=float(shift[int(log_e.argmin())]),
        log_e_limit=float(np.interp(row.limit, shift, log_e)),
        alpha=1 - level,
        counts=track.on_counts and track.learned.edge is None,
    )
