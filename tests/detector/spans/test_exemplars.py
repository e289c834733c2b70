"""Traces that an anomaly is shown with: the odd ones of its time, and one that is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import SpanKind
from detector.spans.exemplars import Sought, examples, sought_for
from detector.spans.operator import step
from detector.spans.series import About
from detector.spans.settings import SpanSettings
from detector.spans.state import SpanState, opened
from detector.stream.traced import LEADING, MOST, SpentNote, TraceNote, TraceWhy, merged
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns
from tests.pipelines.flows.happening import T0, anomaly

SETTINGS = SpanSettings(
    series=500, edges=200, seen=50_000, waiting=5_000, recent=20_000, groups=100
)
MINUTE = 60_000
ODD = (2 * MINUTE, 3 * MINUTE)
SOUGHT = Sought(
    service="checkout",
    since=NOW_MS + ODD[0],
    until=NOW_MS + ODD[1],
    lead=TraceWhy.SLOWEST,
)


def shop(*, slow_ms: int = 400, failing: int = 7, settled: bool = True) -> SpanState:
    """Three minutes of requests; in the last one its query is slow, and one in seven fails."""
    random, state = np.random.default_rng(3), opened(SETTINGS, 5)
    for nth, at in enumerate(range(0, ODD[1], 1_000)):
        is_odd = at >= ODD[0]
        query = int(random.lognormal(3.0, 0.3)) + (slow_ms if is_odd else 0)
        has_failed = is_odd and nth % failing == 0
        calls = call_of(nth + 1, start=at, query_ms=query, failed=has_failed)
        state, _ = step(state, columns(calls, taken=at))
    if settled:
        state, _ = step(state, columns([Written(trace=10**9)], taken=ODD[1] + MINUTE))
    return state


def of_shop(**asked: object) -> tuple[TraceNote, ...]:
    """What is shown of it."""
    (found,) = examples(shop(), [replace(SOUGHT, **asked)])  # type: ignore[arg-type]
    return found


def test_a_slow_minute_is_shown_by_its_slow_requests() -> None:
    """With an id to look each up by, and the operation that it waited for."""
    slow = [note for note in of_shop() if note.why is TraceWhy.SLOWEST]
    assert len(slow) == LEADING
    assert [note.duration_s for note in slow] == sorted(
        (note.duration_s for note in slow), reverse=True
    )
    for note in slow:
        assert (len(note.trace), len(note.span), note.operation) == (32, 16, "POST /orders")
        assert note.spent[0].operation == "SELECT orders"
        assert note.spent[0].seconds > 0.4
        assert sum(one.seconds for one in note.spent) == pytest.approx(note.duration_s, rel=0.05)


def test_of_what_came_again_requests_since_then_are_sought() -> None:
    """Those of the night are not what is wrong at noon, and those in between went as usual."""
    about, now = About(lead=TraceWhy.SLOWEST), T0 + 200 * MINUTE
    first = sought_for(anomaly("checkout", until=9), about, now=now, back_ms=MINUTE)
    back = sought_for(anomaly("checkout", again=180), about, now=now, back_ms=MINUTE)
    assert first.since == T0 - MINUTE
    assert T0 + 9 * MINUTE < first.until < back.since == T0 + 179 * MINUTE
    assert back.until == now


def test_beside_them_one_is_shown_as_it_went_before() -> None:
    """What is odd about a trace is seen beside one that is not."""
    *odd, usual = of_shop()
    assert usual.why is TraceWhy.ORDINARY
    assert usual.at < NOW_MS + ODD[0]
    assert usual.operation == odd[0].operation
    assert usual.duration_s < 0.2 < odd[0].duration_s
    assert odd[0].usual_s == pytest.approx(usual.duration_s, rel=0.2)


def test_where_errors_rose_failed_requests_come_first() -> None:
    """Slow ones that went well tell nothing of an error."""
    found = of_shop(lead=TraceWhy.FAILED)
    assert [note.has_failed for note in found[:2]] == [True, True]
    assert found[0].why is TraceWhy.FAILED


def test_only_its_service_operation_version_and_time_are_shown() -> None:
    """A trace of something else is worse than none."""
    since = NOW_MS + 10 * MINUTE
    assert of_shop(operations=frozenset({"SELECT orders"})) == ()
    assert of_shop(service="cart") == of_shop(version="v9") == ()
    assert of_shop(since=since, until=since + MINUTE) == ()
    assert of_shop(operations=frozenset({"POST /orders"}), version="v1") == of_shop()
    assert all(note.at >= SOUGHT.since for note in of_shop() if note.why is not TraceWhy.ORDINARY)


def test_a_namespace_that_is_told_tells_services_of_one_name_apart() -> None:
    """Staging is not shown for production."""
    state = opened(SETTINGS, 5)
    for nth in range(40):
        made = columns(call_of(nth + 1, start=1_000 * nth), taken=ODD[0] + 1_000 * nth)
        origins = tuple(replace(one, namespace="staging") for one in made.origins)
        state, _ = step(state, replace(made, origins=origins))
    shop, staging = (replace(SOUGHT, namespace=one) for one in ("shop", "staging"))
    here, there = examples(state, [shop, staging])
    assert here == ()
    assert there


def test_a_request_whose_spans_are_waited_for_is_shown_without_its_parts() -> None:
    """Who is woken in the first seconds has an id to look up, and not nothing."""
    (found,) = examples(shop(settled=False), [replace(SOUGHT, since=NOW_MS + ODD[1] - 5_000)])
    assert found[0].duration_s > 0.4
    assert found[0].spent == ()


def test_names_cannot_do_anything_to_who_sees_them() -> None:
    """Whoever sends spans chooses them: colours, line ends and kilobytes."""
    name = "GET /\x1b[31m<script>alert(1)</script>\n" + "x" * 5_000
    state = opened(SETTINGS, 5)
    for nth in range(30):
        one = Written(
            trace=2**128 - 1 - nth, span=2**64 - 1, start=1_000 * nth, kind=SpanKind.SERVER,
            operation=name, service="checkout", version="\x00\u202e",
        )  # fmt: skip
        state, _ = step(state, columns([one], taken=ODD[0] + 1_000 * nth))
    (found,) = examples(state, [SOUGHT])
    assert found[0].trace.startswith("ffff")
    assert found[0].span == "f" * 16
    shown = found[0].operation + found[0].version + found[0].spent[0].operation
    assert not any(ord(letter) < 32 or letter == "\u202e" for letter in shown)
    assert len(found[0].operation) <= 200


notes = st.builds(
    TraceNote,
    trace=st.integers(0, 12).map(lambda n: f"{n:032x}"),
    span=st.just("0" * 16),
    at=st.just(NOW_MS),
    duration_s=st.floats(0, 100),
    why=st.sampled_from(TraceWhy),
    has_failed=st.booleans(),
    service=st.just("shop"),
    version=st.just(""),
    operation=st.just("GET /"),
    spent=st.sampled_from([(), (SpentNote(service="shop", operation="GET /", seconds=1.0),)]),
)
some = st.lists(notes, max_size=12)
leads = st.sampled_from([TraceWhy.FAILED, TraceWhy.SLOWEST])


@given(first=some, second=some, lead=leads)
def test_of_many_a_handful_is_kept(
    first: list[TraceNote], second: list[TraceNote], lead: TraceWhy
) -> None:
    """However long an anomaly lasts, its size has a bound, and each trace is in it once."""
    kept = merged(first, second, lead)
    traces = [note.trace for note in kept]
    assert len(kept) <= MOST
    assert len(set(traces)) == len(traces)
    assert sum(note.why is TraceWhy.ORDINARY for note in kept) <= 1
    assert set(traces) <= {note.trace for note in (*first, *second)}


@given(first=some, second=some, lead=leads)
def test_the_worst_that_is_wanted_most_stays(
    first: list[TraceNote], second: list[TraceNote], lead: TraceWhy
) -> None:
    """Minutes of lesser ones do not push out what a person has to see."""
    others = [replace(note, trace="f" + note.trace[1:]) for note in second]
    best = merged(first, (), lead)
    kept = merged(best, others, lead)
    for note in best[:1]:
        if note.why is lead:
            assert kept[0].why is lead
            assert kept[0].duration_s >= note.duration_s


@given(first=some, lead=leads)
def test_to_merge_again_changes_nothing(first: list[TraceNote], lead: TraceWhy) -> None:
    """A replay tells the same."""
    once = merged(first, (), lead)
    assert merged(once, (), lead) == merged(once, once, lead) == once
