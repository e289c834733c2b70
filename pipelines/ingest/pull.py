"""Selectors read from a metric source again and again, each stretch of time once."""

from __future__ import annotations

from collections.abc import Sequence

from detector.ports import MetricSource
from detector.series import Query
from pipelines.ingest.decoded import Decoded
from pipelines.ingest.doors import Doors

__all__ = ["Pull"]

# A scrape is written when it has ended, some seconds after the time of its samples.
SETTLE_S = 15.0
# So much is caught up with at once, after the source or the queue was away.
LONGEST_S = 3_600.0


class Pull:
    """What a tenant's selectors give; `since` (unix seconds) is how far it was read.

    A step that fails, or for which there is no room, moves nothing: the next reads the same again.
    """

    def __init__(
        self,
        source: MetricSource,
        doors: Doors,
        selectors: Sequence[Query],
        *,
        since: float,
        tenant: str = "default",
    ) -> None:
        self.source = source
        self.doors = doors
        self.selectors = tuple(selectors)
        self.tenant = tenant
        self.since = since
        self.doubtful = 0

    def step(self, now: float, *, timeout_s: float) -> Decoded | None:
        """Read on, up to a little before `now`; None where there is nothing to read yet.

        `SourceError` where the source does not answer, `FullError` and `StoreError` as
        `Doors.take`. `doubtful` counts answers from which series may be missing.
        """
        until = min(now - SETTLE_S, self.since + LONGEST_S)
        if until <= self.since:
            return None
        answers = self.source.read(self.selectors, self.since, until, timeout_s=timeout_s)
        decoded = self.doors.take_answers(self.tenant, answers)
        self.doubtful += sum(bool(answer.warnings) for answer in answers)
        self.since = until
        return decoded
