"""A sink of spans that keeps all of them in memory, and can be full or broken on demand."""

from __future__ import annotations

import threading

from detector.errors import StoreError
from detector.spans.columns import Spans

__all__ = ["MemorySpanSink"]


class MemorySpanSink:
    """Keeps what was put; while `is_full` it refuses, while `is_down` it fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_full = False
        self.is_down = False
        self.refusals = 0
        self.batches: dict[str, list[Spans]] = {}

    def put(self, tenant: str, spans: Spans) -> bool:
        """Keep the batch."""
        if self.is_down:
            raise StoreError("the disk is full")
        with self._lock:
            if self.is_full:
                self.refusals += 1
                return False
            self.batches.setdefault(tenant, []).append(spans)
        return True

    def count(self, tenant: str = "default") -> int:
        """How many spans a tenant has put."""
        return sum(map(len, self.batches.get(tenant, ())))
