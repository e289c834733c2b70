"""What single bursts carried of the evidence: remembered after the windows that showed it went by.

Persistence looks back on some minutes. Where next to nothing is served, no later bin takes back
what an early burst said, and it would stand alone once those minutes are over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from detector.gate.rule import Candidate, Without, persists

__all__ = ["NEAR", "Carried"]

# Evidence is looked at from here on, in logs below what is needed: what a burst carried of less
# than that leaves most of it to be shown by others.
NEAR = -4.0


@dataclass(slots=True)
class _Burst:
    """What the worst window in reach carries, where it begins, and what those out of reach did."""

    share: float = 0.0
    begin: int = 0
    gone: float = 0.0

    def seen(self, log_e: float, without: Without) -> None:
        """The next boundary that was looked at."""
        if self.begin < without.reach:
            self.gone = max(self.gone, self.share)
        self.share, self.begin = max(log_e - without.log_e, 0.0), without.begin


@dataclass(slots=True)
class Carried:
    """By signal, scope and start of one attempt, while the start lives."""

    _bursts: dict[tuple[str, int, int], _Burst] = field(default_factory=dict)

    def persists(self, candidate: Candidate, without: Without) -> bool:
        """Whether no burst carries the verdict, be it in reach or not; boundaries in order."""
        key = candidate.track.name, candidate.scope, candidate.start.index
        burst = self._bursts.setdefault(key, _Burst())
        burst.seen(candidate.log_e, without)
        return persists(min(without.log_e, candidate.log_e - burst.gone), candidate)

    def keep(self, starts: Iterable[int]) -> None:
        """Forget what starts that are over had."""
        live = frozenset(starts)
        for key in [key for key in self._bursts if key[2] not in live]:
            del self._bursts[key]
