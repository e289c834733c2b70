"""What the doors took and did not take, counted."""

from __future__ import annotations

import threading
from collections import Counter

from pipelines.ingest.decoded import Decoded

__all__ = ["Tally"]


class Tally:
    """Counts by tenant and door; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.samples: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str, str, str]] = Counter()
        self.dropped: Counter[tuple[str, str, str]] = Counter()
        self.fulls: Counter[tuple[str, str]] = Counter()

    def took(self, tenant: str, door: str, decoded: Decoded) -> None:
        """A message whose samples the sink took."""
        with self._lock:
            self.samples[tenant, door] += len(decoded.columns)
            for reason, count in decoded.refused.counts.items():
                self.refused[tenant, door, reason.value] += count
            for what, count in decoded.dropped.items():
                self.dropped[tenant, door, what.value] += count

    def full(self, tenant: str, door: str) -> None:
        """A message for which there was no room."""
        with self._lock:
            self.fulls[tenant, door] += 1
