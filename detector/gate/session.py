"""The running judgement of one attempt, advanced bin by bin as raw samples arrive.

The answer at a moment is a function of the samples up to it by their own times: a bin is final at
its end plus `settle`, every boundary is judged once, and polling enters no formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from detector.gate.bases import Bases
from detector.gate.build import build_track, histogram_of, shares_of
from detector.gate.builder import FrameBuilder
from detector.gate.cohort import as_groups, is_unfair, of_groups
from detector.gate.design import Elsewhere
from detector.gate.frame import Frame, truncated
from detector.gate.judgement import FirstFail, Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.present import Present, describe
from detector.gate.recollection import Recollection
from detector.gate.request import Stage
from detector.gate.rule import (
    Board,
    Candidate,
    Span,
    Timetable,
    board,
    lived,
    persists,
    worst_window,
)
from detector.gate.share import Weights
from detector.gate.track import Advance, Beginning, Track
from detector.gate.window import Rows, Window, window
from detector.gate.words import fail_reason
from detector.series import Answer, FloatArray
from detector.signals.plan import BoundSignal, Plan, Reading
from detector.signals.signal import Kind, Unit
from models.sequential.shares import Start, StartClock
from models.sequential.warmup import GRACE_S, SETTLED_S

__all__ = ["Frames", "Session"]

_BIN_S = 15.0
_SETTLE_BINS, _SETTLE_S = 1.34, 5.0
_CHUNK = 64
# Trailing bins that rules look at: 1200 s of reference, 600 s of persistence.
_RETAIN_S = 2100.0
_CRASH_LOOP = 2.0
_OUTAGE_S, _OUTAGE_REQUESTS = 60.0, 50.0
_FRESH_S, _FRESH_INTERVALS = 120.0, 3.0


class Frames(Protocol):
    """What turns raw samples into bins; `FrameBuilder` in life, arrays in benches."""

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next."""
        ...

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """Take new samples; the number of bins from 0 on that are final by `now`."""
        ...

    def frame(self) -> Frame:
        """The retained final bins."""
        ...

    def drop_before(self, bin_: int) -> None:
        """Forget bins before `bin_`."""
        ...


class Session:
    """One attempt's judge. `start`: unix seconds of bin 0; `interval`: scrape interval, seconds."""

    def __init__(
        self,
        plan: Plan,
        policy: Policy,
        *,
        start: float,
        interval: float,
        frames: Frames | None = None,
    ) -> None:
        scale = policy.time_scale
        self.plan, self.policy, self.start = plan, policy, start
        self.step = max(_BIN_S * scale, interval)
        self.settle = _SETTLE_BINS * self.step + _SETTLE_S * scale
        self.builder: Frames = frames or FrameBuilder(
            plan,
            start=start,
            step=self.step,
            history_s=policy.history_s * scale,
            settle_s=self.settle,
            time_scale=scale,
        )
        self.rows = Rows()
        self.clock = StartClock(self.step / scale)
        self.weights = Weights()
        self.tracks: dict[str, Track] = {}
        self.bases = Bases()
        self.boards: dict[str, Board] = {}
        self.shares = shares_of(plan, policy)
        self.past = Recollection(policy, self.step)
        self.done = self._top = 0
        self.first_fail: FirstFail | None = None
        self.failed: Candidate | None = None
        self.burst: Candidate | None = None
        self._restarts = np.zeros(0)
        self._window: Window | None = None
        self._tried: set[str] = set()
        self._proved: set[str] = set()
        self._is_unwitnessed = self._is_held = False
        self._told_apart = plan.unit is Unit.POD

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next."""
        return self.builder.readings()

    def feed(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> None:
        """Take new raw samples up to `now` and judge every boundary that became final."""
        self._top = self.builder.append(readings, answers, now=now)
        self._catch_up()

    @property
    def wants_memory(self) -> bool:
        """Whether bins wait to be judged until what the service did before is told."""
        return self.past.is_waiting

    @property
    def wants_elsewhere(self) -> bool:
        """Whether the newest answer depends on how other services are."""
        return self.past.is_alone or self._is_unwitnessed

    @property
    def wants_witness(self) -> bool:
        """Whether a fail by the past waits for how other services are at this moment."""
        return self._is_unwitnessed

    def recall(self, memory: Memory) -> None:
        """What the service did before; told once, bins that waited for it are judged now."""
        self.past.recall(memory)
        self._catch_up()

    def look(self, elsewhere: Elsewhere) -> None:
        """How other services of the cluster are; the newest counts."""
        self.past.look(elsewhere, int((elsewhere.at - self.start) // self.step))
        self._witness()

    def _witness(self) -> None:
        """A fail by the past stands, once it was seen that the others are well at its moment."""
        first, found, seen = self.first_fail, self.failed, self.past.elsewhere
        if not self._is_unwitnessed or first is None or found is None:
            return
        if seen is None or seen.at < first.at:
            return
        self._is_unwitnessed = False
        if self.past.excuses(found):
            self.first_fail = self.failed = None
            self._proved.discard(found.track.name)
            self._is_held = True

    def _catch_up(self) -> None:
        while self.done < self._top and not self.past.is_waiting:
            self._advance(min(self._top, self.done + _CHUNK))

    def set_weight(self, at: float, weight: float) -> None:
        """The canary's weight in per cent, known since `at`."""
        self.weights.tell(at, weight)

    def judge(self, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
        """The answer that is due at `as_of` from what was fed; raises nothing on missing data."""
        judgement = describe(
            Present(
                plan=self.plan,
                policy=self.policy,
                start=self.start,
                step=self.step,
                window=self._recent(),
                boards=self.boards,
                live=self.clock.live,
                done=self.done,
                first_fail=None if self._is_unwitnessed else self.first_fail,
                failed=None if self._is_unwitnessed else self.failed,
                burst=self.burst,
                incompatible=self.bases.incompatible,
                rows=tuple(self.rows.names),
                edges=self.bases.edges,
                told=self.weights.newest_step(self.start, self.step, as_of=as_of),
                standing=self.past.standing(
                    is_unfair=self._is_unfair(self._recent()), is_held=self._is_held
                ),
            ),
            as_of=as_of,
            stage=stage,
            deadline=deadline,
        )
        # A megabyte that the next boundary makes anew.
        self._window = None
        return judgement

    @property
    def nbytes(self) -> int:
        """Bytes held by the sums between polls (the frame's retained bins come on top)."""
        return sum(track.nbytes for track in self.tracks.values())

    def _recent(self) -> Window:
        if self._window is None:
            frame = self.builder.frame()
            self._window = self._arrange(frame, frame.bins - 1)
        return self._window

    def _arrange(self, frame: Frame, new: int) -> Window:
        """The frame arranged for judging its bins from index `new` on."""
        scale, apart = self.policy.time_scale, self._told_apart
        made = window(frame, self.rows, scale, pods_told_apart=apart, new=max(new, 0))
        return self.past.arranged(as_groups(made) if self.plan.cohort else made)

    def _is_unfair(self, win: Window) -> bool:
        """Whether a cohort is not the part of all users that was told, once and for all."""
        told = self.weights.told
        if self.plan.cohort is None or len(told) != 1:
            return False
        return is_unfair(win.frame.notes, told[0][1])

    def _advance(self, end: int) -> None:
        """Judge the bins `done .. end - 1`, as far as they need no memory that is not there."""
        frame = truncated(self.builder.frame(), end)
        begin = self.done - frame.first
        win = self._arrange(frame, begin)
        ready = self.past.ready(win, begin)
        if ready < end - self.done:
            if ready:
                self._advance(self.done + ready)
            return
        self._find_tracks(frame)
        schedule, beginnings = self._schedule(win, begin)
        grace = self._grace(win, begin)
        tracks = tuple(self.tracks.values())
        bases = self.past.applied(
            tracks, self.bases.of(tracks, win, begin), win, begin, self.bases.edges
        )
        moves = [
            (track, track.advance(bases[name], win, begin, grace, beginnings))
            for name, track in self.tracks.items()
        ]
        self._look_for_fail(moves, win, begin, schedule)
        for track, moved_on in moves:
            track.keep(moved_on, self.clock.live, win.step_s)
        self.done = end
        self._window = win
        self.builder.drop_before(self.done - round(_RETAIN_S / win.step_s))

    def _find_tracks(self, frame: Frame) -> None:
        """Build the tracks of signals whose data have appeared; each is tried once."""
        taught = self.past.teaching(frame, self.plan)
        if taught is None:
            return
        frame = taught
        for bound in self.plan.signals:
            if bound.signal.name in self._tried or not _has_data(bound, frame):
                continue
            self._tried.add(bound.signal.name)
            edges = None
            if bound.signal.kind is Kind.LATENCY:
                edges = self.bases.fix_edges(frame, bound.signal.name)
            track = build_track(bound, frame, self.policy, self.shares[bound.signal.name], edges)
            if track is not None and self.plan.cohort is not None:
                learned = of_groups(track.learned, on_counts=track.on_counts)
                track = replace(track, learned=learned, grace=False)
            if track is not None:
                self.tracks[track.name] = track

    def _schedule(
        self, win: Window, begin: int
    ) -> tuple[list[tuple[int, tuple[Start, ...]]], list[Beginning]]:
        """Live starts after each new bin, and the starts that begin among them."""
        told = self.weights.told_steps(self.start, self.step)
        canary, control = win.requests.sum(axis=1), win.control
        schedule: list[tuple[int, tuple[Start, ...]]] = []
        beginnings = []
        for index in range(len(canary) - begin):
            at = begin + index
            bin_ = win.first + at
            step = bin_ in told or self.weights.seen_step(
                bin_, self.start + bin_ * self.step, canary[:at], control[:at], win.step_s
            )
            start = self.clock.begin(bin_, step=step)
            if start is not None:
                beginnings.append(_beginning(win, start, index, at))
            schedule.append((index, self.clock.live))
        return schedule, beginnings

    def _grace(self, win: Window, begin: int) -> FloatArray:
        """Seconds a young pod is not judged, (T, P); none in a crash loop."""
        bound = next((b for b in self.plan.signals if b.signal.kind is Kind.EVENTS), None)
        grace = np.full((len(win.requests) - begin, win.count), GRACE_S)
        counts = win.frame.canary.counts.get(bound.signal.name) if bound else None
        self._restarts = _wider(self._restarts, win.count)
        if counts is None:
            return grace
        seen = self._restarts + np.cumsum(win.canary(counts.x, begin), axis=0)
        self._restarts = seen[-1]
        return np.where(seen >= _CRASH_LOOP, 0.0, grace)

    def _look_for_fail(
        self,
        moves: Sequence[tuple[Track, Advance]],
        win: Window,
        begin: int,
        schedule: Sequence[tuple[int, tuple[Start, ...]]],
    ) -> None:
        """Read the evidence at each new boundary; find the first at which the fail rule holds."""
        rows, newest = Timetable.of(lived(schedule)), Timetable.of(_only_last(schedule))
        last = win.first + len(win.requests) - 1
        effective = win.effective[begin:]
        found: list[tuple[Candidate, Advance]] = []
        for track, moved_on in moves:
            asked = rows if self.first_fail is None and track.judged else newest
            evidence = board(track, moved_on.path, asked, effective, self.policy.alpha, self.done)
            self.boards[track.name] = evidence.at(last)
            if self.first_fail is None and track.judged:
                found += [(c, moved_on) for c in evidence.reaching(0.0)]
        self.burst, self._is_held = None, False
        for candidate, moved_on in sorted(found, key=lambda f: (f[0].bin, -f[0].excess)):
            if candidate.track.name in self._proved:
                continue
            leans = self.past.leans(candidate, win)
            if leans and self.past.excuses(candidate):
                self._is_held |= candidate.bin == last
            elif self._holds(candidate, moved_on, win, begin):
                if self._decides(candidate):
                    self._fail(candidate)
                    self._is_unwitnessed = leans
                    self._witness()
                    return
            elif candidate.bin == last:
                self.burst = self.burst or candidate

    def _decides(self, candidate: Candidate) -> bool:
        """Whether what was proved up to here fails the attempt, as the policy combines signals."""
        self._proved.add(candidate.track.name)
        needed = self.policy.fail_when
        return needed is None or needed.holds(self._proved)

    def _holds(self, candidate: Candidate, moved_on: Advance, win: Window, begin: int) -> bool:
        """Persistence and freshness at the candidate's boundary."""
        index = candidate.bin - win.first
        if not self._fresh(win, index) or self._is_unfair(win):
            return False
        if self._outage(win, index):
            return True
        at = index - begin
        seen = candidate.track.since(candidate.start, moved_on.path, at, at + 1)
        last = win.first + len(win.requests) - 1
        worst = worst_window(candidate, seen, win.effective[index : index + 1], win.step_s, last)
        return persists(worst, candidate)

    def _fresh(self, win: Window, index: int) -> bool:
        """Whether both arms had data lately; where there is no control, the canary."""
        width = max(1, round(max(_FRESH_S * self.policy.time_scale / self.step, _FRESH_INTERVALS)))
        span = slice(max(0, index + 1 - width), index + 1)
        theirs = bool(win.frame.control.seen[:, span].any()) or win.starved[index] > 0
        return theirs and bool(win.frame.canary.seen[:, span].any())

    def _outage(self, win: Window, index: int) -> bool:
        """Half of the canary's requests fail on half of its pods while the control is well."""
        bound = next((b for b in self.plan.signals if b.signal.kind is Kind.RATIO), None)
        if bound is None:
            return False
        canary = win.frame.canary.counts.get(bound.signal.name)
        control = win.frame.control.counts.get(bound.signal.name)
        if canary is None:
            return False
        width = max(2, round(_OUTAGE_S / win.step_s))
        if index + 1 < width:
            return False
        span = slice(index + 1 - width, index + 1)
        n, x = win.canary(canary.n)[span], win.canary(canary.x)[span]
        well = control is None or (
            win.reference(control.x)[span].sum()
            < 0.05 * max(win.reference(control.n)[span].sum(), 1)
        )
        bad = x.sum(axis=0) >= 0.5 * np.maximum(n.sum(axis=0), 1e-9)
        serving = n.sum(axis=0) > 0
        each = bool(np.all(x.sum(axis=1) >= 0.5 * n.sum(axis=1)))
        half = np.count_nonzero(bad & serving) >= 0.5 * np.count_nonzero(serving)
        return bool(n.sum() >= _OUTAGE_REQUESTS and each and half and well)

    def _fail(self, candidate: Candidate) -> None:
        self.failed = candidate
        at = self.start + (candidate.bin + 1) * self.step
        since = self.start + candidate.start.bin * self.step
        reason = fail_reason(candidate.track, at=at, since=since)
        self.first_fail = FirstFail(at=at, signal=candidate.track.name, reason=reason)


def _beginning(win: Window, start: Start, index: int, at: int) -> Beginning:
    """A start before window bin `at`, with the rows known then and whether all are settled."""
    known = ~np.isnan(win.age[:at]).all(axis=0) if at else np.zeros(win.count, dtype=np.bool_)
    rows = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    settled = bool(np.all(win.age[at - 1, :rows] > SETTLED_S)) if at else False
    return Beginning(start, index, rows, settled)


def _only_last(schedule: Sequence[tuple[int, tuple[Start, ...]]]) -> list[Span]:
    """The newest boundary alone, for what is shown and not judged."""
    at, live = schedule[-1]
    return [Span(start, at, at + 1) for start in live]


def _has_data(bound: BoundSignal, frame: Frame) -> bool:
    """Whether the control (for events: either arm) has shown the signal."""
    name = bound.signal.name
    match bound.signal.kind:
        case Kind.LATENCY:
            return histogram_of(frame.control, name) is not None
        case Kind.EVENTS:
            return name in frame.control.counts or name in frame.canary.counts
        case Kind.RATIO | Kind.RATE:
            return name in frame.control.counts
        case Kind.GAUGE:
            return name in frame.control.gauges


def _wider(counts: FloatArray, rows: int) -> FloatArray:
    """Counts of rows, with nothing for rows that came since."""
    missing = rows - len(counts)
    return np.concatenate([counts, np.zeros(missing)]) if missing > 0 else counts
