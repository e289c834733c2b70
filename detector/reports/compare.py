"""What two reports say differently: which resources run out earlier, later, or are new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from detector.capacity.assessed import Assessment
from detector.capacity.report import Report
from detector.reports.state import State, state_of
from models.baseline.calendar import DAY_MS

__all__ = ["Move", "Moved", "compared"]

# Dates move by so much from one report to the next by chance alone.
_APART_D, _APART_SHARE = 3.0, 0.1
_CHANCE = 0.1
_URGENCY = {State.OUT: 0, State.LIKELY: 1, State.POSSIBLE: 2, State.LASTS: 3}


class Move(StrEnum):
    """How a resource stands in the later report against the earlier, the gravest first.

    `told`: nothing was known of it, and now it is; `lost`: the other way round.
    """

    WORSE = "worse"
    NEW = "new"
    LOST = "lost"
    TOLD = "told"
    BETTER = "better"
    GONE = "gone"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One resource in both reports; `days`: how much later its middle date is, where it has two."""

    move: Move
    before: Assessment | None
    after: Assessment | None
    days: float | None = None

    @property
    def told(self) -> Assessment:
        """The newest that is said of it."""
        found = self.after or self.before
        assert found is not None
        return found


def compared(before: Report, after: Report) -> tuple[Moved, ...]:
    """Each resource of either, what became worse first; of one move as in the later report."""
    old, new = _by_key(before), _by_key(after)
    found = [_moved(old.get(key), one) for key, one in new.items()]
    found += [
        Moved(move=Move.GONE, before=one, after=None) for key, one in old.items() if key not in new
    ]
    order = list(Move)
    return tuple(sorted(found, key=lambda one: order.index(one.move)))


def _by_key(report: Report) -> Mapping[str, Assessment]:
    return {one.identity.key: one for one in report.assessments}


def _moved(before: Assessment | None, after: Assessment) -> Moved:
    if before is None:
        return Moved(move=Move.NEW, before=None, after=after)
    was, now = state_of(before), state_of(after)
    days = _days(before, after)
    if State.UNKNOWN in {was, now}:
        move = Move.SAME if was is now else Move.LOST if now is State.UNKNOWN else Move.TOLD
    elif was is not now:
        move = Move.WORSE if _URGENCY[now] < _URGENCY[was] else Move.BETTER
    else:
        move = _drift(before, after, days)
    return Moved(move=move, before=before, after=after, days=days)


def _drift(before: Assessment, after: Assessment, days: float | None) -> Move:
    """Within one state: by the dates where there are two, else by the chances."""
    if days is not None:
        way = max(_APART_D, _APART_SHARE * _ahead(before))
        return _of(days, way)
    old, new = before.exhaustion, after.exhaustion
    if old is None or new is None or new.since is not None:
        return Move.SAME
    return _of(old.chance - new.chance, _CHANCE)


def _of(better: float, apart: float) -> Move:
    if abs(better) < apart:
        return Move.SAME
    return Move.BETTER if better > 0 else Move.WORSE


def _days(before: Assessment, after: Assessment) -> float | None:
    """None where either has no date, or it has run out already."""
    old, new = before.exhaustion, after.exhaustion
    if old is None or new is None or old.p50 is None or new.p50 is None:
        return None
    if old.since is not None or new.since is not None:
        return None
    return (new.p50 - old.p50) / DAY_MS


def _ahead(of: Assessment) -> float:
    """Days from a report to its date."""
    assert of.exhaustion is not None
    assert of.exhaustion.p50 is not None
    return (of.exhaustion.p50 - of.as_of) / DAY_MS
