"""Graphs that were drawn side by side, each of a part of the spans, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detector.spans.names import Node, NodeKind
from detector.spans.topology import Edge, Graph

__all__ = ["joined", "of_service"]


def joined(graphs: Sequence[Graph]) -> Graph | None:
    """All calls, the busiest first; None without any graph.

    Quantiles of durations cannot be joined exactly: of calls that several have, they are those of
    the part with the most.
    """
    if not graphs:
        return None
    until, since = max(one.until for one in graphs), min(one.since for one in graphs)
    found: dict[tuple[Node, Node], Edge] = {}
    for edge in (edge for one in graphs for edge in one.edges):
        key = edge.caller, edge.callee
        found[key] = _both(found[key], edge) if key in found else edge
    edges = sorted(found.values(), key=lambda edge: -edge.calls)
    nodes = dict.fromkeys(node for edge in edges for node in (edge.caller, edge.callee))
    return Graph(nodes=tuple(nodes), edges=tuple(edges), since=since, until=until)


def of_service(whole: Graph, service: str) -> Graph:
    """What calls a service, and what it calls."""
    edges = tuple(
        edge
        for edge in whole.edges
        if any(_is(service, node) for node in (edge.caller, edge.callee))
    )
    nodes = dict.fromkeys(node for edge in edges for node in (edge.caller, edge.callee))
    return Graph(nodes=tuple(nodes), edges=edges, since=whole.since, until=whole.until)


def _is(service: str, node: Node) -> bool:
    return node.kind is NodeKind.SERVICE and node.name == service


def _both(one: Edge, other: Edge) -> Edge:
    most = one if one.calls >= other.calls else other
    calls, failed = one.calls + other.calls, one.failed + other.failed
    spent = sum((edge.mean_s or 0.0) * edge.calls for edge in (one, other))
    return replace(
        most,
        total_calls=one.total_calls + other.total_calls,
        total_failed=one.total_failed + other.total_failed,
        calls=calls,
        failed=failed,
        rate=one.rate + other.rate,
        error_ratio=failed / calls if calls else None,
        mean_s=spent / calls if calls else None,
    )
