"""What controllers told us that happened: the newest of it, in memory, for the timeline."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

__all__ = ["Events", "Happening"]

KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event; `at` is unix seconds, None until it is taken in."""

    namespace: str
    name: str
    kind: str
    phase: str
    text: str
    warns: bool
    at: float | None = None


class Events:
    """The newest events of all rollouts. Safe for threads; a restart forgets them."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: deque[Happening] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def add(self, happening: Happening) -> None:
        """Take one in; a time that lies far from ours is not believed."""
        now = time.time()
        at = happening.at
        if at is None or abs(at - now) > 86_400:
            at = now
        with self._lock:
            self._kept.append(replace(happening, at=at))

    def of(self, namespace: str | None, name: str) -> tuple[Happening, ...]:
        """Those of one rollout, newest first."""
        with self._lock:
            found = [h for h in self._kept if h.name == name and h.namespace == namespace]
        return tuple(sorted(found, key=lambda h: h.at or 0.0, reverse=True))
