"""Selectors read from a metric source again and again, each stretch of time once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from detector.errors import SourceError
from detector.ports import MetricCatalog, MetricSource
from detector.series import Query
from pipelines.ingest.decoded import Decoded
from pipelines.ingest.doors import Doors
from pipelines.ingest.selectors import Selector, queries_of

__all__ = ["LONGEST_S", "SETTLE_S", "SHORTEST_S", "Pull"]

# A scrape is written when it has ended, some seconds after the time of its samples.
SETTLE_S = 15.0
# So much is read at once, after the source or the queue was away; less where that fails.
LONGEST_S, SHORTEST_S = 900.0, 60.0


class Pull:
    """What a tenant's selectors give, from the end of what was taken before, also by a process
    that died: the sink keeps how far it is with the samples themselves.

    `since` (unix seconds) is how far it was read, None before the first step; the very first one
    begins `first_s` before now. A step that fails, or for which there is no room, moves nothing:
    the next reads the same again.
    """

    def __init__(
        self,
        source: MetricSource,
        catalog: MetricCatalog,
        doors: Doors,
        selectors: Sequence[Selector],
        *,
        first_s: float = 0.0,
        settle_s: float = SETTLE_S,
        tenant: str = "default",
    ) -> None:
        self._source, self._catalog, self._doors = source, catalog, doors
        self._selectors = tuple(selectors)
        self._first_s, self._settle_s = first_s, settle_s
        self._longest_s = LONGEST_S
        self.tenant = tenant
        self.since: float | None = None
        self.doubtful = 0

    def step(self, now: float, *, timeout_s: float) -> Decoded | None:
        """Read on, up to a little before `now`; None where there is nothing to read yet.

        `SourceError` where the source does not answer, `FullError` and `StoreError` as
        `Doors.take`. `doubtful` counts answers from which series may be missing.
        """
        since = self._begin(now)
        until = min(math.floor(1000 * (now - self._settle_s)) / 1000, since + self._longest_s)
        if until <= since:
            return None
        try:
            queries = self._queries(timeout_s)
            answers = self._source.read(queries, since, until, timeout_s=timeout_s)
        except SourceError:
            self._longest_s = max(self._longest_s / 2, SHORTEST_S)
            raise
        decoded = self._doors.take_answers(self.tenant, answers, read_to=round(1000 * until))
        self._longest_s = min(2 * self._longest_s, LONGEST_S)
        self.doubtful += sum(bool(answer.warnings) for answer in answers)
        self.since = until
        return decoded

    def _begin(self, now: float) -> float:
        """Where to read on; what is older than the doors take is passed over."""
        if self.since is None:
            kept = self._doors.sink.read_to(self.tenant)
            first = now - self._settle_s - self._first_s
            self.since = first if kept is None else kept / 1000
        oldest = now - self._doors.limits.behind_s
        return max(self.since, math.floor(1000 * oldest) / 1000)

    def _queries(self, timeout_s: float) -> list[Query]:
        """Names that are left open are asked for each time: what is new has samples from now on."""
        if all(selector.metric is not None for selector in self._selectors):
            return queries_of(self._selectors, ())
        return queries_of(self._selectors, self._catalog.metrics(timeout_s=timeout_s))
