"""The fail rule: enough evidence, not from one burst, on fresh data (gate method, section 6)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from detector.gate.ensemble import Ensemble
from detector.gate.track import Track
from detector.series import FloatArray
from models.sequential.running import Path, Seen, Stretch
from models.sequential.shares import ARM_SHARE, Start, unit_shares

__all__ = [
    "ARM",
    "Board",
    "Candidate",
    "Span",
    "Timetable",
    "Without",
    "at_bin",
    "boards",
    "lived",
    "persists",
    "worst_window",
]

# Scope of all canary rows together; single rows are 0, 1, ...
ARM = -1
_LOOK_BACK_S = 420.0
_EVERY_S = 45.0
_SLACK = math.log(10.0)


@dataclass(frozen=True, slots=True)
class Span:
    """A start and the run of boundaries `first .. last - 1` at which it lives."""

    start: Start
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One (signal, scope, start) at one boundary: `bin` is the last bin of its evidence.

    `effect`: the arm's likeliest shift (log).
    """

    bin: int
    track: Track
    scope: int
    start: Start
    log_e: float
    log_needed: float
    effect: float = 0.0

    @property
    def excess(self) -> float:
        """Log evidence beyond what is needed."""
        return self.log_e - self.log_needed


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """Every start at each boundary of its span, a row each, one start after the other.

    `at` (N,): which boundary; `log_share` (N,): log of the start's share of alpha.
    """

    spans: tuple[Span, ...]
    starts: tuple[Start, ...]
    at: NDArray[np.int64]
    log_share: FloatArray

    @classmethod
    def of(cls, spans: Sequence[Span]) -> Timetable:
        """The timetable of these spans."""
        runs = [s.last - s.first for s in spans]
        shares = np.array([math.log(s.start.share) for s in spans])
        return cls(
            tuple(spans),
            tuple([s.start for s in spans for _ in range(s.first, s.last)]),
            np.array([at for s in spans for at in range(s.first, s.last)]),
            np.repeat(shares, runs),
        )


def lived(schedule: Sequence[tuple[int, Sequence[Start]]]) -> list[Span]:
    """From the live starts at each boundary: each start with its run of boundaries."""
    spans: dict[int, Span] = {}
    for at, live in schedule:
        for start in live:
            first = spans[start.index].first if start.index in spans else at
            spans[start.index] = Span(start, first, at + 1)
    return list(spans.values())


@dataclass(frozen=True, slots=True)
class Board:
    """Evidence of one signal at many (start, boundary): a row each.

    `bins` (N,) last bin of the evidence; `log_e`, `log_needed` (N, 1 + P), the arm first. `base`:
    log needed of a start and scope that had all of the signal's share; a pod that does not exceed
    what is needed less that speaks for no harm, and has a `log_e` of -inf. `shift` (N, D) is
    log L(d) of the arm.
    """

    track: Track
    starts: tuple[Start, ...]
    bins: NDArray[np.int64]
    log_e: FloatArray
    log_needed: FloatArray
    base: float
    shift: FloatArray

    def reaching(self, least: float) -> Iterator[Candidate]:
        """All whose excess is `least` or more."""
        reached = self.log_e - self.log_needed >= least
        if reached.any():
            for row, scope in np.argwhere(reached).tolist():
                yield self.candidate(row, scope)

    def strongest(self) -> tuple[int, int]:
        """Row and column of the largest evidence over needed."""
        width: int = self.log_e.shape[1]
        return divmod(int((self.log_e - self.log_needed).argmax()), width)

    def candidate(self, row: int, column: int) -> Candidate:
        """One entry; column 0 is the arm."""
        return Candidate(
            bin=self.bins.item(row),
            track=self.track,
            scope=column - 1,
            start=self.starts[row],
            log_e=self.log_e.item(row, column),
            log_needed=self.log_needed.item(row, column),
            effect=self.track.learned.row.grid.shift.item(int(self.shift[row].argmax())),
        )

    def arm_shift(self, start: Start) -> FloatArray:
        """log L(d) of the arm since a start, of a board of one boundary."""
        shift: FloatArray = self.shift[self.place(start)]
        return shift

    def place(self, start: Start) -> int:
        """The row of a start, of a board of one boundary."""
        for row, one in enumerate(self.starts):
            if one.index == start.index:
                return row
        raise ValueError(f"no evidence since start {start.index}")


def at_bin(read: Mapping[str, Board], bin_: int) -> dict[str, Board]:
    """The boards at one boundary; those that were read together go on sharing their starts."""
    found: dict[str, Board] = {}
    known: dict[int, tuple[NDArray[np.int64], tuple[Start, ...]]] = {}
    for name, board in read.items():
        if id(board.bins) not in known:
            (rows,) = (board.bins == bin_).nonzero()
            known[id(board.bins)] = rows, tuple([board.starts[row] for row in rows.tolist()])
        rows, starts = known[id(board.bins)]
        whole = len(rows) == len(board.bins)
        found[name] = board if whole else _part(board, rows, starts)
    return found


def _part(board: Board, rows: NDArray[np.int64], starts: tuple[Start, ...]) -> Board:
    """Some rows of a board."""
    logs = board.log_e[rows], board.log_needed[rows]
    return Board(board.track, starts, board.bins[rows], *logs, board.base, board.shift[rows])


def boards(
    ensemble: Ensemble,
    path: Path,
    asked: Sequence[Timetable],
    effective: FloatArray,
    alpha: float,
    first: int,
) -> dict[str, Board]:
    """Evidence of each signal at each boundary that is `asked` of it; 0 ends bin `first`."""
    found: dict[str, Board] = {}
    begin = 0
    for rows, group in groupby(asked, key=lambda one: one):
        end = begin + len(list(group))
        found |= _boards(ensemble, path, (begin, end), rows, effective, alpha, first)
        begin = end
    return found


def _boards(
    ensemble: Ensemble,
    path: Path,
    part: tuple[int, int],
    rows: Timetable,
    effective: FloatArray,
    alpha: float,
    first: int,
) -> dict[str, Board]:
    """Evidence of the signals of a part of an ensemble, each start over its run of boundaries."""
    before = ensemble.running.snapshots
    if part != (0, len(ensemble.tracks)):
        before = {start: held.of_rows(*part) for start, held in before.items()}
        path = path.of_rows(*part)
    stretches = [Stretch(before.get(s.start.index), s.first, s.last) for s in rows.spans]
    shares = _log_scopes(path.accounts.shape[-2]) + rows.log_share[:, None]
    scores = ensemble.part(*part).score_each(path, stretches, effective[rows.at], -shares)
    bins, found = rows.at + first, {}
    for at, track in enumerate(ensemble.tracks[slice(*part)]):
        base = -math.log(alpha * track.weight)
        shift = scores.shift[:, at, : len(track.learned.row.grid.shift)]
        logs = scores.each[:, at], base - shares
        found[track.name] = Board(track, rows.starts, bins, *logs, base, shift)
    return found


@cache
def _log_scopes(rows: int) -> FloatArray:
    logs: FloatArray = np.log(np.concatenate([[ARM_SHARE], unit_shares(rows)]))
    return logs


@dataclass(frozen=True, slots=True)
class Without:
    """Log evidence without the window of bins that carries most of it.

    `begin`: that window's first bin; `reach`: the first bin that any window looked at.
    """

    log_e: float
    begin: int
    reach: int


def worst_window(
    candidate: Candidate, seen: Seen, effective: FloatArray, step_s: float, last_bin: int
) -> Without:
    """What is left without the worst of the windows that the last minutes have.

    `seen` since the candidate's start at its boundary (one row); `last_bin`: newest bin the track
    remembers.
    """
    track = candidate.track
    windows = _windows(candidate, track.learned.row.persistence_s, step_s)
    end = candidate.bin + 1
    cuts = [(a - end, min(b - end, 0)) for a, b in windows]
    left = track.without(seen, last_bin + 1 - end, cuts)
    scores = track.scorer.score(left, np.repeat(effective, len(cuts)))
    logs = scores.arm if candidate.scope == ARM else scores.pods[:, candidate.scope]
    worst = int(logs.argmin())
    return Without(logs.item(worst), windows[worst][0], windows[0][0])


def persists(log_e_without: float, candidate: Candidate) -> bool:
    """Whether no single window carries the verdict."""
    return log_e_without >= candidate.log_needed - _SLACK


def _windows(candidate: Candidate, width_s: float, step_s: float) -> list[tuple[int, int]]:
    """Bin ranges of `width_s`, one each 45 s of the last 7 minutes, not before the start."""
    width = max(2, round(width_s / step_s))
    end = candidate.bin + 1
    offsets = np.arange(0.0, _LOOK_BACK_S, _EVERY_S)
    begins = {end - width - round(o / step_s) for o in offsets}
    begins |= {end - max(1, round(o / step_s)) for o in offsets if o / step_s < width}
    kept = sorted({max(b, candidate.start.bin) for b in begins if b + width > candidate.start.bin})
    return [(b, b + width) for b in kept]
