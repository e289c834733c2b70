"""Where scans are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.scans.scan import Scan

__all__ = ["ScanFilter", "ScanStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFilter:
    """Which scans, newest first; `until`: told at or before, unix milliseconds.

    `service` and `revision` None: of all. `after`: time and id of the last of the page before.
    """

    tenant: str
    service: str | None = None
    revision: str | None = None
    until: int | None = None
    after: tuple[int, str] | None = None
    limit: int = 50


class ScanStore(Protocol):
    """What scanners told, by tenant; every method raises `StoreError`."""

    def add(self, tenant: str, scan: Scan) -> bool:
        """Keep one durably; False where it was kept before, which stays as it was."""
        ...

    def list(self, wanted: ScanFilter) -> Sequence[Scan]:
        """Those that are wanted, newest first."""
        ...
