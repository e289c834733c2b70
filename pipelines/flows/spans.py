"""Spans on their way into the stream: spooled as they are, and their rates told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from detector.logs.lines import Origin
from detector.spans.columns import SpanKind, Spans, SpanStatus
from pipelines.flows.logs_names import Labels, of_labels
from pipelines.flows.logs_taking import Gained, Taken, Taking
from pipelines.flows.spans_record import columns_of

__all__ = ["CALLS", "FAILED", "SpanFlow", "SpanMeters"]

CALLS, FAILED = "serinus_span_calls", "serinus_span_failures"


@dataclass(slots=True)
class SpanMeters:
    """Running totals."""

    spans: int = 0
    refused: int = 0


class SpanFlow:
    """`SpanSink`; safe for threads. A batch that `put` took is in the spool of the stream."""

    def __init__(self, taking: Taking) -> None:
        self._taking, self.meters = taking, SpanMeters()

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
        _rates(taken, gained, spans)
        return self._taking.put(
            taken, gained, spans=columns_of(replace(spans, taken=now)), rows=len(spans)
        )


def _rates(taken: Taken, gained: Gained, spans: Spans) -> None:
    """Calls that were served, and those that failed, by service and operation."""
    is_served = (spans.kind == SpanKind.SERVER) | (spans.kind == SpanKind.CONSUMER)
    failed = spans.status == SpanStatus.ERROR
    pairs = spans.origin.astype(np.int64) * len(spans.operations) + spans.operation
    found, counts = np.unique(pairs[is_served] << 1 | failed[is_served], return_counts=True)
    for key, count in zip(found.tolist(), counts.tolist(), strict=True):
        origin, operation = divmod(key >> 1, len(spans.operations))
        calls, failures = _labels(spans.origins[origin], spans.operations[operation])
        taken.rate(gained, calls, count, is_first=False)
        if key & 1:
            taken.rate(gained, failures, count, is_first=False)


@lru_cache(maxsize=1 << 15)
def _labels(origin: Origin, operation: str) -> tuple[Labels, Labels]:
    of = (
        ("service", origin.service),
        ("namespace", origin.namespace),
        ("cluster", origin.cluster),
        ("operation", operation),
    )
    return of_labels(CALLS, of), of_labels(FAILED, of)
