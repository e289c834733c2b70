"""Which signals of an attempt are judged: each joins once its data have appeared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from detector.gate.bases import Bases
from detector.gate.build import build_track, histogram_of, shares_of
from detector.gate.cohort import of_groups
from detector.gate.ensemble import Ensemble
from detector.gate.frame import Frame
from detector.gate.policy import Policy
from detector.gate.track import Track
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind

__all__ = ["Cast"]


@dataclass(slots=True)
class Cast:
    """The tracks by name, in the order of the plan; each is part of an ensemble.

    `bases` reads what their bins say; `ensembles` are those with cold starts, and those without.
    """

    plan: Plan
    policy: Policy
    tracks: dict[str, Track] = field(default_factory=dict)
    ensembles: dict[bool, Ensemble] = field(default_factory=dict)
    bases: Bases = field(default_factory=Bases)
    _tried: set[str] = field(default_factory=set)
    _shares: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self._shares = shares_of(self.plan, self.policy)

    def find(self, frame: Frame, parts: Mapping[str, float] | None = None) -> None:
        """Build the tracks of signals whose data have appeared; each is tried once.

        `parts`: of which share only a part is for the signal as a whole.
        """
        found: list[Track] = []
        for bound in self.plan.signals:
            if bound.signal.name not in self._tried and _has_data(bound, frame):
                self._tried.add(bound.signal.name)
                track = self._track(bound, frame, (parts or {}).get(bound.signal.name, 1.0))
                found += [] if track is None else [track]
        self.tracks |= {track.name: track for track in found}
        # Those that are only shown last: long runs of boundaries are read of the judged alone.
        self._join(sorted(found, key=lambda track: not track.judged))

    def _track(self, bound: BoundSignal, frame: Frame, part: float) -> Track | None:
        """The track of a signal, None where it cannot be judged."""
        edges = None
        if bound.signal.kind is Kind.LATENCY:
            edges = self.bases.fix_edges(frame, bound.signal.name)
        weight = part * self._shares[bound.signal.name]
        track = build_track(bound, frame, self.policy, weight, edges)
        if track is None or self.plan.cohort is None:
            return track
        learned = of_groups(track.learned, on_counts=track.on_counts)
        return replace(track, learned=learned, grace=False)

    def _join(self, tracks: Sequence[Track]) -> None:
        """Put new tracks beside those whose rows have cold starts as theirs have."""
        for cold in (True, False):
            new = [t for t in tracks if (len(t.learned.row.templates) > 1) is cold]
            if new and cold in self.ensembles:
                self.ensembles[cold].add(new)
            elif new:
                self.ensembles[cold] = Ensemble(new)


def _has_data(bound: BoundSignal, frame: Frame) -> bool:
    """Whether the control (for events: either arm) has shown the signal."""
    name = bound.signal.name
    match bound.signal.kind:
        case Kind.LATENCY:
            return histogram_of(frame.control, name) is not None
        case Kind.EVENTS if bound.apart:
            return name in frame.control.counts
        case Kind.EVENTS:
            return name in frame.control.counts or name in frame.canary.counts
        case Kind.RATIO | Kind.RATE:
            return name in frame.control.counts
        case Kind.GAUGE:
            return name in frame.control.gauges
