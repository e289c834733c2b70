"""What the doors took and did not take, counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.ingest.decoded import Refused

__all__ = ["Taken", "Tally"]


class Taken(Protocol):
    """What a door made of a message, in numbers: samples or lines, and those it refused."""

    @property
    def taken(self) -> int:
        """How many are taken."""
        ...

    @property
    def refused(self) -> Refused:
        """Those that are not."""
        ...

    @property
    def dropped(self) -> Mapping[Any, int]:
        """What else is told of the message, by an Enum."""
        ...


class Tally:
    """Counts by tenant and door; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str, str, str]] = Counter()
        self.dropped: Counter[tuple[str, str, str]] = Counter()
        self.fulls: Counter[tuple[str, str]] = Counter()

    def took(self, tenant: str, door: str, decoded: Taken) -> None:
        """A message of which the sink took what is taken."""
        with self._lock:
            self.taken[tenant, door] += decoded.taken
            for reason, count in decoded.refused.counts.items():
                self.refused[tenant, door, reason.value] += count
            for what, count in decoded.dropped.items():
                self.dropped[tenant, door, what.value] += count

    def full(self, tenant: str, door: str) -> None:
        """A message for which there was no room."""
        with self._lock:
            self.fulls[tenant, door] += 1
