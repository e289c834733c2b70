"""The operator over spans: against plain Python, however spans come, and what bounds it holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import SpanKind, Spans
from detector.spans.graph import graph
from detector.spans.lost import Lost
from detector.spans.names import NodeKind
from detector.spans.operator import step
from detector.spans.red import CALLS, DURATION, red, samples_of
from detector.spans.settings import LATENCY_BOUNDS_S
from detector.spans.snapshot import from_arrays, to_arrays
from detector.spans.state import SpanState, opened
from tests.detector.spans.writing import SMALL, Written, call_of, columns, queue

WRITTEN = st.builds(
    Written,
    trace=st.integers(1, 4),
    span=st.integers(1, 5),
    parent=st.integers(0, 5),
    ms=st.sampled_from([0, 1, 3, 100, 70_000]),
    kind=st.sampled_from(list(SpanKind)),
    failed=st.booleans(),
    operation=st.sampled_from(["a", "b"]),
    service=st.sampled_from(["web", "cart"]),
    version=st.sampled_from(["v1", "v2"]),
)


def run(state: SpanState, *batches: Spans) -> SpanState:
    """Take all of them."""
    for batch in batches:
        state, _ = step(state, batch)
    return state


def cut(written: Sequence[Written], at: Sequence[int]) -> list[Spans]:
    """The same spans in several batches."""
    edges = [0, *sorted({place % (len(written) + 1) for place in at}), len(written)]
    return [columns(written[a:b]) for a, b in pairwise(edges) if a < b]


def counted(state: SpanState) -> Counter[tuple[object, ...]]:
    """Calls by who and what."""
    return Counter(
        {
            (one.origin, one.operation.name, one.kind, one.status.name): one.calls
            for one in red(state)
        }
    )


@given(st.lists(WRITTEN, max_size=25), st.lists(st.integers(0, 30), max_size=4))
def test_calls_are_those_of_plain_counting(written: list[Written], at: list[int]) -> None:
    """However the spans are cut into batches, and each once."""
    state = run(opened(SMALL), *cut(written, at))
    firsts = {(one.trace, one.span, one.kind): one for one in reversed(written)}.values()
    expected = Counter(
        (one.origin, one.operation, one.kind, "ERROR" if one.failed else "UNSET") for one in firsts
    )
    assert counted(state) == expected
    assert state.lost[Lost.DUPLICATES] == len(written) - len(firsts)


@given(
    st.lists(WRITTEN, max_size=25, unique_by=lambda one: (one.trace, one.span, one.kind)),
    st.randoms(),
)
def test_the_order_makes_no_difference(written: list[Written], order: random.Random) -> None:
    """Neither to rates nor to the graph: exporters send when they like."""
    unique = [replace(one, span=nth + 1) for nth, one in enumerate(written)]
    shuffled = unique.copy()
    order.shuffle(shuffled)
    one, other = run(opened(SMALL), *cut(unique, [])), run(opened(SMALL), *cut(shuffled, [3, 9]))
    assert counted(one) == counted(other)
    assert {(e.caller, e.callee, e.calls) for e in graph(one).edges} == {
        (e.caller, e.callee, e.calls) for e in graph(other).edges
    } or _is_ambiguous(unique)


def _is_ambiguous(written: Sequence[Written]) -> bool:
    """Two callers with one id: which of them was meant nobody can know."""
    callers = [
        (one.trace, one.span) for one in written if one.kind in {SpanKind.CLIENT, SpanKind.PRODUCER}
    ]
    return len(callers) != len(set(callers))


@given(st.lists(WRITTEN, max_size=30), st.integers(0, 30))
def test_a_snapshot_goes_on_as_if_nothing_had_been(written: list[Written], place: int) -> None:
    """To the bit: a restart counts nothing twice and forgets no side that waits."""
    place %= len(written) + 1
    head, tail = written[:place], written[place:]
    later = columns(tail, taken=20_000) if tail else None
    whole, part = opened(SMALL, 7), opened(SMALL, 7)
    for batch in cut(head, []):
        whole, _ = step(whole, batch)
        part, _ = step(part, batch)
    part = from_arrays(to_arrays(part), SMALL)
    if later is not None:
        whole, _ = step(whole, later)
        part, _ = step(part, later)
    one, other = to_arrays(whole), to_arrays(part)
    assert one.keys() == other.keys()
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_a_snapshot_of_another_schema_or_size_is_refused() -> None:
    """Rather than read as what it is not."""
    arrays = to_arrays(opened(SMALL))
    with pytest.raises(ValueError, match="other bounds"):
        from_arrays(arrays, replace(SMALL, edges=201))
    with pytest.raises(ValueError, match="no state"):
        from_arrays({})


def test_samples_are_as_the_connector_writes_them() -> None:
    """A dashboard for the connector's metrics reads ours."""
    found = [
        replace(one, span=n, ms=ms)
        for n, ms in enumerate((3, 80_000), 1)
        for one in call_of(1)[2:3]
    ]
    state = run(opened(SMALL), columns(found))
    samples = [sample for one in red(state) for sample in samples_of(one)]
    labels = (
        ("k8s_pod_name", "checkout-v1"),
        ("service_name", "checkout"),
        ("service_version", "v1"),
        ("span_kind", "SPAN_KIND_SERVER"),
        ("span_name", "POST /orders"),
        ("status_code", "STATUS_CODE_UNSET"),
    )
    assert samples[:3] == [
        (CALLS, labels, 2.0),
        (f"{DURATION}_count", labels, 2.0),
        (f"{DURATION}_sum", labels, 80.003),
    ]
    buckets = {dict(own)["le"]: value for name, own, value in samples if name.endswith("_bucket")}
    assert len(buckets) == len(LATENCY_BOUNDS_S) + 1
    assert (buckets["0.002"], buckets["0.005"], buckets["60.0"], buckets["+Inf"]) == (0, 1, 1, 2)
    assert all(own == tuple(sorted(own)) for _, own, _ in samples)


def edges(state: SpanState) -> dict[tuple[str, str], int]:
    """Calls by the names of both ends."""
    return {(edge.caller.name, edge.callee.name): edge.calls for edge in graph(state).edges}


def test_the_graph_knows_who_calls_whom() -> None:
    """Services by the sides of calls, users by roots, databases and topics by what callers tell."""
    sent = Written(span=9, parent=3, kind=SpanKind.PRODUCER, service="checkout", peer=queue("t"))
    took = Written(span=10, parent=9, kind=SpanKind.CONSUMER, service="mail", peer=queue("t"))
    state = run(opened(SMALL), columns([*call_of(1), sent, took]))
    assert edges(state) == {
        ("", "web"): 1,
        ("web", "checkout"): 1,
        ("checkout", "postgresql:shop"): 1,
        ("checkout", "t"): 1,
        ("t", "mail"): 1,
    }
    kinds = {node.name: node.kind for node in graph(state).nodes}
    assert kinds["postgresql:shop"] is NodeKind.DATABASE
    assert (kinds["t"], kinds["web"]) == (NodeKind.MESSAGING, NodeKind.SERVICE)


def test_services_whose_clocks_differ_by_an_hour_meet() -> None:
    """Ids pair the two sides of a call, never times."""
    state = run(opened(SMALL), columns(call_of(1, skew=3_600_000)))
    assert edges(state)["web", "checkout"] == 1
    assert state.traces.maxlen == SMALL.traces


def test_revisions_without_a_version_are_told_apart_by_their_pods() -> None:
    """A canary that nobody gave a version has another template, and so another hash."""
    pods = ("web-6d9f7c-k8w2d", "web-5c4b8d-x2x7k", "web-5c4b8d-b9fqz", "web-0")
    written = [Written(span=n, version="", pod=pod) for n, pod in enumerate(pods, 1)]
    state = run(opened(SMALL), columns(written))
    calls = {edge.callee.version: edge.calls for edge in graph(state).edges}
    assert calls == {"6d9f7c": 1, "5c4b8d": 2, "": 1}


def test_a_host_without_spans_becomes_an_end_after_a_while() -> None:
    """Whoever is called but sends no spans is seen by what its callers tell."""
    alone = call_of(1)[:2]
    state = run(opened(SMALL), columns(alone))
    assert ("web", "checkout.svc") not in edges(state)
    state = run(state, columns([Written(trace=2)], taken=31_000))
    assert edges(state)["web", "checkout.svc"] == 1
    node = next(node for node in graph(state).nodes if node.name == "checkout.svc")
    assert node.kind is NodeKind.UNSEEN


def test_the_graph_tells_of_the_last_minutes() -> None:
    """Rates, errors and tails are of now; who left long ago has none."""
    state = opened(SMALL)
    for second in range(60):
        calls = [
            one
            for n in range(10)
            for one in call_of(
                1_000 * second + n + 1, failed=n == 0, query_ms=500 if n == 9 else 20
            )
        ]
        state = run(state, columns(calls, taken=1_000 * second))
    edge = next(e for e in graph(state, "checkout").edges if e.caller.name == "web")
    assert (edge.calls, edge.failed, edge.error_ratio) == (600, 60, 0.1)
    assert edge.rate == pytest.approx(600 / 59)
    assert edge.median_s == pytest.approx(0.06, rel=0.1)
    assert edge.tail95_s == pytest.approx(0.54, rel=0.1)
    later = run(state, columns([Written(trace=10**6)], taken=20 * 60_000))
    edge = next(e for e in graph(later, "checkout").edges if e.caller.name == "web")
    assert (edge.calls, edge.rate, edge.mean_s, edge.total_calls) == (0, 0.0, None, 600)


def test_one_service_is_seen_with_its_neighbours_alone() -> None:
    """What a page of a service shows."""
    other = Written(trace=9, service="batch", operation="run")
    state = run(opened(SMALL), columns([*call_of(1), other]))
    names = {node.name for node in graph(state, "checkout").nodes}
    assert names == {"web", "checkout", "postgresql:shop"}
