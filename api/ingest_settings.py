"""The configuration of the doors for metrics; no web framework is needed to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.section import Count, Seconds, Section

if TYPE_CHECKING:
    from pipelines.ingest.limits import Limits

__all__ = ["IngestSettings"]


class IngestSettings(Section):
    """What is taken of metrics that are pushed."""

    series: Count = 1_000_000
    tenants: Count = 64
    body_mb: Count = 16
    unpacked_mb: Count = 64
    ahead_s: Seconds = 600.0
    behind_s: Seconds = 604_800.0
    concurrent: Count = 2
    queued: Count = 64
    held_mb: Count = 256
    request_s: Seconds = 30.0

    def native(self) -> Limits:
        """The same in the words of the doors."""
        from pipelines.ingest.limits import Limits

        return Limits(
            series=self.series,
            tenants=self.tenants,
            unpacked_bytes=self.unpacked_mb * 2**20,
            ahead_s=self.ahead_s,
            behind_s=self.behind_s,
        )
