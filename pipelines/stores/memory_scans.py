"""What security scanners found, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence

from detector.scans.ports import ScanFilter
from detector.scans.scan import Scan

__all__ = ["MemoryScans"]


class MemoryScans:
    """`ScanStore`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Scan] = {}

    def add(self, tenant: str, scan: Scan) -> bool:
        """Keep one; what was kept before stays."""
        if (tenant, scan.id) in self.rows:
            return False
        self.rows[tenant, scan.id] = scan
        return True

    def list(self, wanted: ScanFilter) -> Sequence[Scan]:
        """Newest first."""
        found = [
            scan
            for (tenant, _), scan in list(self.rows.items())
            if tenant == wanted.tenant and _is_wanted(scan, wanted)
        ]
        found.sort(key=lambda scan: (scan.at, scan.id), reverse=True)
        return tuple(found[: wanted.limit])

    def prune(self, before: int) -> None:
        """Forget what was told before unix milliseconds."""
        for key in [key for key, scan in self.rows.items() if scan.at < before]:
            del self.rows[key]


def _is_wanted(scan: Scan, wanted: ScanFilter) -> bool:
    return (
        wanted.service in {None, scan.service}
        and wanted.revision in {None, scan.revision}
        and (wanted.until is None or scan.at <= wanted.until)
        and (wanted.after is None or (scan.at, scan.id) < wanted.after)
    )
