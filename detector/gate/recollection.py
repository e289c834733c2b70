"""What one attempt remembers: waits for the memory of the service, then judges lone bins by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detector.gate.design import (
    Design,
    Elsewhere,
    Exposures,
    Standing,
    without_control,
    worth_before,
)
from detector.gate.frame import Frame
from detector.gate.history import Recalled, lately_of, rebased, recalled
from detector.gate.memory import AFTER_S, Memory
from detector.gate.policy import Policy
from detector.gate.rule import Candidate
from detector.gate.stand_in import has_served, promised, remembered
from detector.gate.track import Base, Track
from detector.gate.window import STARVED, Window
from detector.series import FloatArray
from detector.signals.plan import Plan
from models.sequential.rows import RowName

__all__ = ["Recollection"]

# A promise has no pods that could differ.
_PROMISE = 100.0
# What is more than twice as bad here as the worst elsewhere is not the cluster's: an outage is not.
_SHARED = 0.5


@dataclass(slots=True)
class Recollection:
    """The memory of an attempt's service, and how its bins without a control stand to it.

    `worth`: how many pods the control amounted to before the start. `is_waiting`: bins cannot be
    judged before the memory is told. `step`: seconds of a bin.
    """

    policy: Policy
    step: float
    memory: Memory | None = None
    elsewhere: Elsewhere | None = None
    is_waiting: bool = False
    is_absolute: bool = False
    worth: float | None = None
    exposures: Exposures = field(default_factory=Exposures)
    _recalled: dict[str, Recalled | None] = field(default_factory=dict)
    _never_served: bool = False
    _shaken: float = 0.0
    _shaken_to: int = -1
    _alone_since: int | None = None

    @property
    def is_alone(self) -> bool:
        """Whether the newest bin had no control."""
        return self.exposures.is_alone

    def recall(self, memory: Memory) -> None:
        """Remember; told again nothing changes, or an answer would depend on who asked when."""
        self.memory = self.memory or memory
        self.is_waiting = False

    def look(self, elsewhere: Elsewhere, bin_: int) -> None:
        """How other services are at a bin; what was seen in an incident is not believed later."""
        self.elsewhere = elsewhere
        if elsewhere.strength > 0:
            self._shaken_to = bin_
            self._shaken = max(self._shaken, elsewhere.strength)

    def leans(self, candidate: Candidate, win: Window) -> bool:
        """Whether evidence rests on the past, or on a promise, in place of a control.

        Right after a switch the control is still taken for one, though it hardly serves any more.
        """
        if candidate.track.learned.row.name is RowName.EVENTS:
            return False
        at = candidate.bin - win.first
        lately = slice(max(0, at - 1), at + 1)
        ours, theirs = win.requests[lately].sum(), win.control[lately].sum()
        return bool(win.starved[at] > 0 or theirs < STARVED * (ours + theirs))

    def excuses(self, candidate: Candidate) -> bool:
        """Whether evidence reaches into an incident of the others that was half as bad or worse."""
        harm = candidate.effect / candidate.track.learned.row.scale
        return candidate.start.bin <= self._shaken_to and self._shaken >= _SHARED * harm

    def arranged(self, win: Window) -> Window:
        """The window with its lone bins marked; there the control is worth what it once was."""
        if self.worth is None:
            self.worth = worth_before(win)
        starved = self._aged(without_control(win), win)
        worth = _PROMISE if self.is_absolute else self.worth
        return replace(win, starved=starved, effective=np.where(starved > 0, worth, win.effective))

    def _aged(self, starved: FloatArray, win: Window) -> FloatArray:
        """Lone bins by how old the past is that stands in: what wanders is further off each hour.

        How far off was learned of the half hour after; variance grows as that of a random walk.
        """
        alone = np.flatnonzero(starved)
        if not len(alone):
            return starved
        if self._alone_since is None:
            self._alone_since = win.first + int(alone[0])
        age = (np.arange(len(starved)) + win.first - self._alone_since + 1) * win.step_s
        return starved * (1.0 if self.is_absolute else np.maximum(age / AFTER_S, 1.0))

    def ready(self, win: Window, begin: int) -> int:
        """How many of the window's bins from `begin` on can be judged with what is known."""
        alone = np.flatnonzero(win.starved[begin:] > 0)
        if self.memory is not None or not len(alone):
            return len(win.starved) - begin
        self.is_waiting = alone[0] == 0
        return int(alone[0])

    def teaching(self, frame: Frame, plan: Plan) -> Frame | None:
        """The frame that tracks are built from; None while nobody can teach them.

        Where the control never served it is what is remembered, else what was promised.
        """
        if has_served(frame.control):
            return frame
        if self.memory is None:
            return None
        found = remembered(frame, plan, self.memory)
        self._never_served = True
        if found is None:
            found = promised(frame, plan, self.policy)
            self.is_absolute = found is not None
        return found

    def applied(
        self,
        tracks: Sequence[Track],
        bases: Mapping[str, Base],
        win: Window,
        begin: int,
        edges: FloatArray | None,
    ) -> dict[str, Base]:
        """The bases with lone bins read against what is remembered; unknown says nothing."""
        self.exposures.take(win, begin)
        starved = win.starved[begin:]
        if self.memory is None or not starved.any():
            return dict(bases)
        return {t.name: self._of(t, bases[t.name], win, begin, edges) for t in tracks}

    def _of(
        self, track: Track, base: Base, win: Window, begin: int, edges: FloatArray | None
    ) -> Base:
        if track.learned.row.name is RowName.EVENTS:
            return base
        starved = win.starved[begin:]
        said = self._said(track, win, begin, edges)
        return (
            _silent(base, starved)
            if said is None
            else rebased(track.learned, said, base, starved, edges)
        )

    def _said(
        self, track: Track, win: Window, begin: int, edges: FloatArray | None
    ) -> Recalled | None:
        """What the past says of a signal, made out at its first bin without a control."""
        if track.name not in self._recalled:
            assert self.memory is not None
            alone = begin + int(np.argmax(win.starved[begin:] > 0))
            lately = None if self._never_served else lately_of(track, win, alone, edges)
            at = self.memory.at + (win.first + alone) * win.frame.step
            said = recalled(track, self.memory, edges, lately, at)
            self._recalled[track.name] = said
            if said is not None:
                track.scorer.remember(said.before)
        return self._recalled[track.name]

    def standing(self, *, is_unfair: bool = False, is_held: bool = False) -> Standing:
        """What the attempt is compared with now."""
        least = self.policy.min_step_s * self.policy.time_scale / self.step
        design = self.exposures.design(least)
        if self.is_absolute and design is not Design.CONCURRENT:
            design = Design.ABSOLUTE
        return Standing(
            design=design,
            is_waiting=self.is_waiting,
            memory=self.memory,
            recalled={name: one for name, one in self._recalled.items() if one is not None},
            elsewhere=self.elsewhere,
            is_unfair=is_unfair,
            is_held=is_held,
        )


def _silent(base: Base, starved: FloatArray) -> Base:
    """Nothing is said in lone bins."""
    alone = starved > 0
    return replace(
        base,
        log_l=np.where(alone[:, None, None], 0.0, base.log_l),
        weight=np.where(alone, 0.0, base.weight),
    )
