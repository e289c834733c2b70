"""Spans and lines become evidence: steps that are missing, errors that are new, time of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Kind, Scene
from detector.correlate.passages import Line, Passage, called, steps, times
from detector.correlate.ranking import ranked
from detector.stream.anomaly import Side
from tests.profiles import HEAVY

BIN = 15_000
Seen = tuple[list[Passage], list[Line]]


def requests(count: int, begin: int, *, broken: bool = False, own_ms: float = 2.0) -> Seen:
    """Each enters the web, which asks the cart, which asks for stock and then says so.

    Where it is `broken`, the cart fails in between, and the web writes an error.
    """
    passages, lines = [], []
    for number in range(begin, begin + count):
        at = number * 1000
        names = (f"{number}w", "", "web", "GET /"), (f"{number}c", f"{number}w", "cart", "add")
        for span, parent, service, operation in names:
            passages.append(
                Passage(
                    span=span, parent=parent, service=service, operation=operation, at=at,
                    own_ms=own_ms,
                )
            )  # fmt: skip
        lines.append(Line(span=f"{number}c", template="asking for stock", grave=False, at=at))
        if broken:
            lines.append(Line(span=f"{number}w", template="call failed", grave=True, at=at))
        else:
            lines.append(Line(span=f"{number}c", template="stock is there", grave=False, at=at))
    return passages, lines


def scene_of(past: Seen, now: Seen) -> Scene:
    return Scene(
        start=0,
        at=(),
        gauges=tuple(times(past[0], now[0], BIN)),
        tallies=tuple(steps(past, now, BIN)),
        calls=called(past[0] + now[0]),
        requests={},
    )


def test_calls_are_read_from_spans() -> None:
    """No graph need be configured where there are traces."""
    (one,) = called(requests(10, 0)[0])
    assert (one.caller, one.callee, one.per_request) == ("web", "cart", 1.0)


def test_a_step_that_no_longer_follows_is_told_of_its_operation() -> None:
    """The line between which an exception was thrown is named."""
    found = {
        tally.name: tally for tally in steps(requests(60, 0), requests(40, 100, broken=True), BIN)
    }
    lost = found["stock is there"]
    assert (lost.service, lost.occasion, lost.side) == ("cart", "add", Side.BELOW)
    assert (lost.past_events.sum(), lost.past_occasions.sum()) == (60.0, 60.0)
    assert (lost.events.sum(), lost.occasions.sum()) == (0.0, 40.0)
    assert found["call failed"].side is Side.ABOVE
    assert found["asking for stock"].events.sum() == 40.0


def test_the_service_that_breaks_off_is_suspected_and_not_the_one_that_complains() -> None:
    """Only the caller writes an error; the callee is the one to be mended."""
    ranking = ranked(scene_of(requests(60, 0), requests(40, 100, broken=True)))
    assert ranking.suspects[0].service == "cart"
    assert ranking.suspects[0].kind is Kind.BEHAVIOUR


def test_more_of_the_same_requests_is_no_change() -> None:
    """Twice the traffic has twice the lines and the same steps."""
    ranking = ranked(scene_of(requests(40, 0), requests(80, 100)))
    assert not ranking.stands_out


def test_own_time_is_told_by_bins() -> None:
    """A median a bin, so that one slow request is not an incident."""
    past, now = requests(60, 0)[0], requests(30, 105, own_ms=50.0)[0]
    found = {(one.service, one.name): one for one in times(past, now, BIN)}
    cart = found["cart", "own time of add"]
    assert cart.past == pytest.approx(np.full(4, 2.0))
    assert cart.during == pytest.approx(np.full(2, 50.0))


def test_operations_that_are_not_on_both_sides_say_nothing() -> None:
    """A new endpoint has no past to be compared with."""
    passages, lines = requests(30, 100)
    other = [replace(one, operation="new") for one in passages]
    assert not list(steps(requests(60, 0), (other, lines), BIN))


def test_lines_of_unknown_spans_are_left_out() -> None:
    """A line whose span was not sampled belongs to no operation."""
    stray = Line(span="gone", template="x", grave=True, at=0)
    passages, lines = requests(30, 100)
    names = {tally.name for tally in steps(requests(60, 0), (passages, [*lines, stray]), BIN)}
    assert "x" not in names


@HEAVY
@given(before=st.integers(1, 30), after=st.integers(1, 30), broken=st.booleans())
def test_events_never_exceed_their_occasions(before: int, after: int, broken: bool) -> None:
    """A span holds a step or does not, however many lines it writes."""
    past, now = requests(before, 0), requests(after, 100, broken=broken)
    for tally in steps((past[0], past[1] * 2), (now[0], now[1] * 3), BIN):
        assert (tally.past_events <= tally.past_occasions).all()
        assert (tally.events <= tally.occasions).all()
