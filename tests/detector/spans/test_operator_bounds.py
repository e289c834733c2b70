"""What the operator over spans costs at most, and what it tells where that is not enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from detector.spans.columns import Peer, PeerKind, SpanKind
from detector.spans.lost import Lost
from detector.spans.operator import step
from detector.spans.red import red
from detector.spans.settings import OTHER, SpanSettings
from detector.spans.snapshot import from_arrays, to_arrays
from detector.spans.state import opened
from tests.detector.spans.test_operator import run
from tests.detector.spans.writing import NOW_MS, SMALL, Written, call_of, columns


def test_operations_without_end_are_other_and_counted() -> None:
    """A name per user, which no mask knew, costs a service its detail and nobody else anything."""
    few = replace(SMALL, operations_of_service=5)
    crowd = [Written(span=n, operation=f"w{chr(97 + n)}") for n in range(1, 20)]
    state = run(opened(few), columns([*crowd, Written(span=99, service="cart", operation="buy")]))
    names = Counter({one.operation.name: one.calls for one in red(state)})
    assert names[OTHER] == 14
    assert names["buy"] == 1
    assert state.lost[Lost.OTHER_OPERATION] == 14


def test_names_of_the_past_make_room_for_new_ones() -> None:
    """An hour after a flood of names a new endpoint has a name of its own; known ones always do."""
    few = replace(SMALL, operations_of_service=5, idle_s=60.0)
    crowd = [Written(span=n, operation=f"w{chr(97 + n)}") for n in range(1, 20)]
    state = run(opened(few), columns(crowd))
    state = from_arrays(to_arrays(state), few)
    soon = [Written(span=50, operation="new"), Written(span=51, operation="wb")]
    state = run(state, columns(soon, taken=30_000))
    later = [Written(span=60, operation="new"), Written(span=61, operation="wc")]
    state = run(state, columns(later, taken=90_000))
    names = Counter({one.operation.name: one.calls for one in red(state)})
    assert (names["new"], names["wb"], names["wc"], names[OTHER]) == (1, 2, 2, 15)


def test_series_without_end_are_bounded_and_counted() -> None:
    """A pod name in each span fills its place, and no more; the idle leave when others come."""
    few = replace(SMALL, series=50, idle_s=60.0)
    state = run(opened(few), columns([Written(span=n, pod=f"p{n}") for n in range(1, 100)]))
    assert len(list(red(state))) == 50
    assert state.lost[Lost.NO_SERIES] == 49
    state = run(state, columns([Written(span=200, pod="new")], taken=120_000))
    assert [one.origin.pod for one in red(state)] == ["new"]


def test_too_many_names_begin_anew() -> None:
    """Counters that begin at 0 again are a restart to whoever reads them."""
    few = replace(SMALL, names=40)
    state = run(opened(few), columns([Written(span=n, pod=f"p{n}") for n in range(1, 60)]))
    state = run(state, columns([Written(span=100)]))
    assert [one.calls for one in red(state)] == [1]
    assert state.lost[Lost.NAMES_FULL] == 1


def test_a_trace_of_a_million_spans_is_bounded() -> None:
    """Counted whole, looked at in part."""
    state = opened(SMALL)
    roots = [
        Written(span=1, ms=1_000),
        *(Written(span=n, parent=1, kind=SpanKind.INTERNAL) for n in range(2, 1_500)),
    ]
    state = run(state, columns(roots), columns([Written(trace=2)], taken=20_000))
    assert state.lost[Lost.TRACE_TOO_LONG] >= 1
    assert sum(one.calls for one in red(state)) == 1_500
    assert len(state.traces) == 1


def test_of_a_trace_that_is_too_long_the_request_is_kept() -> None:
    """Whether its span came first or last: what it took is told, and by what came near its end."""
    for place in (0, -1):
        inner = [
            Written(span=n, parent=1, start=n, ms=1, kind=SpanKind.INTERNAL, operation="inner")
            for n in range(2, 900)
        ]
        inner.insert(place if place == 0 else len(inner), Written(span=1, ms=1_000))
        state = run(opened(SMALL), columns(inner), columns([Written(trace=2)], taken=20_000))
        assert state.lost[Lost.TRACE_TOO_LONG] == 1
        kept = state.traces[0]
        assert sum(kept.path) == kept.wanted.duration
        assert len(kept.operations) == 2


def test_versions_of_the_past_make_room_for_new_ones() -> None:
    """After a thousand rollouts the next canary is looked at as the first was."""
    few = replace(SMALL, groups=10, idle_s=60.0)
    state = opened(few)
    for rollout in range(40):
        written = [Written(span=rollout + 1, version=f"v{rollout}")]
        state = run(state, columns(written, taken=120_000 * rollout))
    state = run(state, columns([Written(trace=3)], taken=120_000 * 41))
    assert state.lost[Lost.NO_GROUP] == 0
    assert len(state.traces) == 40


def test_circles_and_missing_parents_are_counted() -> None:
    """Nonsense in one trace is told by name, and another is as it was."""
    circle = [
        Written(span=1, parent=2),
        Written(span=2, parent=1, kind=SpanKind.INTERNAL),
        Written(span=3, parent=77, kind=SpanKind.INTERNAL),
    ]
    state = run(
        opened(SMALL), columns([*circle, *call_of(5)]), columns([Written(trace=9)], taken=20_000)
    )
    assert state.lost[Lost.CYCLE] == 2
    assert state.lost[Lost.MISSING_PARENT] == 1
    assert all(sum(kept.path) == kept.wanted.duration for kept in state.traces)


def test_a_trace_is_whole_though_its_spans_come_seconds_apart() -> None:
    """Each service exports every few seconds, on its own."""
    web, call, served, query = call_of(1)
    state = run(
        opened(SMALL),
        columns([query, served], taken=0),
        columns([call], taken=4_000),
        columns([web], taken=8_000),
        columns([Written(trace=2)], taken=30_000),
    )
    kept = next(
        one
        for one in state.traces
        if state.names.listed()[2][one.wanted.operation].name == "POST /buy"
    )
    assert kept.is_whole
    assert {state.names.listed()[2][n].name for n in kept.operations} == {
        "POST /buy",
        "POST",
        "POST /orders",
        "SELECT orders",
    }


def test_a_flood_gathers_early_rather_than_never() -> None:
    """Where the last spans fill the ring within seconds, traces are gathered before they go."""
    state = opened(SMALL)
    for second in range(8):
        flood = [
            Written(trace=100 + second, span=n + 1, kind=SpanKind.INTERNAL, parent=1)
            for n in range(900)
        ]
        state = run(state, columns([*call_of(second + 1), *flood], taken=10 * second))
    assert len(state.traces) > 0
    assert state.lost[Lost.TRACE_GONE] == 0


def test_what_a_batch_brought_is_told() -> None:
    """The flow counts it in its own metrics."""
    state, told = step(opened(SMALL), columns([Written(), Written(), Written(span=2)]))
    assert (told.counted, told.lost) == (2, {Lost.DUPLICATES: 1})
    _, told = step(state, columns([]))
    assert told.counted == 0


def test_time_never_goes_back() -> None:
    """A batch that was taken before the last one, by a clock that was set, breaks nothing."""
    state = run(
        opened(SMALL), columns([Written()], taken=5_000), columns([Written(span=2)], taken=1_000)
    )
    assert state.last == NOW_MS + 5_000


def test_defaults_hold_a_large_shop() -> None:
    """The bounds that serinus is delivered with."""
    settings = SpanSettings()
    assert settings.series >= 50_000
    assert Peer(kind=PeerKind.SERVICE, name="x") != Peer(kind=PeerKind.DATABASE, name="x")
