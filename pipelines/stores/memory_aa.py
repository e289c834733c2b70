"""Self-checks of services, kept in memory."""

from __future__ import annotations

from detector.gate.aa import AaResult, Scope

__all__ = ["MemoryAa"]


class MemoryAa:
    """`AaStore`."""

    def __init__(self) -> None:
        self.rows: list[AaResult] = []

    def save(self, result: AaResult) -> None:
        """Keep one."""
        self.rows.append(result)

    def newest(self, scope: Scope, *, until: float) -> AaResult | None:
        """The last one by then."""
        known = [row for row in self.rows if row.scope == scope and row.at <= until]
        return max(known, key=lambda row: row.at, default=None)
