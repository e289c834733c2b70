"""When an attempt fails: the first boundary at which evidence holds, and an outage at once.

Evidence holds where it is enough, on fresh data of both arms, and not carried by one burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np

from detector.gate.carried import NEAR, Carried
from detector.gate.judgement import FirstFail
from detector.gate.policy import Policy
from detector.gate.recollection import Recollection
from detector.gate.rule import (
    Board,
    Candidate,
    Timetable,
    at_bin,
    boards,
    lived,
    worst_window,
)
from detector.gate.schedule import Move, Schedule, newest_of
from detector.gate.window import Window
from detector.gate.words import fail_reason
from detector.series import FloatArray
from detector.signals.plan import Plan
from detector.signals.signal import Kind

__all__ = ["Failing"]

_OUTAGE_S, _OUTAGE_REQUESTS = 60.0, 50.0
_FRESH_S, _FRESH_INTERVALS = 120.0, 3.0
_FEW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """Evidence that held at `at` (unix seconds)."""

    candidate: Candidate
    at: float
    is_unwitnessed: bool


@dataclass(slots=True)
class Failing:
    """Reads the evidence of one attempt at each new boundary; `start` as in `Session`.

    `first`, `found`: the first fail, and the evidence it stands on. `burst`: what is enough at the
    newest boundary but may be one burst. `is_held`: what is enough there, but other services got as
    bad. `boards`: evidence at the newest boundary, by signal.
    """

    plan: Plan
    policy: Policy
    start: float
    past: Recollection
    first: FirstFail | None = None
    found: Candidate | None = None
    burst: Candidate | None = None
    is_held: bool = False
    boards: dict[str, Board] = field(default_factory=dict)
    _proved: dict[str, _Proof] = field(default_factory=dict)
    _carried: Carried = field(default_factory=Carried)

    @property
    def is_unwitnessed(self) -> bool:
        """Whether something proved leans on the past, and nobody looked at the others since.

        Not where the rest is enough for the fail.
        """
        seen = {name for name, proof in self._proved.items() if not proof.is_unwitnessed}
        return len(seen) < len(self._proved) and not (self.first and self._is_enough(seen))

    def look(
        self,
        moves: Sequence[Move],
        win: Window,
        *,
        is_unfair: bool,
    ) -> None:
        """Read the new boundaries."""
        self.burst, self.is_held = None, False
        last = win.first + len(win.requests) - 1
        reached = self._read(moves, win)
        for candidate, move in sorted(reached, key=_first):
            if candidate.track.signal in self._proved:
                continue
            lasts = self._lasts(candidate, move, win)
            if candidate.excess < 0:
                continue
            leans = self.past.leans(candidate, win)
            if leans and self.past.excuses(candidate):
                self.is_held |= candidate.bin == last
            elif not is_unfair and lasts and _is_fresh(win, candidate.bin - win.first):
                self._prove(candidate, win, leans=leans)
                if self._is_enough(self._proved.keys()):
                    self._fail(candidate, win)
                    break
            elif candidate.bin == last:
                self.burst = self.burst or candidate
        self._carried.keep(start.index for move in moves for start in move.schedule[-1][1])
        self.witness()

    def _lasts(self, candidate: Candidate, move: Move, win: Window) -> bool:
        """Whether no burst carries the evidence, or the service is down."""
        index = candidate.bin - win.first
        at, track = index - move.begin, candidate.track
        seen = track.since(candidate.start, track.own(move.advance.path), at, at + 1)
        last = win.first + len(win.requests) - 1
        effective = win.effective[index : index + 1]
        without = worst_window(candidate, seen, effective, win.step_s, last)
        return self._carried.persists(candidate, without) or _is_outage(win, index, self.plan)

    def witness(self) -> None:
        """What the past proved stands, once it was seen that the others are well at its moment.

        Each signal of a condition is seen to by itself: one that befell the others too is no proof,
        and a fail that needs it falls with it.
        """
        seen = self.past.elsewhere
        waiting = [(n, p) for n, p in self._proved.items() if p.is_unwitnessed]
        for name, proof in waiting:
            if seen is None or seen.at < proof.at:
                continue
            if self.past.excuses(proof.candidate):
                del self._proved[name]
                self.is_held = True
            else:
                self._proved[name] = replace(proof, is_unwitnessed=False)
        if self.first is not None and not self._is_enough(self._proved.keys()):
            self.first = self.found = None

    def _read(
        self,
        moves: Sequence[Move],
        win: Window,
    ) -> list[tuple[Candidate, Move]]:
        """Boards of all signals, and what is near what is needed; shown ones need the newest."""
        last = win.first + len(win.requests) - 1
        reached: list[tuple[Candidate, Move]] = []
        tables: dict[int, tuple[Timetable, Timetable]] = {}
        self.boards = {}
        for move in moves:
            ensemble, schedule = move.ensemble, move.schedule
            if id(schedule) not in tables:
                tables[id(schedule)] = _tables(schedule)
            rows, newest = tables[id(schedule)]
            judging = [self.first is None and track.judged for track in ensemble.tracks]
            asked = [rows if judged else newest for judged in judging]
            effective, done = win.effective[move.begin :], win.first + move.begin
            path = move.advance.path
            read = boards(ensemble, path, asked, effective, self.policy.alpha, done)
            self.boards |= at_bin(read, last)
            for judged, board in zip(judging, read.values(), strict=True):
                if judged:
                    reached += [(candidate, move) for candidate in board.reaching(NEAR)]
        return reached

    def _prove(self, candidate: Candidate, win: Window, *, leans: bool) -> None:
        """Keep what was proved, if the policy asks for it."""
        needed, name = self.policy.fail_when, candidate.track.signal
        if needed is None or name in needed.names:
            at = self.start + (candidate.bin + 1) * win.frame.step
            self._proved[name] = _Proof(candidate=candidate, at=at, is_unwitnessed=leans)

    def _is_enough(self, proved: AbstractSet[str]) -> bool:
        """Whether what was proved fails the attempt, as the policy combines signals."""
        needed = self.policy.fail_when
        return bool(proved) if needed is None else needed.holds(proved)

    def _fail(self, candidate: Candidate, win: Window) -> None:
        self.found = candidate
        step = win.frame.step
        at = self.start + (candidate.bin + 1) * step
        since = self.start + candidate.start.bin * step
        reason = fail_reason(candidate.track, at=at, since=since)
        self.first = FirstFail(at=at, signal=candidate.track.signal, reason=reason)


def _first(reached: tuple[Candidate, Move]) -> tuple[int, bool, float]:
    """The earliest, there a template before all lines together, and the strongest."""
    candidate, _ = reached
    return candidate.bin, not candidate.track.template, -candidate.excess


def _tables(schedule: Schedule) -> tuple[Timetable, Timetable]:
    """All boundaries, and for what is only shown the newest."""
    newest = Timetable.of(newest_of(schedule))
    rows = newest if len(schedule) == 1 else Timetable.of(lived(schedule))
    # Few boundaries of what is only shown cost less than reading it apart.
    return rows, (rows if len(schedule) <= _FEW else newest)


def _is_fresh(win: Window, index: int) -> bool:
    """Whether both arms had data lately; where there is no control, the canary."""
    width = max(1, round(max(_FRESH_S / win.step_s, _FRESH_INTERVALS)))
    span = slice(max(0, index + 1 - width), index + 1)
    theirs = bool(win.frame.control.seen[:, span].any()) or win.starved[index] > 0
    return theirs and bool(win.frame.canary.seen[:, span].any())


def _is_outage(win: Window, index: int, plan: Plan) -> bool:
    """Half of the canary's requests fail on half of its pods while the control is well."""
    name = next((b.signal.name for b in plan.signals if b.signal.kind is Kind.RATIO), "")
    canary, control = (arm.counts.get(name) for arm in (win.frame.canary, win.frame.control))
    width = max(2, round(_OUTAGE_S / win.step_s))
    if canary is None or index + 1 < width:
        return False
    span = slice(index + 1 - width, index + 1)
    n, x = win.canary(canary.n)[span], win.canary(canary.x)[span]
    if control is not None and not _is_well(
        win.reference(control.n)[span], win.reference(control.x)[span]
    ):
        return False
    served = n.sum(axis=0)
    bad = (served > 0) & (x.sum(axis=0) >= 0.5 * np.maximum(served, 1e-9))
    each = bool(np.all(x.sum(axis=1) >= 0.5 * n.sum(axis=1)))
    half = np.count_nonzero(bad) >= 0.5 * np.count_nonzero(served > 0)
    return bool(n.sum() >= _OUTAGE_REQUESTS and each and half)


def _is_well(n: FloatArray, x: FloatArray) -> bool:
    """Whether fewer than one in twenty of the control's requests fail."""
    return float(x.sum()) < 0.05 * max(float(n.sum()), 1.0)
