"""From when on evidence is summed: the starts that live at each new boundary of an attempt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from detector.gate.ensemble import Advance, Ensemble
from detector.gate.rule import Span
from detector.gate.share import Weights
from detector.gate.track import Beginning
from detector.gate.window import Window
from models.sequential.shares import Start, StartClock
from models.sequential.warmup import SETTLED_S

__all__ = ["Move", "Schedule", "newest_of", "scheduled"]

# The live starts after each of the new bins.
Schedule: TypeAlias = Sequence[tuple[int, tuple[Start, ...]]]


@dataclass(frozen=True, slots=True)
class Move:
    """New sums of an ensemble from window bin `begin` on, with the boundaries that are read."""

    ensemble: Ensemble
    advance: Advance
    begin: int
    schedule: Schedule


def scheduled(
    clock: StartClock, weights: Weights, told: Collection[int], win: Window, begin: int
) -> tuple[Schedule, list[Beginning]]:
    """Live starts after each bin from `begin` on, and those that begin among them.

    `told`: bins in which a told weight becomes the exposure.
    """
    canary, control = win.requests.sum(axis=1), win.control
    schedule: list[tuple[int, tuple[Start, ...]]] = []
    beginnings = []
    for index, at in enumerate(range(begin, len(canary))):
        bin_, unix = win.first + at, win.frame.start + (win.first + at) * win.frame.step
        step = bin_ in told or weights.seen_step(bin_, unix, canary[:at], control[:at], win.step_s)
        start = clock.begin(bin_, step=step)
        if start is not None:
            beginnings.append(_beginning(win, start, index, at))
        schedule.append((index, clock.live))
    return schedule, beginnings


def _beginning(win: Window, start: Start, index: int, at: int) -> Beginning:
    """A start before window bin `at`, with the rows known then and whether all are settled."""
    known = ~np.isnan(win.age[:at]).all(axis=0) if at else np.zeros(win.count, dtype=np.bool_)
    rows = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    settled = bool(np.all(win.age[at - 1, :rows] > SETTLED_S)) if at else False
    return Beginning(start, index, rows, settled)


def newest_of(schedule: Schedule) -> list[Span]:
    """The newest boundary alone, for what is shown and not judged."""
    at, live = schedule[-1]
    return [Span(start, at, at + 1) for start in live]
