"""Where time goes, on the page of a rollout: a short list, certain ones first, or why none."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.ui.beside import Compared
from api.ui.shifts import ShiftsView, shifts_view
from detector.spans.names import Operation
from detector.spans.shift import TimeShift

ONE = TimeShift(
    entry=Operation(service="checkout", name="POST /order"),
    operation=Operation(service="checkout", name="SELECT orders"),
    canary=0.21,
    control=0.03,
    value=0.18,
    low=0.15,
    high=0.21,
    is_certain=True,
    is_total=False,
    canary_traces=70,
    control_traces=210,
)
CHANCE = replace(ONE, value=0.5, low=-0.1, high=1.1, is_certain=False)


def view(*shifts: TimeShift, why: str = "") -> ShiftsView:
    """What the page shows of some differences."""
    found = shifts_view(Compared(canary=("v2",), control=("v1",), shifts=shifts, why=why))
    assert found is not None
    return found


def test_a_difference_is_a_sentence_with_its_numbers_and_certainty() -> None:
    """`checkout v2 spends 180 ms more in SELECT orders`, and whether to believe it."""
    (row,) = view(ONE).rows
    words = "checkout v2 spends 180 ms more in |SELECT orders| per |POST /order|"
    assert "|".join(row.words) == words
    assert (row.difference, row.interval) == ("+180 ms", "+150 ms to +210 ms")
    assert (row.canary, row.control, row.traces) == ("210 ms", "30 ms", "70 against 210")
    assert row.certainty.startswith("certain")
    assert (row.kind, view(replace(ONE, value=-0.18)).rows[0].kind) == ("fail", "pass")


def test_what_may_be_chance_says_so_and_stands_below() -> None:
    """A large difference of few traces does not push the true one down."""
    rows = view(CHANCE, ONE).rows
    assert [row.certainty for row in rows][1] == "may be chance"
    assert (rows[0].kind, rows[1].kind) == ("fail", "maybe")


def test_no_difference_worth_a_line_is_told_as_none() -> None:
    """An empty table looks like a page that is broken."""
    tiny = replace(CHANCE, value=1e-5)
    assert view(tiny).rows == ()
    assert "the same time everywhere" in view(tiny).why
    assert view(why="No spans have come for checkout.").why == "No spans have come for checkout."
    assert shifts_view(None) is None


def test_names_of_operations_are_text() -> None:
    """Whoever sends spans names operations."""
    evil = replace(ONE, operation=Operation(service="checkout", name="\x1b[2J\u202e<b>"))
    (row,) = view(evil).rows
    assert "\x1b" not in "".join(row.words)
    assert "\u202e" not in "".join(row.words)


@given(
    values=st.lists(st.tuples(st.floats(-5, 5), st.booleans()), max_size=30),
)
def test_the_list_is_short_and_certain_ones_are_first(values: list[tuple[float, bool]]) -> None:
    """At three in the morning nobody reads thirty lines; and none is lost without a word."""
    shifts = [replace(ONE, value=value, is_certain=certain) for value, certain in values]
    found = view(*shifts)
    certain = [row.kind != "maybe" for row in found.rows]
    assert len(found.rows) <= 6
    assert certain == sorted(certain, reverse=True)
    worth = [s for s in shifts if s.is_certain or abs(s.value) >= 0.001]
    assert len(found.rows) + found.more == len(worth)
