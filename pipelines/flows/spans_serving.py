"""What a batch of spans says of calls that were served: how many, how many failed, how long."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from detector.logs.lines import Level, Origin
from detector.logs.rates import Chosen
from detector.logs.services import Place
from detector.spans.codes import counted
from detector.spans.columns import SpanKind, Spans, SpanStatus
from detector.spans.series import CALLS, FAILED, LATENCY, OPERATION
from detector.spans.spread import BINS, bins_of
from detector.stream.columns import SeriesKind
from pipelines.flows.logs_names import Labels, of_labels
from pipelines.flows.logs_taking import Gained, Taken
from pipelines.flows.spans_record import Served

__all__ = ["served_by"]

_NONE = (-1, -1)


@dataclass(frozen=True, slots=True)
class _Labels:
    """What the series of a service, or of one of its operations, are called."""

    calls: Labels
    failed: Labels
    latency: Labels


def served_by(taken: Taken, gained: Gained, spans: Spans, chosen: Chosen) -> Served | None:
    """Calls that services answered, by operation; what clients felt is told by their own spans.

    A service always has series, an operation where it is among those that are `chosen`.
    """
    is_served = (spans.kind == SpanKind.SERVER) | (spans.kind == SpanKind.CONSUMER)
    if not is_served.any():
        return None
    pairs = spans.origin[is_served].astype(np.int64) * len(spans.operations)
    pairs += spans.operation[is_served]
    found, of, calls = counted(pairs, len(spans.origins) * len(spans.operations))
    is_failed = spans.status[is_served] == SpanStatus.ERROR
    failed = np.bincount(of[is_failed], minlength=len(found)).astype(np.int64)
    bins = of * BINS + bins_of(spans.duration[is_served])
    cells, _, count = counted(bins, len(found) * BINS)
    gaining = _Gaining(taken, gained, chosen)
    ids = [
        gaining.ids(spans.origins[key // len(spans.operations)], operation, many)
        for key, many in zip(found.tolist(), calls.tolist(), strict=True)
        for operation in (spans.operations[key % len(spans.operations)],)
    ]
    return Served(
        ids=np.array(ids, np.int32).tobytes(),
        calls=calls.astype(np.int64).tobytes(),
        failed=failed.tobytes(),
        of=(cells // BINS).astype(np.int32).tobytes(),
        bin=(cells % BINS).astype(np.uint8).tobytes(),
        count=count.astype(np.int32).tobytes(),
    )


@dataclass(frozen=True, slots=True)
class _Gaining:
    """Gives the series of a batch's calls their ids, and tells how many calls there were."""

    taken: Taken
    gained: Gained
    chosen: Chosen

    def ids(self, origin: Origin, operation: str, count: int) -> tuple[int, ...]:
        """What calls of an operation are told by: shares and latency, its own and its service's."""
        place = (origin.service, origin.namespace, origin.cluster)
        of_service = self._of(_labels(place, ""), count, is_first=True)
        own = _NONE
        if self.chosen.has(place, operation, Level.UNKNOWN, count, self.taken.taken):
            own = self._of(_labels(place, operation), count, is_first=False)
        return (*own, *of_service)

    def _of(self, labels: _Labels, count: int, *, is_first: bool) -> tuple[int, int]:
        self.taken.rate(self.gained, labels.calls, count, is_first=is_first)
        failed, latency = (
            self.taken.series(one, SeriesKind.GAUGE, is_first=is_first)
            for one in (labels.failed, labels.latency)
        )
        return (failed, latency) if failed >= 0 and latency >= 0 else _NONE


@lru_cache(maxsize=1 << 15)
def _labels(place: Place, operation: str) -> _Labels:
    service, namespace, cluster = place
    of = (
        ("service", service),
        ("namespace", namespace),
        ("cluster", cluster),
        (OPERATION, operation),
    )
    return _Labels(of_labels(CALLS, of), of_labels(FAILED, of), of_labels(LATENCY, of))
