"""Ports of incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.incidents.record import IncidentFilter, IncidentPage, KeptIncident, Said
from detector.incidents.symptom import Symptom
from detector.slo.following import Following

__all__ = ["BurnStep", "BurnStore", "IncidentStore"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnStep:
    """How far an objective is followed now, and what became of its burns on the way."""

    service: str
    name: str
    following: Following
    symptoms: tuple[Symptom, ...] = ()


class BurnStore(Protocol):
    """What was told of burns; every method raises `StoreError` when the store fails."""

    def of(self, tenant: str) -> Mapping[tuple[str, str], Following]:
        """By service and name of the objective."""
        ...

    def keep(self, tenant: str, steps: Sequence[BurnStep]) -> None:
        """All at once, with their symptoms for incidents; none where another is as far already."""
        ...
