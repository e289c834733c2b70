"""A report in a terminal: its gist, a table, and plainly what could not be told."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from api.cli.report_text import print_report
from api.reports.words import Wall
from detector.capacity.report import LeftOut, Report
from tests.api.reports.examples import cores, disk, hostile, new, pool, report


def shown(told: Report, width: int = 160) -> str:
    """As it is written to a file."""
    out = StringIO()
    console = Console(file=out, width=width, highlight=False, emoji=False, markup=False)
    print_report(console, told, Wall())
    return out.getvalue()


def test_it_begins_with_the_gist() -> None:
    """Who reads no more than that knows what is first."""
    lines = shown(report()).splitlines()
    assert lines[0] == "Capacity of all services: the next 90 days"
    assert lines[1].startswith("As of 25 November 2026, 07:00 UTC. 6 resources.")
    assert "What if: traffic +40 % from 2026-12-01" in lines[2]
    assert lines[4].startswith("3 of 5 resources may run out within 90 days")


def test_each_resource_is_a_row_the_most_urgent_first() -> None:
    """With dates as people read them."""
    text = shown(report(), 220)
    places = [text.index(name) for name in ("✖ has run out", "▲ runs out", "△ may run out")]
    assert places == sorted(places)
    assert "in 23 days, Friday 18 December, between 9 December and 4 January 2027" in text
    assert "Raise the limit from 200 to 320 GiB by Monday 7 December" in text
    assert "172 of 200 GiB (86 %)" in text


def test_what_could_not_be_told_is_said_plainly() -> None:
    """As a row with the reason, and as what was left out."""
    text = shown(report(new()), 220)
    assert "? not known" in text
    assert "not enough history: needs 21 days, has 4 days" in text
    assert "Left out (2):" in text
    assert "  traffic of gateway: no limit is known: set one under capacity:" in text


def test_much_that_was_left_out_is_counted() -> None:
    """A screen is no list of a thousand."""
    many = tuple(LeftOut(name=f"disk {n}", why="missing") for n in range(1000))
    text = shown(replace(report(cores()), left_out=many))
    assert "and 990 more" in text


def test_a_large_fleet_is_cut_in_the_terminal() -> None:
    """Files have all."""
    text = shown(replace(report(), assessments=(disk(),) * 250))
    assert "and 50 more" in text


def test_an_empty_report_has_a_sentence() -> None:
    """And no table without rows."""
    text = shown(replace(report(), assessments=(), left_out=(), summary=()))
    assert "No resource was found" in text
    assert "resource  used" not in text


def test_hostile_names_cannot_steer_the_terminal() -> None:
    """No escape, no change of direction, no line of their own."""
    text = shown(report(replace(hostile(), problem="\x1b[2Jgone\r\nroot#")))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\r" not in text


@given(st.sampled_from([disk, pool, new, cores, hostile]), st.integers(20, 300))
def test_any_width_shows_all_words(made: object, width: int) -> None:
    """A narrow terminal folds; nothing is lost, nothing raises."""
    text = shown(report(made()), width)  # type: ignore[operator]
    assert "Capacity of all" in text
    assert max(map(len, text.splitlines())) <= width
