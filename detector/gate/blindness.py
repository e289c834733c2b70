"""Our own blindness: since when what we see by is silent or broken, and when that is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.gate.words import duration

__all__ = ["AFTER_S", "Blind", "Blindness"]

# A restart of a source, or of us, wakes nobody.
AFTER_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Something to be told of one thing that serinus sees by; `at` and `since` are unix seconds."""

    what: str
    since: float
    at: float
    why: str
    is_over: bool

    @property
    def title(self) -> str:
        """In a few words."""
        return f"serinus {'sees again' if self.is_over else 'is blind'}: {self.what}"

    @property
    def text(self) -> str:
        """In a sentence."""
        lasted = duration(self.at - self.since)
        if self.is_over:
            return f"It works again, after {lasted}."
        return f"For {lasted} now: {self.why}"


@dataclass(slots=True)
class Blindness:
    """What is broken since when, and of what that was told."""

    since: dict[str, float] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def looked(self, found: Mapping[str, str], now: float) -> list[Blind]:
        """What is to be told, by why each does not work (empty: it does), at unix seconds."""
        news = [self._of(what, why, now) for what, why in found.items()]
        return [one for one in news if one is not None]

    def _of(self, what: str, why: str, now: float) -> Blind | None:
        if not why:
            since = self.since.pop(what, now)
            was_told = what in self.told
            self.told.discard(what)
            over = Blind(what=what, since=since, at=now, why="", is_over=True)
            return over if was_told else None
        since = self.since.setdefault(what, now)
        if what in self.told or now - since < AFTER_S:
            return None
        self.told.add(what)
        return Blind(what=what, since=since, at=now, why=why, is_over=False)
