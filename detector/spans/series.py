"""Series of the stream that are made of spans, and which requests an anomaly is shown with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.stream.anomaly import Anomaly
from detector.stream.columns import SeriesInfo
from detector.stream.traced import TraceWhy

__all__ = ["CALLS", "FAILED", "LATENCY", "OPERATION", "About", "lead_of", "operations_of"]

CALLS = "serinus_span_calls"
FAILED = "serinus_span_error_share"
LATENCY = "serinus_span_p95_seconds"
OPERATION = "operation"
_LEADS = {CALLS: TraceWhy.FAILED, FAILED: TraceWhy.FAILED, LATENCY: TraceWhy.SLOWEST}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What requests an anomaly is about: some operations, or all; slow ones first, or failed."""

    lead: TraceWhy
    operations: frozenset[str] | None = None


def lead_of(metric: str) -> TraceWhy | None:
    """Which requests show best why such a series moved; None where it is none of spans."""
    return _LEADS.get(metric)


def operations_of(anomaly: Anomaly, series: Mapping[int, SeriesInfo]) -> frozenset[str] | None:
    """The operations that an anomaly is about; None for its service as a whole."""
    if anomaly.subject.metric not in _LEADS:
        return None
    told = (dict(series[one.series].labels) for one in anomaly.contributions)
    return frozenset(labels[OPERATION] for labels in told if OPERATION in labels) or None
