"""What is remembered of anomalies with traces: told again once, over restarts, within bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.spans.operator import step
from detector.spans.series import LATENCY, About
from detector.spans.settings import SpanSettings
from detector.spans.state import SpanState, opened
from detector.stream.anomaly import Happened, Happening, Subject
from detector.stream.traced import MOST, TraceWhy
from pipelines.flows.spans_traced import Traced
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns
from tests.pipelines.topics.test_outgoing import happened

SETTINGS = SpanSettings(
    series=500, edges=200, seen=50_000, waiting=5_000, recent=20_000, groups=100
)
ABOUT = About(lead=TraceWhy.SLOWEST)
STEP_MS = 15_000


def calls(state: SpanState, first: int, last: int, query_ms: int) -> SpanState:
    """A request each second, between two seconds."""
    for second in range(first, last):
        made = call_of(second + 1, start=1_000 * second, query_ms=query_ms)
        state, _ = step(state, columns(made, taken=1_000 * second))
    return state


def told(second: int, id: str = "an_1", kind: Happening = Happening.OPENED) -> Happened:
    """An anomaly of checkout that begins at a second."""
    one = happened()
    subject = Subject(service="checkout", namespace="", cluster="", metric=LATENCY)
    anomaly = replace(one.anomaly, id=id, subject=subject, start=NOW_MS + 1_000 * second, end=None)
    return Happened(kind=kind, at=anomaly.start, anomaly=anomaly)


def slow() -> SpanState:
    """A minute as usual, and ten seconds that are slow."""
    return calls(calls(opened(SETTINGS, 5), 0, 60, 20), 60, 70, 400)


def test_what_is_told_at_once_has_ids_and_comes_again_with_its_parts() -> None:
    """Once: nobody hears of the same traces at every batch."""
    state, traced = slow(), Traced(step_ms=STEP_MS)
    (first,) = traced.tell(state, [(told(60), ABOUT)])
    assert first.anomaly.traces
    assert not first.anomaly.traces[0].spent
    again: list[Happened] = []
    for second in range(70, 130):
        state = calls(state, second, second + 1, 20)
        again += traced.later(state)
    (later,) = again
    assert (later.kind, later.at) == (Happening.TRACED, first.at)
    assert all(one.spent for one in later.anomaly.traces)
    assert {one.spent[0].operation for one in later.anomaly.traces[:3]} == {"SELECT orders"}


def test_a_restart_in_between_changes_nothing() -> None:
    """What was told by one process is told whole by the next."""
    state, traced = slow(), Traced(step_ms=STEP_MS)
    traced.tell(state, [(told(60), ABOUT)])
    again = Traced(traced.to_arrays(), step_ms=STEP_MS)
    state = calls(state, 70, 100, 20)
    found = again.later(state)
    assert found == traced.later(state) != ()
    assert Traced(again.to_arrays(), step_ms=STEP_MS).later(calls(state, 100, 160, 20)) == ()


def test_what_an_older_event_showed_is_not_lost_in_a_later_one() -> None:
    """The worst request of an hour ago is worse than those of now."""
    state, traced = slow(), Traced(step_ms=STEP_MS)
    traced.tell(state, [(told(60), ABOUT)])
    state = calls(state, 70, 100, 20)
    traced.later(state)
    state = calls(state, 100, 700, 40)
    (closed,) = traced.tell(state, [(told(60, kind=Happening.CLOSED), ABOUT)])
    assert closed.anomaly.traces[0].duration_s > 0.4
    assert len(closed.anomaly.traces) <= MOST


def test_what_is_about_no_requests_is_passed_on_as_it_is() -> None:
    """In its place among the others."""
    state, traced = slow(), Traced(step_ms=STEP_MS)
    events = [(told(60, "an_1"), None), (told(60, "an_2"), ABOUT), (told(60, "an_3"), None)]
    found = traced.tell(state, events)
    assert [one.anomaly.id for one in found] == ["an_1", "an_2", "an_3"]
    assert [bool(one.anomaly.traces) for one in found] == [False, True, False]
    assert len(traced) == 1


def test_where_an_operation_has_none_those_of_its_service_are_shown() -> None:
    """Of operations beyond the limit spans are counted under another name."""
    about = replace(ABOUT, operations=frozenset({"GET /rare"}))
    (found,) = Traced(step_ms=STEP_MS).tell(slow(), [(told(60), about)])
    assert found.anomaly.traces


def test_a_storm_of_anomalies_has_bounds() -> None:
    """Each of a thousand is told, the last of them are remembered."""
    state, traced = slow(), Traced(step_ms=STEP_MS)
    found = traced.tell(state, [(told(60, f"an_{n}"), ABOUT) for n in range(1_000)])
    assert all(one.anomaly.traces for one in found)
    assert len(traced) == 500


def test_nothing_is_looked_for_forever() -> None:
    """A service that is gone brings no spans, and an anomaly of it stays as it was told."""
    state = calls(opened(SETTINGS, 5), 0, 60, 20)
    traced = Traced(step_ms=STEP_MS)
    (first,) = traced.tell(state, [(told(10_000), ABOUT)])
    assert first.anomaly.traces == ()
    for second in range(60, 1_060, 20):
        one = Written(trace=10**6 + second, service="other")
        state, _ = step(state, columns([one], taken=1_000 * second))
        assert traced.later(state) == ()
    assert traced._next() == 0


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"\x91\x01", b"\x81\xa1a\x01"])
def test_a_state_of_another_version_is_begun_anew(body: bytes) -> None:
    """An upgrade is not kept from starting by what is only for show."""
    arrays = {"traced.held": np.frombuffer(body, np.uint8)}
    assert len(Traced(arrays, step_ms=STEP_MS)) == 0
