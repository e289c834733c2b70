"""Two reports side by side, in words."""

from __future__ import annotations

from api.reports.telling import when_text
from api.reports.words import Wall
from detector.capacity.assessed import Assessment
from detector.reports.compare import Move, Moved

__all__ = ["moved_text"]


def moved_text(moved: Moved, wall: Wall) -> str:
    """What is said of a resource now, and what was said before where that was another thing."""
    before, after = moved.before, moved.after
    if after is None:
        return f"not in the later report; was: {_when(before, wall)}"
    now = _when(after, wall)
    match moved.move:
        case Move.NEW:
            return f"new in the later report: {now}"
        case Move.LOST:
            return f"not known any more: {now}; was: {_when(before, wall)}"
        case Move.TOLD:
            return f"known now: {now}"
        case Move.SAME:
            return now
    return f"{now}; {_drift(moved, wall)}"


def _drift(moved: Moved, wall: Wall) -> str:
    days = None if moved.days is None else round(moved.days)
    if not days:
        return f"was: {_when(moved.before, wall)}"
    size = "1 day" if abs(days) == 1 else f"{abs(days)} days"
    return f"{size} {'earlier' if days < 0 else 'later'} than was said"


def _when(told: Assessment | None, wall: Wall) -> str:
    return "nothing" if told is None else when_text(told, wall)
