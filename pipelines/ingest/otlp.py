"""OpenTelemetry metrics: an export request's bytes to columns. A known point decodes no attribute.

What a point belongs to, resource, scope and metric, is looked up once for each metric of a request,
by bytes too. https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from detector.stream.columns import STALE, Columns
from pipelines.ingest.decoded import (
    Decoded,
    Dropped,
    Refusal,
    Refused,
    Window,
    broken,
    in_window,
    joined,
    windowed,
)
from pipelines.ingest.interning import Interner
from pipelines.ingest.otlp_context import REFUSED, Context, Contexts
from pipelines.ingest.otlp_others import exploded
from pipelines.ingest.otlp_points import EXEMPLARS, MIN_MAX, NOTHING, STALE_POINT, Found
from pipelines.ingest.otlp_scan import Metric, scan

__all__ = ["Otlp"]


class Otlp:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner) -> None:
        self._contexts = Contexts(interner)

    def decode(self, body: bytes, window: Window) -> Decoded:
        """The samples of an unpacked request; `InputError` where it is none.

        What is refused is counted in points, of which a histogram is one.
        """
        body, found = _found(body)
        contexts = self._contexts.of(body, [Metric(*row) for row in found.metrics.tolist()])
        refused = Refused()
        parts = (
            self._numbers(body, found, contexts, window, refused),
            self._histograms(body, found, contexts, window, refused),
            exploded(body, found.others.tolist(), contexts, window, refused),
        )
        dropped = {
            Dropped.EXEMPLARS: int(found.counted[EXEMPLARS]),
            Dropped.MIN_MAX: int(found.counted[MIN_MAX]),
        }
        return Decoded(
            columns=joined(parts),
            refused=refused,
            dropped={what: count for what, count in dropped.items() if count},
        )

    def memory(self) -> bytes:
        """What was learned beside the series."""
        return self._contexts.memory()

    def recall(self, memory: bytes) -> None:
        """Go on from there."""
        self._contexts.recall(memory)

    def _numbers(
        self,
        body: bytes,
        found: Found,
        contexts: list[Context],
        window: Window,
        refused: Refused,
    ) -> Columns:
        known = [context.points.get for context in contexts]
        places = found.attributes.tolist()
        ids = [
            known[owner](body[start:stop], REFUSED)
            for owner, (start, stop) in zip(found.owner.tolist(), places, strict=True)
        ]
        series = np.array(ids, dtype=np.int32)
        nothing = found.state == NOTHING
        refused.add(Refusal.NO_VALUE, int(nothing.sum()), "a point has no value")
        for row in np.flatnonzero((series < 0) & ~nothing).tolist():
            start, stop = places[row]
            series[row] = contexts[found.owner[row]].point(body[start:stop], refused)
        series[nothing] = REFUSED
        found.value[found.state == STALE_POINT] = STALE
        return windowed(series, found.at, found.value, window, refused)

    def _histograms(
        self,
        body: bytes,
        found: Found,
        contexts: list[Context],
        window: Window,
        refused: Refused,
    ) -> Columns:
        rows = found.histograms
        counts = 1 + rows[:, 8] + rows[:, 9]
        plans = [
            contexts[owner].histogram(body[a:b], body[c:d], buckets, has_sum, refused)
            for owner, a, b, c, d, _, _, _, buckets, has_sum in rows.tolist()
        ]
        known = np.array([plan is not None for plan in plans], dtype=np.bool_)
        keep = in_window(rows[:, 5], known, window, refused)
        kept = np.repeat(keep, counts)
        values = found.flat[: len(kept)][kept]
        values[np.repeat(rows[keep, 6] == 1, counts[keep])] = STALE
        chosen = [plan for plan, is_kept in zip(plans, keep.tolist(), strict=True) if is_kept]
        return Columns(
            series=_concatenated([plan for plan in chosen if plan is not None]),
            at=np.repeat(rows[keep, 5], counts[keep]),
            value=values,
        )


def _found(body: bytes) -> tuple[bytes, Found]:
    """What is in a body; the library puts fields into order for one that has them in another."""
    found = scan(body)
    if found is not None and found.is_apart:
        body = _ordered(body)
        found = scan(body)
    if found is None or found.is_apart:
        raise broken("the body is no protobuf of an OTLP metrics request")
    return body, found


def _ordered(body: bytes) -> bytes:
    try:
        ordered: bytes = ExportMetricsServiceRequest.FromString(body).SerializeToString()
    except DecodeError as error:
        raise broken("the body is no protobuf of an OTLP metrics request") from error
    return ordered


def _concatenated(plans: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate(plans) if plans else np.zeros(0, dtype=np.int32)
