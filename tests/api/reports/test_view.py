"""What a report's first page says, and how much of a large fleet a page holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.reports.runway import LANES, runway_of
from api.reports.view import LEFT_OUT, PARTS, ROWS, View, view_of
from api.reports.words import Wall
from detector.capacity.assessed import Assessment, Exhaustion, Sizing
from detector.capacity.report import LeftOut
from tests.api.reports.examples import (
    cores,
    day,
    disk,
    memory,
    new,
    partitions,
    pool,
    report,
)

DISK = "in 23 days, Friday 18 December, between 9 December and 4 January 2027"
EMPTY = replace(report(), assessments=(), left_out=(), summary=(), what_if=())


def view(*told: Assessment) -> View:
    """Of a report of these."""
    return view_of(report(*told), Wall())


def test_the_first_page_says_what_is_first() -> None:
    """A sentence begins with a capital, whatever a resource is called."""
    assert view().title == "Capacity of all services: the next 90 days"
    assert view().gist == (
        "3 of 5 resources may run out within 90 days; the most urgent first.",
        "Connections pool of checkout has run out since Saturday 21 November, 4 days ago.",
        f"Disk data of orders-db runs out {DISK}.",
        "Memory of checkout runs out perhaps from 4 February 2027 on (22 % within 90 days).",
    )
    assert view().about == "As of 25 November 2026, 07:00 UTC. 6 resources."


def test_resources_are_counted_by_how_they_stand() -> None:
    """The counts are all of them."""
    assert [count for count, _ in view().counts] == ["1", "1", "1", "2", "1"]


@pytest.mark.parametrize(
    ("told", "tint"),
    [
        ((pool(), cores()), "fail"),
        ((disk(),), "fail"),
        ((memory(), cores()), "inconclusive"),
        ((cores(), new()), "pass"),
        ((new(),), "unknown"),
    ],
    ids=["out", "likely", "possible", "lasts", "not known"],
)
def test_the_colour_is_that_of_the_worst(told: tuple[Assessment, ...], tint: str) -> None:
    """And of nothing that is known it is not green."""
    assert view(*told).tint == tint


def test_what_to_do_comes_by_its_day() -> None:
    """The first to be done is the first to be read; what may be smaller is apart."""
    deeds = view().deeds
    assert [one.by for one in deeds] == ["now", "Monday 7 December", "Friday 25 December"]
    assert deeds[1].what == "Raise the limit: 200 → 320 GiB"
    assert deeds[2].what.endswith("× 6")
    assert [one.of for one in view().savings] == ["cpu of search"]


def test_money_is_added_up() -> None:
    """What is asked for and what could be saved, apart; what has no price is said."""
    assert view().money == (
        "To raise what is too small costs 20 EUR a month; to lower what is too large saves"
        " 410 EUR a month. 1 resource without a price not counted."
    )
    assert view(pool()).money == "No prices are set, so costs are not told."
    assert view(disk()).money == "To raise what is too small costs 14 EUR a month."


def test_currencies_are_not_added() -> None:
    """Euros and dollars make no sum."""
    assert isinstance(disk().sizing, Sizing)
    other = replace(cores(), sizing=replace(disk().sizing, currency="USD"))  # type: ignore[type-var]
    assert view(disk(), other).money == ""


def test_it_says_how_sure_it_is() -> None:
    """By what came of earlier ones, and of how many nothing is known."""
    told = " ".join(view().sure)
    assert "2 of 2 dates were within the range" in told
    assert "83 % of the days" in told
    assert "Of 1 resource nothing can be told yet" in told
    assert "No earlier report" in " ".join(view(cores()).sure)


def test_an_empty_report_is_one_too() -> None:
    """Nothing is urgent, and nothing is made up."""
    told = view_of(EMPTY, Wall())
    assert (told.tint, told.rows, told.runway, told.deeds) == ("unknown", (), None, ())


def test_a_part_has_all_that_is_known() -> None:
    """Assumptions of what-ifs come first, since all dates rest on them."""
    part = view().parts[2]
    assert part.assumptions[0] == "Assumed: traffic +40 % from 2026-12-01"
    assert dict(part.facts)["Requested"] == "1.5 GiB"
    assert part.when == "It runs out perhaps from 4 February 2027 on (22 % within 90 days)."
    assert view().parts[1].accuracy.startswith("Last month we said 168 GiB")
    assert view(new()).parts[0].when == (
        "It is not known when this runs out: not enough history: needs 21 days, has 4 days."
    )
    assert view(cores()).parts[0].when == "It does not run out within 90 days (under 1 %)."


def test_a_place_is_told_once() -> None:
    """Exporters repeat the namespace and the workload in labels; a volume's name is news."""
    labels = {"namespace": "shop", "container": "web", "persistentvolumeclaim": "db-0"}
    identity = replace(disk().identity, name="web", labels=labels)
    (row,) = view(replace(disk(), identity=identity)).rows
    assert row.where == "eu-1 · shop · team shop · persistentvolumeclaim=db-0"


def test_what_is_supposed_is_said_once() -> None:
    """By the assumptions, where they say it themselves."""
    what_if = memory().what_if[0]
    told = replace(memory(), assumptions=(f"It is supposed that: {what_if}.",))
    assert view(told).parts[0].assumptions == (f"It is supposed that: {what_if}.",)


def test_a_fleet_fits_a_page() -> None:
    """What is left out of the page is counted; the most urgent ones are in it."""
    many = replace(
        report(),
        assessments=(pool(),) * (ROWS + 7),
        left_out=(LeftOut(name="x", why="y"),) * (LEFT_OUT + 3),
    )
    told = view_of(many, Wall())
    assert (len(told.rows), told.more_rows) == (ROWS, 7)
    assert (len(told.parts), told.more_parts) == (PARTS, ROWS + 7 - PARTS)
    assert (len(told.left_out), told.more_left_out) == (LEFT_OUT, 3)
    assert told.rows[PARTS - 1].place == f"resource-{PARTS - 1}"
    assert told.rows[PARTS].place == ""


def test_the_runway_is_of_what_runs_out() -> None:
    """Places are shares of the horizon; what has run out has no way left."""
    runway = runway_of(report(), Wall())
    assert runway is not None
    out, likely, possible = runway.lanes
    assert (out.begin, out.end, out.middle, out.label) == (0.0, 1.0, 0.0, "since 21 Nov")
    assert likely.begin == pytest.approx(14 / 90)
    assert likely.middle == pytest.approx(23 / 90)
    assert (likely.label, likely.open, likely.tint) == ("18 Dec", False, "fail")
    assert (possible.middle, possible.end, possible.open) == (None, 1.0, True)
    assert (possible.label, possible.tint) == ("perhaps from 4 Feb", "inconclusive")
    assert runway.ticks[0] == (0.0, "today")


def test_the_runway_is_short() -> None:
    """Of more than six the rest is counted; without any there is none."""
    runway = runway_of(replace(report(), assessments=(disk(),) * 14), Wall())
    assert runway is not None
    assert (len(runway.lanes), runway.more) == (LANES, 8)
    assert runway_of(report(cores(), partitions(), new()), Wall()) is None


def test_places_stay_on_the_line() -> None:
    """A day of before the report, or after its end, is at the edge."""
    out = Exhaustion(chance=0.9, p10=day(-3), p50=day(20), p90=day(200))
    runway = runway_of(report(replace(disk(), exhaustion=out)), Wall())
    assert runway is not None
    assert (runway.lanes[0].begin, runway.lanes[0].end) == (0.0, 1.0)
