"""Which versions of services were seen, kept in memory."""

from __future__ import annotations

from collections.abc import Mapping

from detector.changes.change import Place
from detector.changes.inferred import Known

__all__ = ["MemoryVersions"]


class MemoryVersions:
    """`VersionStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Place, Known]] = {}

    def of(self, tenant: str) -> Mapping[Place, Known]:
        """All services, who was looked at longest ago first."""
        return dict(sorted(self.rows.get(tenant, {}).items(), key=lambda held: held[1].at))

    def keep(self, tenant: str, known: Mapping[Place, Known]) -> None:
        """Keep some."""
        self.rows[tenant] = {**self.rows.get(tenant, {}), **known}

    def prune(self, before: int) -> None:
        """Forget who was not looked at since, unix milliseconds."""
        for tenant, held in self.rows.items():
            self.rows[tenant] = {place: one for place, one in held.items() if one.at >= before}
