"""OOM kills of the canary: they count as restarts, and are told by their own name beside them."""

from __future__ import annotations

from detector.gate.roster import Roster
from detector.series import FloatArray
from detector.signals.plan import ArmName

__all__ = ["KILLED", "KILLED_IN", "Kills"]

KILLED = "oom_killed"
# The signal that they are added to.
KILLED_IN = "restarts"


class Kills:
    """Counts what the further families of the restarts say; bins are taken as they freeze."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._families = {
            roster.index[family]
            for bound in roster.plan.signals
            if bound.signal.name == KILLED_IN
            for family in bound.also
        }
        self._seen = 0.0

    def take(self, counts: FloatArray, first: int) -> None:
        """Counts of all cells, (cells, bins), from bin `first` on; history is not the canary's."""
        if self._families:
            self._seen += float(counts[self._cells(), max(0, -first) :].sum())

    def notes(self) -> dict[str, int]:
        """How many there were, for the frame's notes."""
        killed = round(self._seen)
        return {KILLED: killed} if killed else {}

    def _cells(self) -> list[int]:
        pods, cells = self._roster.pods, self._roster.cells
        return [
            at
            for at, cell in enumerate(cells)
            if cell.family in self._families
            and isinstance(cell.part, tuple)
            and pods[cell.pod].arm is ArmName.CANARY
        ]
