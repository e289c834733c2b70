"""Blindness is told once it lasts, and told to be over to who heard of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.blindness import AFTER_S, Blindness

DOWN = {"the metric source": "it does not answer"}
WELL = {"the metric source": ""}


def test_it_is_told_after_ten_minutes_once_and_its_end_too() -> None:
    """With what is wrong, and how long it lasted."""
    blindness = Blindness()
    assert blindness.looked(DOWN, 0.0) == []
    assert blindness.looked(DOWN, AFTER_S - 1) == []
    (told,) = blindness.looked(DOWN, AFTER_S)
    assert told.title == "serinus is blind: the metric source"
    assert told.text == "For 10 minutes now: it does not answer"
    assert blindness.looked(DOWN, 5000.0) == []
    (over,) = blindness.looked(WELL, 7200.0)
    assert (over.title, over.text) == (
        "serinus sees again: the metric source",
        "It works again, after 2.0 hours.",
    )
    assert blindness.looked(WELL, 7300.0) == []


def test_a_restart_of_a_source_wakes_nobody() -> None:
    """And is forgotten."""
    blindness = Blindness()
    assert not blindness.looked(DOWN, 0.0)
    assert not blindness.looked(WELL, 60.0)
    assert not blindness.looked(DOWN, AFTER_S)


@given(st.lists(st.tuples(st.floats(1, 400), st.booleans()), max_size=40))
def test_each_outage_is_told_once_and_ended_once(steps: list[tuple[float, bool]]) -> None:
    """Whatever comes when."""
    blindness, now, told = Blindness(), 0.0, []
    for pause, works in steps:
        now += pause
        told += blindness.looked(WELL if works else DOWN, now)
    assert [one.is_over for one in told] == [n % 2 == 1 for n in range(len(told))]
    assert all(one.at - one.since >= AFTER_S for one in told)
