"""What keeps changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detector.changes.change import Change, ChangeEvent, Place
from detector.changes.inferred import Known
from detector.changes.learned import Learned
from detector.changes.record import ChangeFilter, ChangePage

__all__ = ["ChangeLog", "LearnedStore", "VersionStore"]


class ChangeLog(Protocol):
    """Keeps what senders told, once; every method raises `StoreError` where it fails."""

    def add(self, tenant: str, events: Sequence[ChangeEvent]) -> tuple[Change, ...]:
        """Keep events durably, all or none; the changes that became others by them."""
        ...

    def get(self, tenant: str, id: str) -> Change:
        """By id; `NotFoundError`."""
        ...

    def list(self, wanted: ChangeFilter) -> ChangePage:
        """Newest start first, one page; `InputError` for a cursor that is none."""
        ...


class LearnedStore(Protocol):
    """What was learned of kinds and applied, by tenant; every method raises `StoreError`."""

    def of(self, tenant: str) -> Sequence[Learned]:
        """Every version, the oldest first."""
        ...

    def add(self, tenant: str, learned: Learned) -> None:
        """Keep one durably; `InputError` where another of its number was kept meanwhile."""
        ...


class VersionStore(Protocol):
    """Which versions of services were seen, by tenant; every method raises `StoreError`."""

    def of(self, tenant: str) -> Mapping[Place, Known]:
        """All services, who was looked at longest ago first."""
        ...

    def keep(self, tenant: str, known: Mapping[Place, Known]) -> None:
        """Keep some services as they are known now, all or none."""
        ...
