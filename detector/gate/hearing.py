"""Log lines of single templates as evidence: each is heard from when it stands out on the canary.

What was counted of it before is read again then, so that its evidence is that of all bins since
each start that they reach back to; to earlier starts it has none. Which templates are heard at a
boundary follows from the bins before it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detector.gate.build import shares_of, template_track
from detector.gate.contrast import Pair, count_bases
from detector.gate.ensemble import Ensemble
from detector.gate.excess import Excess, look_back
from detector.gate.frame import Arm, Frame
from detector.gate.policy import Policy
from detector.gate.schedule import Move, Schedule
from detector.gate.track import Base, Beginning, Track
from detector.gate.vocabulary import Vocabulary
from detector.gate.window import Window
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Plan
from models.sequential.warmup import GRACE_S

__all__ = ["Hearing"]

# Templates heard at once: a service that fails in more ways than these fails in one of them. One
# more takes the place of that which is written least by now, if it is written twice as often.
_AT_ONCE, _MORE = 24, 2.0
# A template that has not stood out for so long is heard no more, until it does again.
_QUIET_S = 600.0


@dataclass(slots=True)
class _Stint:
    """One template while it is heard: bins from `first` on count, boundaries from `since` on.

    `stood`: the newest bin at which it stood out. `until`: the bin it is dropped at. `is_new`:
    nothing was summed yet.
    """

    kind: str
    ensemble: Ensemble
    first: int
    since: int
    stood: int
    until: float = np.inf
    is_new: bool = True

    def lived(self, schedule: Schedule, first: int, moved: int) -> Schedule:
        """Its own boundaries and starts, of a schedule that begins with bin `first`.

        `moved`: how many bins earlier its own sums begin.
        """
        own = [
            (index + moved, tuple([s for s in live if s.bin >= self.first]))
            for index, live in schedule
            if self.since <= first + index < self.until
        ]
        return [(index, live) for index, live in own if live]


@dataclass(slots=True)
class Hearing:
    """The templates of one attempt; nothing where its plan counts no lines."""

    plan: Plan
    policy: Policy
    vocabulary: Vocabulary | None = None
    _bound: BoundSignal | None = field(init=False)
    _share: float = field(init=False, default=0.0)
    _stints: dict[str, _Stint] = field(default_factory=dict)
    _begun: list[tuple[int, Beginning]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bound = next((one for one in self.plan.signals if one.apart), None)
        if self._bound is not None:
            self._share = shares_of(self.plan, self.policy)[self._bound.signal.name]

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """What is heard now."""
        return tuple(stint.ensemble for stint in self._stints.values())

    @property
    def parts(self) -> dict[str, float]:
        """Which part of its share the signal of all lines together has."""
        if self._bound is None or self.vocabulary is None:
            return {}
        return {self._bound.signal.name: self.vocabulary.whole}

    def learn(self, frame: Frame) -> None:
        """Take note of what was written before the start; once."""
        if self._bound is None or self.vocabulary is not None or frame.lines is None:
            return
        counts = frame.control.counts.get(self._bound.signal.name)
        self.vocabulary = Vocabulary.of(frame.lines, counts, frame, self.policy.time_scale)

    def advance(
        self, win: Window, begin: int, schedule: Schedule, beginnings: Sequence[Beginning]
    ) -> list[Move]:
        """Hear the window's bins from index `begin` on."""
        bound, vocabulary = self._bound, self.vocabulary
        if bound is None or vocabulary is None:
            return []
        self._note(win, begin, beginnings)
        gone = self._follow(Excess.of(win, begin, bound.signal.name, vocabulary), win, begin)
        every = [*gone, *self._stints.values()]
        moves = [self._move(stint, win, begin, schedule) for stint in every]
        return [move for move in moves if move.schedule]

    def _note(self, win: Window, begin: int, beginnings: Sequence[Beginning]) -> None:
        """Remember the starts that a template can be read back to."""
        oldest = win.first + begin - look_back(win.step_s)
        known = [(bin_, one) for bin_, one in self._begun if bin_ >= oldest]
        self._begun = known + [(win.first + begin + one.index, one) for one in beginnings]

    def _follow(self, excess: Excess, win: Window, begin: int) -> list[_Stint]:
        """Bin by bin, whom to listen to; gives those that were dropped on the way."""
        back, quiet = look_back(win.step_s), round(_QUIET_S / win.step_s)
        gone: list[_Stint] = []
        for index, stands in enumerate(excess.stands):
            bin_ = win.first + begin + index
            silent = [s for s in self._stints.values() if bin_ - s.stood > quiet]
            gone += [self._dropped(stint, bin_) for stint in silent]
            lines = dict(zip(excess.kinds, excess.lines[index].tolist(), strict=True))
            standing = [kind for kind, stood in zip(excess.kinds, stands, strict=True) if stood]
            for kind in sorted(standing, key=lambda one: -lines[one]):
                gone += self._stand(kind, bin_, max(0, bin_ - back), lines)
        return gone

    def _dropped(self, stint: _Stint, bin_: int) -> _Stint:
        stint.until = bin_
        return self._stints.pop(stint.kind)

    def _stand(
        self, kind: str, bin_: int, first: int, lines: Mapping[str, float]
    ) -> Iterator[_Stint]:
        """A template stands out at the end of a bin; gives the one whose place it takes."""
        stint = self._stints.get(kind)
        if stint is not None:
            stint.stood = bin_
            return
        if len(self._stints) >= _AT_ONCE:
            least = min(self._stints.values(), key=lambda s: (lines.get(s.kind, 0.0), s.kind))
            if lines[kind] < _MORE * lines.get(least.kind, 0.0):
                return
            yield self._dropped(least, bin_)
        ensemble = Ensemble([self._track(kind)], first)
        self._stints[kind] = _Stint(kind, ensemble, first, bin_, bin_)

    def _track(self, kind: str) -> Track:
        assert self._bound is not None
        assert self.vocabulary is not None
        weight = self._share * self.vocabulary.part(kind)
        past, is_new = self.vocabulary.past(kind), not self.vocabulary.is_known(kind)
        return template_track(self._bound, self.policy, kind, weight, past, is_new=is_new)

    def _move(self, stint: _Stint, win: Window, begin: int, schedule: Schedule) -> Move:
        """Add the bins that are new to a template."""
        at = max(0, stint.first - win.first) if stint.is_new else begin
        stint.is_new = False
        starts = [
            replace(one, index=bin_ - win.first - at)
            for bin_, one in self._begun
            if bin_ >= max(stint.first, win.first + at)
        ]
        (track,) = stint.ensemble.tracks
        grace = np.full((len(win.requests) - at, win.count), GRACE_S)
        bases = {track.name: self._base(track, win, at)}
        moved_on = stint.ensemble.advance(bases, win, at, grace, starts)
        own = stint.lived(schedule, win.first + begin, begin - at)
        return Move(stint.ensemble, moved_on, at, own)

    def _base(self, track: Track, win: Window, begin: int) -> Base:
        """What bins say of a template; nothing where no control serves beside the canary."""
        lines, vocabulary = win.frame.lines, self.vocabulary
        assert lines is not None
        assert vocabulary is not None
        kinds = [vocabulary.kind(one) for one in lines.templates]
        places = frozenset(at for at, kind in enumerate(kinds) if kind == track.template)
        ours, theirs = (
            self._pair(arm, lines.of(places, len(arm.pods), canary=canary))
            for arm, canary in ((win.frame.canary, True), (win.frame.control, False))
        )
        (base,) = count_bases([track.learned], win, [ours], [theirs], begin)
        alone = win.starved[begin:] > 0
        if not alone.any():
            return base
        return replace(base, log_l=np.where(alone[:, None, None], 0.0, base.log_l))

    def _pair(self, arm: Arm, lines: FloatArray) -> Pair:
        """Requests of the time in which logs were read, and lines; nothing where none were."""
        assert self._bound is not None
        counts = arm.counts.get(self._bound.signal.name)
        return (np.zeros_like(lines), lines) if counts is None else (counts.n, lines)
