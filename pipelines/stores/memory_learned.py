"""What was learned of kinds of changes and applied, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from detector.changes.learned import Learned
from detector.errors import InputError

__all__ = ["MemoryLearned"]


class MemoryLearned:
    """`LearnedStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Learned]] = {}
        self._lock = threading.Lock()

    def of(self, tenant: str) -> Sequence[Learned]:
        """Every version, the oldest first."""
        return tuple(self.rows.get(tenant, ()))

    def add(self, tenant: str, learned: Learned) -> None:
        """Keep one, as the next."""
        with self._lock:
            rows = self.rows.setdefault(tenant, [])
            if learned.version != len(rows) + 1:
                raise InputError(
                    "somebody applied something else meanwhile: look at it anew", field="version"
                )
            rows.append(learned)
