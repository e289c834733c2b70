"""One signal at one moment, in numbers: evidence, bounds of harm, what was seen on each side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.rule import ARM, Board, Candidate
from detector.gate.track import Account, Track
from detector.series import FloatArray
from models.sequential.bound import (
    Interval,
    Outlook,
    Progress,
    interval,
    log_bet,
    outlook,
    smallest_effect,
)
from models.sequential.kernels import Kernels
from models.sequential.running import Path
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
    `exposure_log_e`: the arm's evidence since the exposure began.
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
    board: Board, live: Sequence[Start], effective: int, level: float, step_s: float
) -> State:
    """Read the state off a track's sums and its board at the newest boundary."""
    track, present, exposure = board.track, board.track.present(), _exposure(live)
    kernels = track.kernels(effective)
    shares = board.log_e + board.log_share
    strongest = _shown(board, shares)
    chosen = track.since(strongest.start, present, 0, 1)
    since_start = _arm_since(board, live[0], present, effective)
    scope = _scope_since(board, strongest, chosen, effective)
    known = since_start if track.both is None else None
    whole = _bound(track, live[0], kernels, 1 - level, known)
    now = alone = whole
    if exposure is not live[0]:
        exposed = _arm_since(board, exposure, present, effective) if track.both is None else None
        now = _bound(track, exposure, kernels, _EXPOSURE_LEVEL, exposed)
        if sum(whole) >= track.learned.row.limit:
            alone = _bound(track, exposure, kernels, (1 - level) / 2, exposed)
    accounts = present.accounts[0].sum(axis=0)
    info = information(track)
    row = track.learned.row
    return State(
        track=track,
        strongest=strongest,
        suspicion=float(shares.max()),
        effect=interval(scope, kernels, row, _SHOWN),
        bound=min(sum(whole), sum(alone)),
        bound_now=now[0] + now[1],
        unmasked=whole[0],
        exposure_log_e=float(board.log_e[board.starts.index(exposure), 0]),
        tally=_tally(chosen, strongest.scope),
        counted=float(accounts[Account.COUNTED]),
        bins=float(present.accounts[0, :, Account.BINS].max(initial=0.0)),
        on_history=float(accounts[Account.ON_HISTORY] / max(accounts[Account.REQUESTS], 1e-9)),
        info=info,
        outlook=_outlook(track, present, since_start, kernels, info, level, step_s),
        smallest=smallest_effect(
            row,
            kernels,
            log_needed=strongest.log_needed,
            info=info * float(accounts[Account.COUNTED]),
            units=max(1, len(present.accounts[0])),
            caution=0.0,
        ),
        load=0.0,
    )


def _shown(board: Board, shares: FloatArray) -> Candidate:
    """The strongest, or the arm over the whole attempt where nothing speaks for harm."""
    row, column = divmod(int((board.log_e - board.log_needed).argmax()), shares.shape[1])
    if shares[row, column] <= 0:
        row, column = 0, 0
    return board.candidate(row, column)


def information(track: Track) -> float:
    """Information of one canary request about the effect (gate method, section 7)."""
    lam = float(track.lately.weight[-1]) if track.lately is not None else 1.0
    learned = track.learned
    if not track.on_counts:
        return 1.5 * lam
    if learned.edge is not None:
        return 0.05 * lam
    limit = learned.row.limit
    rate = learned.rate + learned.eps0
    return 2 * lam * rate * (math.expm1(limit) - limit) / limit**2


def _arm_since(board: Board, start: Start, present: Path, effective: int) -> FloatArray:
    """log L(d) of the arm since a start; mostly the board has read it."""
    read = board.arm_shift(start, (effective, 0))
    if read is not None:
        return read
    track = board.track
    return arm_of(track, track.since(start, present, 0, 1), track.kernels(effective))


def _scope_since(board: Board, shown: Candidate, part: Path, effective: int) -> FloatArray:
    """log L(d) of the candidate's scope since its start."""
    if shown.scope == ARM:
        return _arm_since(board, shown.start, board.track.present(), effective)
    pods = board.track.log_shift(part, board.track.kernels(effective))[1]
    scope: FloatArray = pods[0, shown.scope]
    return scope


def arm_of(track: Track, part: Path, kernels: Kernels) -> FloatArray:
    """log L(d) of the arm at the only boundary of `part`."""
    shift: FloatArray = track.log_shift(part, kernels)[0][0]
    return shift


def _exposure(live: Sequence[Start]) -> Start:
    return next((s for s in reversed(live) if s.step), live[0])


def _bound(
    track: Track, start: Start, kernels: Kernels, alpha: float, known: FloatArray | None = None
) -> tuple[float, float]:
    """Upper bound of harm since a start, and the mask that load adds to it.

    `known`: the arm's log L(d) since then, where it was read already.
    """
    part = track.bounding(start)
    log_l = arm_of(track, part, kernels) if known is None else known
    accounts = part.accounts[0].sum(axis=0)
    mask = accounts[Account.MASK] / max(accounts[Account.REQUESTS], 1e-9)
    return interval(log_l, kernels, track.learned.row, alpha).high, float(mask)


def _tally(part: Path, scope: int) -> Tally:
    rows = part.accounts[0][:, len(Account) :]
    canary = rows.sum(axis=0) if scope == ARM else rows[scope]
    return Tally(canary=canary, control=part.reference[0])


def _outlook(
    track: Track,
    part: Path,
    log_l: FloatArray,
    kernels: Kernels,
    info: float,
    level: float,
    step_s: float,
) -> Outlook:
    row = track.learned.row
    accounts = part.accounts[0]
    log_e = log_bet(log_l, kernels)
    shift = row.grid.shift
    return outlook(
        Progress(
            counted=float(accounts[:, Account.COUNTED].sum()),
            bins=float(accounts[:, Account.BINS].max(initial=0.0)),
            units=max(1, int(np.count_nonzero(accounts[:, Account.REQUESTS]))),
            info=info,
            noise=track.bin_noise(step_s),
            limit=row.limit,
            mode=float(shift[int(np.argmin(log_e))]),
            log_e_limit=float(np.interp(row.limit, shift, log_e)),
            alpha=1 - level,
            counts=track.on_counts and track.learned.edge is None,
        ),
        kernels,
    )
