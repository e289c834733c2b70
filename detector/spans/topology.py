"""Who calls whom, how often, how well and how fast, as it is told."""

from __future__ import annotations

from dataclasses import dataclass

from detector.spans.names import Node

__all__ = ["Edge", "Graph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Calls between two ends over the last minutes; `total_calls` and `total_failed` since ever.

    Durations are those that the caller felt, where it sends spans. `rate` is calls a second;
    `error_ratio` and the durations are None where there was no call.
    """

    caller: Node
    callee: Node
    total_calls: int
    total_failed: int
    calls: int
    failed: int
    rate: float
    error_ratio: float | None
    mean_s: float | None
    median_s: float | None
    tail95_s: float | None
    tail99_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Ends of calls and what goes on between them; `since`, `until`: unix ms of those minutes."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    since: int
    until: int
