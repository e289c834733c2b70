"""The graph as spans really come: late, in halves, by queues, with clocks that differ."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import NOBODY, Peer, PeerKind, SpanKind, Spans
from detector.spans.graph import graph
from detector.spans.lost import Lost
from detector.spans.names import NodeKind
from detector.spans.operator import step
from detector.spans.settings import SpanSettings
from detector.spans.state import SpanState, opened
from detector.spans.topology import Edge
from tests.detector.spans.writing import SMALL, Written, call_of, columns, queue
from tests.profiles import HEAVY

DATABASE = Peer(kind=PeerKind.DATABASE, name="mysql:shop")
TOPIC = queue("kafka:orders")
CLIENT = Written(
    span=1, kind=SpanKind.CLIENT, ms=50, operation="call", service="web", version="v1",
    peer=Peer(kind=PeerKind.SERVICE, name="cart.svc"),
)  # fmt: skip
SERVER = Written(
    span=2, parent=1, kind=SpanKind.SERVER, ms=30, service="cart", version="v2", pod="cart-1"
)


def after(*batches: Spans, settings: SpanSettings = SMALL) -> SpanState:
    """The state after some batches."""
    state = opened(settings, 3)
    for batch in batches:
        state, _ = step(state, batch)
    return state


def ends(state: SpanState) -> dict[tuple[str, str], int]:
    """Calls by both names, since ever."""
    return {(e.caller.name, e.callee.name): e.total_calls for e in graph(state).edges}


def between(state: SpanState, caller: str, callee: str) -> Edge:
    """The one edge from an end to an end."""
    found = [e for e in graph(state).edges if (e.caller.name, e.callee.name) == (caller, callee)]
    assert len(found) == 1
    return found[0]


def later(ms: int) -> Spans:
    """Something of another trace, so that time goes on."""
    return columns([Written(trace=999, span=ms + 1, kind=SpanKind.INTERNAL)], taken=ms)


@pytest.mark.parametrize("callee_first", [True, False])
@pytest.mark.parametrize("gap_s", [0, 1, 29])
def test_halves_meet_whichever_comes_first(callee_first: bool, gap_s: int) -> None:
    """Each process exports on its own clock and in its own time."""
    halves = [CLIENT, SERVER][:: -1 if callee_first else 1]
    state = after(columns(halves[:1]), columns(halves[1:], taken=1_000 * gap_s))
    assert ends(state) == {("web", "cart"): 1}
    edge = between(state, "web", "cart")
    assert (edge.callee.version, edge.mean_s) == ("v2", 0.05)


def test_a_half_that_comes_too_late_is_alone() -> None:
    """The caller's end is by then the host that it told; the callee's caller is counted as lost."""
    state = after(columns([CLIENT]), columns([SERVER], taken=31_000), later(70_000))
    assert ends(state) == {("web", "cart.svc"): 1}
    assert between(state, "web", "cart.svc").callee.kind is NodeKind.UNSEEN
    assert state.lost[Lost.LONE_CALLEE] == 1


def test_a_caller_that_knows_nobody_is_counted_as_alone() -> None:
    """An address tells no service, and makes no node."""
    state = after(columns([replace(CLIENT, peer=NOBODY)]), later(31_000))
    assert ends(state) == {}
    assert state.lost[Lost.LONE_CALLER] == 1


@pytest.mark.parametrize("skew_ms", [0, 250, -250, 3_600_000, -86_400_000])
def test_clocks_of_both_sides_may_differ_by_anything(skew_ms: int) -> None:
    """Ids pair them; and the time of a call is what its caller felt."""
    state = after(columns([CLIENT, replace(SERVER, start=skew_ms)]))
    assert between(state, "web", "cart").mean_s == 0.05


def test_either_side_tells_of_a_failure_and_it_counts_once() -> None:
    """A time-out is known to the caller, an exception often to the callee alone."""
    calls = [
        [replace(CLIENT, trace=n, failed=mine), replace(SERVER, trace=n, failed=theirs)]
        for n, (mine, theirs) in enumerate(itertools.product((False, True), repeat=2), 1)
    ]
    edge = between(after(columns([one for call in calls for one in call])), "web", "cart")
    assert (edge.calls, edge.failed, edge.error_ratio) == (4, 3, 0.75)


def test_a_message_goes_to_its_topic_and_from_it_to_all_who_take_it() -> None:
    """Who sends does not know who takes, and there may be several or none."""
    sent = Written(span=1, kind=SpanKind.PRODUCER, service="web", peer=TOPIC)
    takers = [
        Written(span=n, parent=1, kind=SpanKind.CONSUMER, service=name, peer=TOPIC)
        for n, name in enumerate(("mail", "audit"), 2)
    ]
    state = after(columns([takers[0], sent]), columns([takers[1]], taken=3_000), later(60_000))
    topic = TOPIC.name
    assert ends(state) == {("web", topic): 1, (topic, "mail"): 1, (topic, "audit"): 1}
    assert not state.lost[Lost.LONE_CALLEE] + state.lost[Lost.LONE_CALLER]


@pytest.mark.parametrize("calls", [1, 7])
def test_a_database_is_where_calls_end(calls: int) -> None:
    """At once, with nobody waited for, under the name that its callers have for it."""
    asked = [replace(CLIENT, span=n, peer=DATABASE, failed=n == 1) for n in range(1, calls + 1)]
    state = after(columns(asked))
    edge = between(state, "web", DATABASE.name)
    assert (edge.callee.kind, edge.calls, edge.failed) == (NodeKind.DATABASE, calls, 1)
    assert {node.name for node in graph(state).nodes} == {"web", DATABASE.name}


def test_a_fan_out_is_an_edge_to_each() -> None:
    """A front that asks twenty services for one page."""
    spans = [
        one
        for n in range(1, 21)
        for one in (
            replace(CLIENT, span=n),
            replace(SERVER, span=100 + n, parent=n, service=f"s{n}", kind=SpanKind.SERVER),
        )
    ]
    assert ends(after(columns(spans))) == {("web", f"s{n}"): 1 for n in range(1, 21)}


def test_versions_of_a_service_are_ends_of_their_own() -> None:
    """So that what calls the canary is seen beside what calls the control."""
    spans = [one for n in range(1, 11) for one in call_of(n, version="v2" if n > 8 else "v1")]
    calls = {
        (edge.callee.version, edge.calls)
        for edge in graph(after(columns(spans)), "checkout").edges
        if edge.callee.name == "checkout"
    }
    assert calls == {("v1", 8), ("v2", 2)}


def test_namespaces_and_clusters_keep_apart() -> None:
    """The staging of a shop is not its production."""
    given = columns([SERVER, replace(SERVER, trace=2)])
    origin = given.origins[0]
    both = replace(
        given,
        parent=np.zeros(2, dtype=np.uint64),
        origin=np.array([0, 1], dtype=np.int32),
        origins=(replace(origin, namespace="live"), replace(origin, namespace="staging")),
    )
    assert {node.namespace for node in graph(after(both)).nodes} == {"", "live", "staging"}


def test_what_a_sender_sends_again_is_one_call() -> None:
    """A collector that heard no answer sends all of it once more."""
    again = columns([CLIENT, SERVER])
    state = after(again, again, replace(again, taken=again.taken + 20_000))
    assert ends(state) == {("web", "cart"): 1}
    assert state.lost[Lost.DUPLICATES] == 4


def test_edges_are_bounded_and_the_idle_make_room() -> None:
    """A name for each call fills the graph, is counted, and is gone an hour later."""
    settings = replace(SMALL, edges=10, idle_s=60.0)
    crowd = [Written(trace=n, service=f"s{n}") for n in range(1, 31)]
    state = after(columns(crowd), settings=settings)
    assert len(graph(state).edges) == 10
    assert state.lost[Lost.NO_EDGE] == 20
    state, _ = step(state, columns([Written(trace=50, service="new")], taken=120_000))
    assert ends(state) == {("", "new"): 1}


def test_a_window_ends_and_the_one_before_it_is_told_still() -> None:
    """Between one and two windows are told, so that a graph is never empty at a turn."""
    calls = [columns([Written(trace=n + 1)], taken=60_000 * n) for n in range(12)]
    state = after(*calls)
    told, edge = graph(state), between(state, "", "web")
    assert 300 <= (told.until - told.since) / 1000 <= 600
    assert 5 <= edge.calls <= 11
    assert edge.total_calls == 12
    assert edge.rate == pytest.approx(edge.calls / ((told.until - told.since) / 1000))


@HEAVY
@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=60))
def test_tails_are_within_a_tenth_of_what_they_are(times: list[int]) -> None:
    """A graph says 180 ms where a person who sorts them would say so."""
    state = after(columns([Written(trace=n + 1, ms=ms) for n, ms in enumerate(times)]))
    edge = between(state, "", "web")
    for share, found in ((0.5, edge.median_s), (0.95, edge.tail95_s), (0.99, edge.tail99_s)):
        true = sorted(times)[max(0, int(np.ceil(share * len(times) - 1e-9)) - 1)] / 1000
        assert found == pytest.approx(true, rel=0.1)
    assert edge.mean_s == pytest.approx(sum(times) / len(times) / 1000)


def test_the_busiest_come_first() -> None:
    """A page shows the first of them."""
    spans = [Written(trace=n, service="busy" if n % 4 else "idle") for n in range(1, 41)]
    assert [edge.callee.name for edge in graph(after(columns(spans))).edges] == ["busy", "idle"]


def test_nothing_has_no_graph() -> None:
    """And a service that nobody heard of none either."""
    assert graph(opened(SMALL)).edges == ()
    assert graph(after(columns(call_of(1))), "nobody").nodes == ()
