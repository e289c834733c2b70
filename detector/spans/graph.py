"""Who calls whom, how often, how well and how fast: the graph of services."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detector.spans.names import Node, NodeKind
from detector.spans.state import SpanState
from detector.spans.topology import Edge, Graph
from models.traces.edges import ALWAYS, BEFORE, NOW, Edges

__all__ = ["graph"]

_QUANTILES = (0.5, 0.95, 0.99)
_MANY = (1 << 32) - 1


def graph(state: SpanState, service: str | None = None) -> Graph:
    """The whole graph, or what calls a service and what it calls, the busiest first."""
    window = round(1000 * state.settings.window_s)
    since = max(state.first, int(state.edges.used[0]) - window)
    edges = sorted(_edges(state, service, since), key=lambda edge: -edge.calls)
    nodes = dict.fromkeys(node for edge in edges for node in (edge.caller, edge.callee))
    return Graph(nodes=tuple(nodes), edges=tuple(edges), since=since, until=state.last)


def _edges(state: SpanState, service: str | None, since: int) -> Iterator[Edge]:
    _, nodes, _ = state.names.listed()
    seconds = max((state.last - since) / 1000, 1.0)
    for row, key in enumerate(state.edges.rows.keys[: len(state.edges.rows)].tolist()):
        caller, callee = nodes[key >> 32], nodes[key & _MANY]
        if service is None or _is(service, caller) or _is(service, callee):
            yield _edge(caller, callee, state.edges, row, seconds)


def _is(service: str, node: Node) -> bool:
    return node.kind is NodeKind.SERVICE and node.name == service


def _edge(caller: Node, callee: Node, edges: Edges, row: int, seconds: float) -> Edge:
    calls, failed, total = (
        int(counts[NOW, row] + counts[BEFORE, row])
        for counts in (edges.calls, edges.failed, edges.total)
    )
    within = edges.within[NOW, row] + edges.within[BEFORE, row]
    median, tail95, tail99 = (_quantile(within, edges.bounds, share) for share in _QUANTILES)
    return Edge(
        caller=caller,
        callee=callee,
        total_calls=int(edges.calls[ALWAYS, row]),
        total_failed=int(edges.failed[ALWAYS, row]),
        calls=calls,
        failed=failed,
        rate=calls / seconds,
        error_ratio=failed / calls if calls else None,
        mean_s=total / calls / 1e9 if calls else None,
        median_s=median,
        tail95_s=tail95,
        tail99_s=tail99,
    )


def _quantile(within: NDArray[np.int64], bounds: NDArray[np.int64], share: float) -> float | None:
    """Seconds, within a tenth: bounds lie a fifth apart, and the middle of two is taken."""
    count = int(within.sum())
    if not count:
        return None
    place = int(np.searchsorted(np.cumsum(within), share * count))
    high = float(bounds[min(place, len(bounds) - 1)])
    low = float(bounds[place - 1]) if place else high / 2
    return float(np.sqrt(low * high)) / 1e9 if place < len(bounds) else high / 1e9
