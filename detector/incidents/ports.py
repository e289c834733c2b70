"""Ports of incidents."""

from __future__ import annotations

from typing import Protocol

from detector.incidents.record import IncidentFilter, IncidentPage, KeptIncident, Said

__all__ = ["IncidentStore"]


class IncidentStore(Protocol):
    """Incidents as they are now; every method raises `StoreError` when the store fails."""

    def get(self, tenant: str, id: str) -> KeptIncident:
        """By id; `NotFoundError`."""
        ...

    def list(self, wanted: IncidentFilter) -> IncidentPage:
        """Newest first, one page; `InputError` for a cursor that is none."""
        ...

    def say(self, tenant: str, id: str, said: Said) -> KeptIncident:
        """Keep what a person said, durably; the incident with it. `NotFoundError`."""
        ...
