"""One signal at one moment, in numbers: evidence, bounds of harm, what was seen on each side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.ensemble import Ensemble
from detector.gate.gauging import Gauged
from detector.gate.rule import ARM, Board, Candidate
from detector.gate.scoring import Account
from detector.gate.track import Track
from detector.series import FloatArray
from models.sequential.bound import (
    Ends,
    Interval,
    Outlook,
    Progress,
    log_bet,
    outlook,
    smallest_effect,
)
from models.sequential.shares import Start

__all__ = ["State", "Tally", "states_of"]

_SHOWN = 0.10
_EXPOSURE_LEVEL = 0.20
_CALM = math.log(5.0)
_COLUMNS = len(Account)


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


def states_of(
    boards: Mapping[str, Board],
    ensembles: Iterable[Ensemble],
    live: Sequence[Start],
    effective: int,
    level: float,
    step_s: float,
    load: float = 0.0,
) -> dict[str, State]:
    """Read the states off tracks' sums and their boards at the newest boundary."""
    found: dict[str, State] = {}
    for ensemble in (one for one in ensembles if one.tracks[0].name in boards):
        reached = tuple([start for start in live if start.bin >= ensemble.first])
        around = _Around(reached, effective, level, step_s, load)
        each = zip(ensemble.tracks, _sums(ensemble), strict=True)
        tops = [_Top.of(boards[track.name], summed) for track, summed in each]
        for top, bound in zip(tops, _bounds(ensemble, tops, around), strict=True):
            found[top.board.track.name] = _state(top, bound, around)
    return {name: found[name] for name in boards if name in found}


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds for all signals; `effective` is the worth of the control in pods."""

    live: tuple[Start, ...]
    effective: int
    level: float
    step_s: float
    load: float

    @property
    def exposure(self) -> Start:
        return next((s for s in reversed(self.live) if s.step), self.live[0])


@dataclass(frozen=True, slots=True)
class _Top:
    """What speaks most for harm of a signal, and what is shown of it.

    Where nothing speaks for harm the arm over the whole attempt is shown.
    """

    board: Board
    summed: _Summed
    suspicion: float
    shown: Candidate

    @classmethod
    def of(cls, board: Board, summed: _Summed) -> _Top:
        row, column = board.strongest()
        excess = board.log_e.item(row, column) - board.log_needed.item(row, column)
        suspicion = excess + board.base
        most = (row, column) if suspicion > 0 else (0, 0)
        return cls(board, summed, suspicion, board.candidate(*most))


@dataclass(frozen=True, slots=True)
class _Summed:
    """What was summed of a signal beside its likelihood: `totals` (A,) over all rows.

    `bins`: in how many a row counted, at most; `units`: rows that served any request.
    """

    totals: list[float]
    bins: float
    units: int


def _sums(ensemble: Ensemble) -> list[_Summed]:
    accounts = ensemble.running.now.accounts
    totals = np.add.reduce(accounts, axis=1).tolist()
    bins = np.maximum.reduce(accounts[..., Account.BINS], axis=1, initial=0.0).tolist()
    units = np.count_nonzero(accounts[..., Account.REQUESTS], axis=1).tolist()
    return [_Summed(*each) for each in zip(totals, bins, units, strict=True)]


def _state(top: _Top, bounds: _Bounds, around: _Around) -> State:
    board, strongest, totals = top.board, top.shown, top.summed.totals
    track, apart = board.track, board.track.scorer.apart(around.effective)
    progress = _progress(track, top.summed, bounds.log_e, around.level, around.step_s)
    counted = track.counted(strongest.start)
    excused = _excused(counted, strongest) if totals[Account.CAUTION] else 0.0
    return State(
        track=track,
        strongest=strongest,
        suspicion=top.suspicion,
        effect=bounds.effect,
        bound=min(bounds.whole, bounds.alone),
        bound_now=bounds.now,
        unmasked=bounds.unmasked,
        exposure_log_e=board.log_e.item(board.place(around.exposure), 0),
        tally=_tally(track, counted, strongest),
        counted=progress.counted,
        bins=progress.bins,
        on_history=min(totals[Account.ON_HISTORY] / max(totals[Account.REQUESTS], 1e-9), 1.0),
        info=progress.info,
        outlook=outlook(progress, apart),
        smallest=smallest_effect(
            track.learned.row,
            apart,
            log_needed=strongest.log_needed,
            info=progress.info * progress.counted,
            units=max(1, len(counted)),
            caution=excused,
        ),
        load=around.load,
        excused=excused,
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The effect that is shown; upper ends of harm on the attempt, now, and on the exposure alone.

    What load may hide is added, but to `unmasked`, the `whole` without it. `log_e`:
    log e of each true effect on the whole attempt.
    """

    effect: Interval
    unmasked: float
    whole: float
    now: float
    alone: float
    log_e: FloatArray


def _bounds(ensemble: Ensemble, tops: Sequence[_Top], around: _Around) -> list[_Bounds]:
    """All that is read off e-values of true effects, for all signals at once."""
    attempt, exposure, level = around.live[0], around.exposure, around.level
    logs = np.full((len(tops), 4, ensemble.stack.shifts), -np.inf)
    for at, top in zip(logs, tops, strict=True):
        board = top.board
        whole = at[:, : board.shift.shape[1]]
        whole[0] = board.arm_shift(attempt)
        whole[1] = _scope_since(board, top.shown)
        whole[2] = _harm_since(board, attempt)
        whole[3] = whole[2] if exposure is attempt else _harm_since(board, exposure)
    log_e = log_bet(logs, ensemble.scorer.kernels(around.effective))
    alphas = [_SHOWN, 1 - level, _EXPOSURE_LEVEL, (1 - level) / 2]
    read = log_e[:, [1, 2, 3, 3]].reshape(-1, log_e.shape[2])
    rows = [row for row in ensemble.stack.rows for _ in alphas]
    ends = Ends.of(read, rows, alphas * len(tops))
    return [
        _bounded(top, attempt, exposure, (ends, 4 * at), log_e[at, 0])
        for at, top in enumerate(tops)
    ]


def _bounded(
    top: _Top, attempt: Start, exposure: Start, read: tuple[Ends, int], log_e: FloatArray
) -> _Bounds:
    """The bounds of one signal, with what its load may hide; `read` are its four ends and where."""
    track, is_masked = top.board.track, top.summed.totals[Account.MASK] > 0
    ends, at = read
    effect, high, known = ends.interval(at), ends.high(at + 1), log_e[: top.board.shift.shape[1]]
    whole = high + (track.mask(attempt) if is_masked else 0.0)
    if exposure is attempt:
        return _Bounds(effect, high, whole, whole, whole, known)
    mask = track.mask(exposure) if is_masked else 0.0
    harmless = whole < track.learned.row.limit
    alone = whole if harmless else ends.high(at + 3) + mask
    return _Bounds(effect, high, whole, ends.high(at + 2) + mask, alone, known)


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


def _excused(counted: FloatArray, shown: Candidate) -> float:
    """Caution a request of the candidate's scope."""
    scope = counted if shown.scope == ARM else counted[shown.scope : shown.scope + 1]
    caution, requests = scope[:, [Account.CAUTION, Account.REQUESTS]].sum(axis=0).tolist()
    return float(caution / max(requests, 1e-9))


def _tally(track: Track, counted: FloatArray, shown: Candidate) -> Tally:
    rows = counted[:, _COLUMNS:]
    canary = np.add.reduce(rows, axis=0) if shown.scope == ARM else rows[shown.scope]
    return Tally(canary=canary, control=track.reference(shown.start))


def _progress(
    track: Track, summed: _Summed, log_e: FloatArray, level: float, step_s: float
) -> Progress:
    """How far the bound of the whole attempt has come."""
    row = track.learned.row
    shift = row.grid.shift
    return Progress(
        counted=summed.totals[Account.COUNTED],
        bins=summed.bins,
        units=max(1, summed.units),
        info=information(track),
        noise=track.bin_noise(step_s),
        limit=row.limit,
        mode=shift.item(int(log_e.argmin())),
        log_e_limit=float(np.interp(row.limit, shift, log_e)),
        alpha=1 - level,
        counts=track.on_counts and track.learned.edge is None,
    )
