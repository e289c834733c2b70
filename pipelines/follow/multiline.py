"""Stack traces of several lines become one line of the log that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Joined", "Joiner"]


@dataclass(frozen=True, slots=True)
class Joined:
    """A message, and how many lines it was written in."""

    text: bytes
    lines: int


class Joiner:
    """Joins lines."""

    def __init__(self, *, silence_s: float = 1.0) -> None:
        self._silence_s = silence_s

    def add(self, line: bytes, *, now: float) -> list[Joined]:
        """One more line; what is complete by it."""
        return [Joined(line, 1)]

    def flush(self, *, now: float) -> list[Joined]:
        """What is complete because nothing came for a while."""
        return []

    def end(self) -> list[Joined]:
        """All that is held."""
        return []
