"""Spans on their way into the stream: spooled as they are, and what was served told as series."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial

from detector.logs.rates import Chosen, RateLimits
from detector.spans.columns import Spans
from pipelines.flows.logs_taking import Gained, Taken, Taking
from pipelines.flows.spans_record import columns_of
from pipelines.flows.spans_serving import served_by

__all__ = ["OF_SERVICE", "SpanFlow", "SpanMeters"]

# Operations of a service that have series of their own.
OF_SERVICE = 50


@dataclass(slots=True)
class SpanMeters:
    """Running totals."""

    spans: int = 0
    refused: int = 0


class SpanFlow:
    """`SpanSink`; safe for threads. A batch that `put` took is in the spool of the stream."""

    def __init__(self, taking: Taking, *, operations: int = OF_SERVICE) -> None:
        self._taking, self.meters = taking, SpanMeters()
        limits = RateLimits(common=operations, grave=0)
        self._chosen: defaultdict[str, Chosen] = defaultdict(partial(Chosen, limits=limits))

    def chosen(self, tenant: str) -> Chosen:
        """Which of a tenant's operations have series of the stream."""
        return self._chosen[tenant]

    def put(self, tenant: str, spans: Spans) -> bool:
        """See `SpanSink`."""
        if not len(spans):
            return True
        taken = self._taking.of(tenant)
        with taken.lock:
            is_taken = self._taking.has_room() and self._put(taken, spans)
        if is_taken:
            self.meters.spans += len(spans)
        else:
            self.meters.refused += len(spans)
        return is_taken

    def _put(self, taken: Taken, spans: Spans) -> bool:
        now = self._taking.begin(taken)
        gained = Gained()
        served = served_by(taken, gained, spans, self._chosen[taken.tenant])
        return self._taking.put(
            taken,
            gained,
            spans=columns_of(replace(spans, taken=now)),
            served=served,
            rows=len(spans),
        )
