"""Changes by service and by time, to find those that may have caused an incident."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping

from detector.changes.change import Change

__all__ = ["Changes"]


class Changes:
    """An index over some changes, `of`, made once."""

    def __init__(self, of: Mapping[str, Change]) -> None:
        self.of = of
        self._ordered = sorted(of.values(), key=lambda change: change.started_at)
        self._starts = [change.started_at for change in self._ordered]
        self._by_service: dict[str, list[Change]] = {}
        for change in self._ordered:
            self._by_service.setdefault(change.place.service, []).append(change)

    def near(self, services: Collection[str], *, since: int, lately: int) -> list[Change]:
        """Those of some services from `since` on, and those of all others from `lately` on."""
        near = [
            change
            for service in services
            for change in self._by_service.get(service, ())
            if change.started_at >= since
        ]
        others = self._ordered[bisect_left(self._starts, lately) :]
        return near + [change for change in others if change.place.service not in services]
