"""The running judgement of one attempt, advanced bin by bin as raw samples arrive.

The answer at a moment is a function of the samples up to it by their own times: a bin is final at
its end plus `settle`, every boundary is judged once, and polling enters no formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from detector.gate.builder import FrameBuilder
from detector.gate.cast import Cast
from detector.gate.cohort import as_groups, is_unfair
from detector.gate.design import Elsewhere
from detector.gate.failing import Failing
from detector.gate.foresight import Ahead, Foresight
from detector.gate.frame import Frame, truncated
from detector.gate.hearing import Hearing
from detector.gate.judgement import FirstFail, Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.present import Present, describe
from detector.gate.recollection import Recollection
from detector.gate.request import Stage
from detector.gate.rule import Board
from detector.gate.schedule import Move, scheduled
from detector.gate.share import Weights
from detector.gate.track import Track
from detector.gate.window import Rows, Window, window
from detector.series import Answer, FloatArray
from detector.signals.plan import BoundSignal, Plan, Reading
from detector.signals.signal import Kind, Unit
from models.sequential.shares import StartClock
from models.sequential.warmup import GRACE_S

__all__ = ["Frames", "Session"]

_BIN_S = 15.0
_SETTLE_BINS, _SETTLE_S = 1.34, 5.0
_CHUNK = 64
# Bins of a past rollout that are read at once, while it goes on poll by poll.
_AHEAD = 24
# Trailing bins that rules look at: 1200 s of reference, 600 s of persistence.
_RETAIN_S = 2100.0
_CRASH_LOOP = 2.0


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
        self.cast = Cast(plan, policy)
        self.hearing = Hearing(plan, policy)
        self.foresight: Foresight | None = None
        self._ahead: Ahead | None = None
        self.past = Recollection(policy, self.step)
        self.failing = Failing(plan, policy, start, self.past)
        self.done = self._top = 0
        self._restarts = np.zeros(0)
        self._window: Window | None = None
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
        return self.past.is_alone or self.wants_witness

    @property
    def wants_witness(self) -> bool:
        """Whether a fail by the past waits for how other services are at this moment."""
        return self.failing.is_unwitnessed

    def recall(self, memory: Memory) -> None:
        """What the service did before; told once, bins that waited for it are judged now."""
        self.past.recall(memory)
        self._catch_up()

    def look(self, elsewhere: Elsewhere) -> None:
        """How other services of the cluster are; the newest counts."""
        self.past.look(elsewhere, int((elsewhere.at - self.start) // self.step))
        self.failing.witness()

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
                ensembles=(*self.cast.ensembles.values(), *self.hearing.ensembles),
                live=self.clock.live,
                done=self.done,
                first_fail=None if self.wants_witness else self.first_fail,
                failed=None if self.wants_witness else self.failing.found,
                burst=self.failing.burst,
                incompatible=self.cast.bases.incompatible,
                rows=tuple(self.rows.names),
                edges=self.cast.bases.edges,
                told=self.weights.newest_step(self.start, self.step, as_of=as_of),
                standing=self.past.standing(
                    is_unfair=self._is_unfair(self._recent()), is_held=self.failing.is_held
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
        every = (*self.cast.ensembles.values(), *self.hearing.ensembles)
        return sum(ensemble.nbytes for ensemble in every)

    @property
    def tracks(self) -> dict[str, Track]:
        """The signals that are judged or shown, by name."""
        return self.cast.tracks

    @property
    def boards(self) -> dict[str, Board]:
        """Evidence of each signal at the newest boundary."""
        read = self.failing.boards
        heard = (track.name for one in self.hearing.ensembles for track in one.tracks)
        return {name: read[name] for name in (*self.tracks, *heard) if name in read}

    @property
    def first_fail(self) -> FirstFail | None:
        """The first fail of the attempt, which stands."""
        return self.failing.first

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
        ahead = self._foreseen(frame, begin)
        win = self._arrange(frame, begin) if ahead is None else ahead.window(frame)
        ready = self.past.ready(win, begin)
        if ready < end - self.done:
            if ready:
                self._advance(self.done + ready)
            return
        taught = self.past.teaching(frame, self.plan)
        self.hearing.learn(frame)
        if taught is not None:
            self.cast.find(taught, self.hearing.parts)
        told = self.weights.told_steps(self.start, self.step)
        schedule, beginnings = scheduled(self.clock, self.weights, told, win, begin)
        grace = self._grace(win, begin)
        tracks = tuple(self.cast.tracks.values())
        read = self.cast.bases
        made = (
            read.of(tracks, win, begin)
            if ahead is None
            else ahead.bases(read, tracks, begin, len(win.requests))
        )
        bases = self.past.applied(tracks, made, win, begin, read.edges)
        moves = [
            Move(one, one.advance(bases, win, begin, grace, beginnings), begin, schedule)
            for one in self.cast.ensembles.values()
        ]
        moves += self.hearing.advance(win, begin, schedule, beginnings)
        self.failing.look(moves, win, is_unfair=self._is_unfair(win))
        for move in moves:
            move.ensemble.keep(move.advance, self.clock.live, win.step_s)
        self.done = end
        self._window = win
        self.builder.drop_before(self.done - round(_RETAIN_S / win.step_s))

    def _foreseen(self, frame: Frame, begin: int) -> Ahead | None:
        """What the frame is a beginning of; None where nobody knows what comes."""
        if self.foresight is None:
            return None
        known, is_absolute = self._ahead, self.past.is_absolute
        if known is not None and known.is_absolute is is_absolute and known.covers(frame, begin):
            return known
        win = self._arrange(self.foresight.coming(_AHEAD), begin)
        self._ahead = Ahead(win, begin, is_absolute)
        return self._ahead if self._ahead.covers(frame, begin) else None

    def _grace(self, win: Window, begin: int) -> FloatArray:
        """Seconds a young pod is not judged, (T, P); none in a crash loop."""
        bound = next((b for b in self.plan.signals if _counts_restarts(b)), None)
        grace = np.full((len(win.requests) - begin, win.count), GRACE_S)
        counts = win.frame.canary.counts.get(bound.signal.name) if bound else None
        self._restarts = _wider(self._restarts, win.count)
        if counts is None:
            return grace
        seen = self._restarts + np.cumsum(win.canary(counts.x, begin), axis=0)
        self._restarts = seen[-1]
        return np.where(seen >= _CRASH_LOOP, 0.0, grace)


def _counts_restarts(bound: BoundSignal) -> bool:
    return bound.signal.kind is Kind.EVENTS and not bound.apart


def _wider(counts: FloatArray, rows: int) -> FloatArray:
    """Counts of rows, with nothing for rows that came since."""
    missing = rows - len(counts)
    return np.concatenate([counts, np.zeros(missing)]) if missing > 0 else counts
