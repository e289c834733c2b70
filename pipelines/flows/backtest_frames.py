"""Bins of a past rollout: made once from all its samples, shown as far as they were final.

Cutting counters into bins poll by poll is most of what a poll costs. A bin depends on nothing that
came after it was final, so that it may as well be made early; pods that were not there yet are
left out of what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.gate.builder import FrameBuilder
from detector.gate.frame import Arm, Counts, Frame, Histogram, truncated
from detector.gate.presence import pod_of
from detector.gate.session import Session
from detector.series import Answer, FloatArray
from detector.signals.plan import Reading
from pipelines.flows.backtest_tape import HeldSource

__all__ = ["AheadFrames"]

_ROUNDS = 8
# Bins that are not worth a new frame to be rid of.
_SPARE = 40
# Of what was left out only this changes an answer; the other counts are of the whole rollout.
_TOLD = ("incompatible_histograms",)
_NEVER: FloatArray = np.zeros(0)
Flags = NDArray[np.bool_]


class AheadFrames:
    """`Frames` of a session that read each question to the end of the rollout at once.

    Of the gate it then asks for the requests alone, poll by poll, by which the gate knows who is
    there. Where the source warned of holes it goes on asking for all: the gate has to hear that.
    `end` is the end of all samples, unix seconds.
    """

    def __init__(self, session: Session, source: HeldSource, end: float) -> None:
        if not isinstance(session.builder, FrameBuilder):
            raise TypeError("bins are made early of raw samples alone")
        self._frames, self._source, self._end = session.builder, source, end
        self._start, self._step, self._settle = session.start, session.step, session.settle
        self._since = session.start - session.policy.history_s * session.policy.time_scale
        self._requests = session.plan.requests
        self._loaded: set[Reading] = set()
        self._scrapes: dict[str, FloatArray] = {}
        self._appeared: dict[str, int] = {}
        self._top: int | None = None
        self._now, self._due, self._dropped = self._since, 0, self._frames.first
        self._shown: Frame | None = None

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next."""
        found = self._frames.readings()
        if self._top is None or self._source.has_warned:
            return found
        return tuple(one for one in found if one.family == self._requests)

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """The number of bins from 0 on that were final by `now`."""
        if readings:
            return min(self._due, self._top or 0)
        before = self._due if self._top is not None else self._frames.first
        if self._top is None:
            self._top = self._load()
        self._now = now
        self._due = math.floor((now - self._settle - self._start) / self._step)
        self._meet(before)
        self._shown = None
        return min(self._due, self._top)

    def _load(self) -> int:
        for _ in range(_ROUNDS):
            todo = [one for one in self._frames.readings() if one not in self._loaded]
            if not todo:
                break
            queries = [one.query for one in todo]
            found = self._source.read(queries, self._since, self._end, timeout_s=math.inf)
            self._frames.append(todo, found, now=self._since)
            self._loaded.update(todo)
            for one, answer in zip(todo, found, strict=True):
                if one.family == self._requests:
                    self._scraped(answer)
        return self._frames.append((), (), now=self._end)

    def _scraped(self, answer: Answer) -> None:
        """Note when the requests of each pod were scraped."""
        for series in answer.series:
            pod = pod_of(self._requests, series.labels)
            known = self._scrapes.get(pod)
            both = series.times if known is None else np.union1d(known, series.times)
            self._scrapes[pod] = both

    def _meet(self, before: int) -> None:
        """Note from which bin on pods are known that were not there at the last poll.

        What was final before a pod's first sample came knows nothing of it, and never will.
        """
        until = self._start + self._due * self._step + self._settle
        for pod in self._frames.roster.pods:
            if pod.born <= until:
                self._appeared.setdefault(pod.name, before)

    def frame(self) -> Frame:
        """The bins that were final, of the pods that were there."""
        if self._shown is None:
            self._shown = self._until(self._due)
        return self._shown

    def coming(self, bins: int) -> Frame:
        """The bins that were final and some that follow, of the pods that were there."""
        return self._until(self._due + bins)

    def _until(self, end: int) -> Frame:
        cut = truncated(self._frames.frame(), end)
        return replace(
            cut,
            canary=self._arm(cut.canary, cut.first),
            control=self._arm(cut.control, cut.first),
            notes={name: count for name, count in cut.notes.items() if name in _TOLD},
        )

    def _arm(self, arm: Arm, first: int) -> Arm:
        """An arm as it was known: who had come, and since when."""
        there: Flags = np.array([pod in self._appeared for pod in arm.pods], np.bool_)
        known = arm if there.all() else _some(arm, there)
        since = np.array([self._appeared[pod] for pod in known.pods], np.int64)
        unknown: Flags = first + np.arange(known.seen.shape[1]) < since[:, None]
        shown = _without(known, unknown) if unknown.any() else known
        return replace(shown, newest=self._newest(known.pods))

    def _newest(self, pods: Sequence[str]) -> float:
        """When one of them was scraped last."""
        newest = -math.inf
        for pod in pods:
            times = self._scrapes.get(pod, _NEVER)
            count = int(times.searchsorted(self._now, side="right"))
            newest = max(newest, float(times[count - 1]) if count else -math.inf)
        return newest

    def drop_before(self, bin_: int) -> None:
        """Forget bins before `bin_`, now and then."""
        if bin_ - self._dropped > _SPARE:
            self._dropped = bin_
            self._frames.drop_before(bin_)


def _some(arm: Arm, there: Flags) -> Arm:
    """An arm without some of its pods."""
    return replace(
        arm,
        pods=tuple(pod for pod, known in zip(arm.pods, there.tolist(), strict=True) if known),
        born=arm.born[there],
        age=arm.age[there],
        seen=arm.seen[there],
        requests=arm.requests[there],
        counts={k: Counts(n=c.n[there], x=c.x[there]) for k, c in arm.counts.items()},
        histograms={
            k: Histogram(edges=h.edges, counts=h.counts[there]) for k, h in arm.histograms.items()
        },
        gauges={k: gauge[there] for k, gauge in arm.gauges.items()},
    )


def _without(arm: Arm, unknown: Flags) -> Arm:
    """An arm without what scrapes told of bins that were final before a pod was known.

    Requests are not among it: they are counted from the first sample of theirs on.
    """
    return replace(
        arm,
        seen=np.where(unknown, 0.0, arm.seen),
        counts={
            k: Counts(n=np.where(unknown, 0.0, c.n), x=np.where(unknown, 0.0, c.x))
            for k, c in arm.counts.items()
        },
        gauges={k: np.where(unknown, np.nan, gauge) for k, gauge in arm.gauges.items()},
    )
