"""Bins that are known before they are final: what they say by themselves is made out for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from detector.gate.bases import Bases
from detector.gate.frame import Frame
from detector.gate.track import Base, Track
from detector.gate.window import Window
from detector.series import FloatArray

__all__ = ["Ahead", "Foresight"]


class Foresight(Protocol):
    """Frames whose later bins are known: of a rollout that is past."""

    def coming(self, bins: int) -> Frame:
        """The final bins and, as they will be if nobody else comes, some that follow."""
        ...


@dataclass(slots=True)
class Ahead:
    """A window with bins still to come, and what they say from index `begin` on.

    No bin depends on a later one, so that any of its beginnings is as if it had been made alone.
    `is_absolute`: whether a promise stood in for a control that was never there.
    """

    win: Window
    begin: int
    is_absolute: bool
    _tracks: tuple[Track, ...] = ()
    _bases: dict[str, Base] = field(default_factory=dict)

    def covers(self, frame: Frame, begin: int) -> bool:
        """Whether a frame is a beginning of it, with bins from `begin` on that are new to it."""
        own = self.win.frame
        return (
            own.first == frame.first
            and self.begin <= begin
            and frame.bins <= own.bins
            and own.canary.pods == frame.canary.pods
            and own.control.pods == frame.control.pods
        )

    def window(self, frame: Frame) -> Window:
        """The window of a frame that it covers."""
        win, keep = self.win, slice(frame.bins)
        return replace(
            win,
            frame=frame,
            requests=win.requests[keep],
            age=win.age[keep],
            load=win.load[keep],
            stable=win.stable[keep],
            control=win.control[keep],
            effective=win.effective[keep],
            lately=win.lately[keep],
            starved=win.starved[keep],
        )

    def bases(self, read: Bases, tracks: Sequence[Track], begin: int, end: int) -> dict[str, Base]:
        """What the bins `begin .. end - 1` (indices) say of each track."""
        if [id(track) for track in tracks] != [id(track) for track in self._tracks]:
            self._tracks = tuple(tracks)
            self._bases = read.of(tracks, self.win, self.begin)
        part = slice(begin - self.begin, end - self.begin)
        return {name: _part(base, part) for name, base in self._bases.items()}


def _part(base: Base, part: slice) -> Base:
    """Some of its bins."""
    allowed: FloatArray | None = base.allowed
    return Base(
        log_l=base.log_l[part],
        weight=base.weight[part],
        incident=base.incident[part],
        ours=base.ours[part],
        theirs=base.theirs[part],
        allowed=None if allowed is None else allowed[part],
    )
