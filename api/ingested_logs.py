"""What the doors for logs took, refused and mended, in `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.ingested import counter

if TYPE_CHECKING:
    from pipelines.ingest.log_doors import LogDoors

__all__ = ["IngestedLogs"]


class IngestedLogs(Collector):
    """The running totals of the doors."""

    def __init__(self, doors: LogDoors) -> None:
        self.doors = doors

    def collect(self) -> Iterable[Metric]:
        """The families."""
        tally = self.doors.tally
        by_door, by_reason = ("tenant", "door"), ("tenant", "door", "reason")
        yield counter("log_lines", "Log lines taken.", by_door, tally.taken)
        words = "Log lines refused for good, by reason."
        yield counter("refused_log_lines", words, by_reason, tally.refused)
        words = "What was wrong with log lines that were mended and taken, or that came twice."
        yield counter("log_flaws", words, ("tenant", "door", "what"), tally.dropped)
        words = "Messages with log lines put off because the queue was full."
        yield counter("logs_full", words, by_door, tally.fulls)
