"""Who calls whom as JSON; the classes document it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits, time_text
from detector.spans.names import Node
from detector.spans.topology import Edge, Graph

__all__ = ["GraphAnswer", "graph_body"]

KindWord = Literal["outside", "service", "unseen_service", "database", "messaging"]


class EndAnswer(Answer):
    """An end of calls: a version of a service, or what sends no spans of its own."""

    kind: KindWord = Field(description="What it is.")
    name: str | None = Field(description="Its name; null for whoever calls from outside.")
    namespace: str | None = Field(description="Where it runs.")
    cluster: str | None = Field(description="In which cluster.")
    version: str | None = Field(description="Which version.")


class CallsAnswer(Answer):
    """Calls between two ends; durations as the caller felt them, where it sends spans."""

    caller: EndAnswer = Field(description="Who calls.")
    callee: EndAnswer = Field(description="Who is called.")
    calls: int = Field(description="Calls between `from` and `to`.")
    failed: int = Field(description="How many of them failed.")
    rate: float = Field(description="Calls a second.")
    error_ratio: float | None = Field(description="Null without calls.")
    mean_s: float | None = Field(description="Mean duration in seconds.")
    p50_s: float | None = Field(description="Half took up to so long.")
    p95_s: float | None = Field(description="19 of 20 took up to so long.")
    p99_s: float | None = Field(description="99 of 100 took up to so long.")
    total_calls: int = Field(description="Calls since the beginning.")
    total_failed: int = Field(description="How many of them failed.")


class GraphAnswer(Answer):
    """What calls a service and what it calls, over the last minutes; the busiest first."""

    service: str = Field(description="Of which service.")
    since: str | None = Field(alias="from", description="From when on.")
    until: str | None = Field(alias="to", description="Up to when: the newest span.")
    edges: list[CallsAnswer] = Field(description="Who calls whom.")


def graph_body(service: str, found: Graph) -> dict[str, Any]:
    """A graph as JSON."""
    return {
        "service": service,
        "from": _time(found.since),
        "to": _time(found.until),
        "edges": [_edge(edge) for edge in found.edges],
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "caller": _end(edge.caller),
        "callee": _end(edge.callee),
        "calls": edge.calls,
        "failed": edge.failed,
        "rate": _digits(edge.rate),
        "error_ratio": _digits(edge.error_ratio),
        "mean_s": _digits(edge.mean_s),
        "p50_s": _digits(edge.median_s),
        "p95_s": _digits(edge.tail95_s),
        "p99_s": _digits(edge.tail99_s),
        "total_calls": edge.total_calls,
        "total_failed": edge.total_failed,
    }


def _end(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind.value,
        "name": node.name or None,
        "namespace": node.namespace or None,
        "cluster": node.cluster or None,
        "version": node.version or None,
    }


def _digits(value: float | None) -> float | None:
    return None if value is None else digits(value)


def _time(at: int) -> str | None:
    if at < 0:
        return None
    return time_text(at)
