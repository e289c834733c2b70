"""How much is kept of spans, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LATENCY_BOUNDS_S", "OTHER", "SpanSettings"]

# Seconds: of the histogram that is told as a metric. From a cache's answer to a time-out's.
LATENCY_BOUNDS_S = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0,
    1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 30.0, 60.0,
)  # fmt: skip
# The operation of what has no place of its own any more.
OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSettings:
    """Bounds of memory and of time; what goes beyond is counted (`Lost`).

    `pair_s`: how long one side of a call waits for the other, and for how long a span that comes
    again is known. `settle_s`: how long after its first span of interest a trace is taken to be
    whole. `window_s`: the graph tells of the last one to two of these. `recent`: spans from which
    traces are gathered, about 60 bytes each. `by_lot`, `slowest`, `failed`: traces that are kept of
    each service, version and operation a minute. `idle_s`: who had no call for so long makes room
    for others where there is none.
    """

    pair_s: float = 30.0
    settle_s: float = 10.0
    window_s: float = 300.0
    idle_s: float = 3_600.0
    operations_of_service: int = 200
    series: int = 50_000
    edges: int = 10_000
    names: int = 100_000
    seen: int = 1_000_000
    waiting: int = 250_000
    recent: int = 250_000
    groups: int = 5_000
    by_lot: int = 10
    slowest: int = 3
    failed: int = 3
    spans_of_trace: int = 4_096
    traces: int = 20_000
