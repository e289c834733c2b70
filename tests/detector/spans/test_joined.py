"""Graphs of several parts as one: calls are added up, and none is there twice."""

from __future__ import annotations

from detector.spans.joined import joined, of_service
from detector.spans.names import Node, NodeKind
from detector.spans.topology import Edge, Graph

SHOP, CART, MAIL = (Node(kind=NodeKind.SERVICE, name=name) for name in ("shop", "cart", "mail"))


def edge(caller: Node, callee: Node, calls: int, failed: int = 0, mean_s: float = 0.1) -> Edge:
    """Calls of the last minutes."""
    return Edge(
        caller=caller, callee=callee, total_calls=10 * calls, total_failed=failed, calls=calls,
        failed=failed, rate=calls / 60, error_ratio=failed / calls, mean_s=mean_s,
        median_s=mean_s, tail95_s=mean_s, tail99_s=mean_s,
    )  # fmt: skip


def graph(*edges: Edge, since: int = 0, until: int = 60_000) -> Graph:
    """A part's."""
    return Graph(nodes=(), edges=edges, since=since, until=until)


def test_calls_that_two_parts_saw_are_one_edge() -> None:
    """Traces of a pair of services are in all partitions: each would show a part of the calls."""
    found = joined(
        [
            graph(edge(SHOP, CART, 30, 3, 0.1), until=50_000),
            graph(edge(SHOP, CART, 10, 1, 0.5), edge(SHOP, MAIL, 90), since=5),
        ]
    )

    assert found is not None
    assert [(one.callee.name, one.calls) for one in found.edges] == [("mail", 90), ("cart", 40)]
    cart = found.edges[1]
    assert (cart.failed, cart.error_ratio, cart.total_calls) == (4, 0.1, 400)
    assert (round(cart.mean_s or 0, 6), cart.median_s) == (0.2, 0.1)
    assert (found.since, found.until) == (0, 60_000)


def test_without_graphs_there_is_none_and_a_service_has_its_own_calls() -> None:
    """A service would be shown with the calls of all others, or with an empty graph."""
    whole = graph(edge(SHOP, CART, 3), edge(SHOP, MAIL, 5))

    assert joined([]) is None
    assert [one.callee.name for one in of_service(whole, "cart").edges] == ["cart"]
    assert of_service(whole, "nobody").edges == ()
