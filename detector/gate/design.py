"""By what an attempt is compared at a moment: beside its control, with its past, or with nothing.

Everything but a control that serves at the same time is a weaker design, and is called so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from detector.gate.history import Recalled
from detector.gate.memory import Memory
from detector.gate.window import STARVED, Window, beside, starving, sums_over
from detector.series import FloatArray
from models.sequential.rows import ROWS, RowName

__all__ = [
    "Design",
    "Elsewhere",
    "Exposures",
    "Standing",
    "without_control",
    "worth_before",
]

_SHORT_S, _SILENT_S = 60.0, 120.0
_PLENTY = 60.0
_ALIVE_S = 120.0


class Design(StrEnum):
    """What a moment is compared with."""

    CONCURRENT = "concurrent"
    EXHAUSTED = "control exhausted"
    HISTORY = "history"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Other services of the cluster at a moment: which were looked at, and which had moved.

    `worse`: those that got worse lately; `errors_up`, `latency_up`: by how much (logs) the worst.
    """

    at: float
    services: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    errors_up: float = 0.0
    latency_up: float = 0.0

    @property
    def strength(self) -> float:
        """The worst of it in units of the harm that a fault of its kind is expected to do."""
        errors, latency = ROWS[RowName.ERROR].scale, ROWS[RowName.LATENCY].scale
        return max(self.errors_up / errors, self.latency_up / latency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The design of a moment, and what it rests on.

    `is_waiting`: bins wait for the memory of the service. `recalled`: what it says, by signal.
    `is_held`: what would be a fail befell the others as well.
    `is_unfair`: the users of a cohort are not the part of all that they were told to be.
    """

    design: Design = Design.CONCURRENT
    is_waiting: bool = False
    memory: Memory | None = None
    recalled: Mapping[str, Recalled] = field(default_factory=dict)
    elsewhere: Elsewhere | None = None
    is_unfair: bool = False
    is_held: bool = False


@dataclass(slots=True)
class Exposures:
    """How many bins the arms served side by side, and whether the newest had no control."""

    beside: int = 0
    alone: int = 0
    is_alone: bool = False
    is_control_there: bool = False

    def take(self, win: Window, begin: int) -> None:
        """Count the window's bins from `begin` on."""
        canary, control = np.add.reduce(win.requests, axis=1), win.control
        theirs, ours = win.lately[begin:].T
        starved = win.starved[begin:] > 0
        shared = (ours >= STARVED * (ours + theirs)) & (control[begin:] > 0) & ~starved
        self.beside += int(np.count_nonzero(shared & (canary[begin:] > 0)))
        self.alone += int(np.count_nonzero(starved))
        self.is_alone = bool(starved[-1]) if len(starved) else self.is_alone
        lately = max(2, round(_ALIVE_S / win.step_s))
        self.is_control_there = bool(win.frame.control.seen[:, -lately:].any())

    def design(self, least: float) -> Design:
        """The design now; `least`: bins side by side that make a control worth waiting for."""
        if not self.is_alone:
            return Design.CONCURRENT
        if self.beside >= least and self.is_control_there:
            return Design.EXHAUSTED
        return Design.HISTORY


def without_control(win: Window) -> FloatArray:
    """Bins (T,) whose control serves under 5 % of the requests, 1 or 0.

    Over five minutes, or over one with many requests if its pods are there and idle, as after a
    switch; a control that says nothing is missed for two minutes, a gap in the scrapes is none.
    """
    there = np.add.reduce(win.frame.control.seen, axis=0)
    served = beside(win.control, np.add.reduce(win.requests, axis=1), there)
    lately, silent = (sums_over(served, s, win.step_s) for s in (_SHORT_S, _SILENT_S))
    many, seen = lately[:, 1] >= _PLENTY, lately[:, 2] > 0
    idle = many & ((starving(lately) & seen) | starving(silent))
    starved: FloatArray = (starving(win.lately) | idle).astype(np.float64)
    return starved


def worth_before(win: Window) -> float:
    """How many pods the control set amounted to before the start: (sum n)^2 / sum n^2, at least 1.

    Whole pods, so that few kernels are made.
    """
    past = max(0, -win.first)
    served = (win.frame.control.requests[:, :past] * win.stable[:past].T).sum(axis=1)
    square = float((served**2).sum())
    return max(1.0, float(np.floor(served.sum() ** 2 / square + 1e-6))) if square > 0 else 1.0
