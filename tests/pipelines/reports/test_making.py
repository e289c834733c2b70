"""A report made to order: of whom, for how long, and with what is supposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Resource
from detector.errors import InputError, SourceError
from pipelines.reports.making import Making, Order
from tests.pipelines.capacity.test_refreshing import NOW, Reads, disk

MONTH = Order(horizon_s=30 * 86_400)
LEFT = (
    LeftOut(name="redis.memory", why="refused"),
    LeftOut(name="disk logs of db", why="all missing"),
    LeftOut(name="disk data of cart", why="all missing"),
)


def of(service: str, team: str = "") -> Resource:
    """A disk of a service, full in ten days."""
    return replace(disk("data", full_in_days=10), service=service, team=team)


def making(*resources: Resource, **more: object) -> Making:
    """Of these, with three left out."""
    reads = Reads(resources or [of("db", "stores"), of("cart", "shop"), of("web", "shop")], LEFT)
    return Making(reads=reads, read_s=5.0, **more)  # type: ignore[arg-type]


def names(report: Report) -> list[str]:
    """Whose resources it tells of."""
    return sorted(one.identity.service for one in report.assessments)


@pytest.mark.parametrize(
    ("order", "services", "scope"),
    [
        (MONTH, ["cart", "db", "web"], "all services"),
        (replace(MONTH, services=("db",)), ["db"], "db"),
        (replace(MONTH, services=("db", "web")), ["db", "web"], "db, web"),
        (replace(MONTH, team="shop"), ["cart", "web"], "team shop"),
        (replace(MONTH, team="shop", services=("web", "db")), ["web"], "web, db of team shop"),
    ],
    ids=["all", "service", "services", "team", "both"],
)
def test_a_report_is_about_what_was_asked(order: Order, services: list[str], scope: str) -> None:
    """And says so."""
    report = making().made(order, NOW)
    assert (names(report), report.scope) == (services, scope)
    assert (report.made_at, report.horizon_s) == (round(1000 * NOW), 30 * 86_400)
    assert report.summary


def test_what_was_left_out_of_others_is_not_told() -> None:
    """But what could not be asked for at all is: it may have been theirs."""
    report = making().made(replace(MONTH, services=("db",)), NOW)
    assert [one.name for one in report.left_out] == ["redis.memory", "disk logs of db"]
    assert len(making().made(MONTH, NOW).left_out) == 3


@pytest.mark.parametrize(
    ("order", "field", "known"),
    [
        (replace(MONTH, services=("bd",)), "service", "cart, db, web"),
        (replace(MONTH, team="shp"), "team", "shop, stores"),
    ],
)
def test_a_misspelt_name_is_no_good_news(order: Order, field: str, known: str) -> None:
    """An empty report would say that nothing runs out."""
    with pytest.raises(InputError, match=known) as caught:
        making().made(order, NOW)
    assert caught.value.field == field


def test_a_fleet_without_resources_has_a_report() -> None:
    """Which says that there are none."""
    report = Making(reads=Reads([]), read_s=5.0).made(MONTH, NOW)
    assert report.assessments == ()


def test_what_is_supposed_is_in_the_report() -> None:
    """And in each of its resources; it makes dates earlier."""
    plain = making(of("db")).made(MONTH, NOW).assessments[0]
    order = replace(MONTH, what_if=("disk: limit +50%",))
    report = making(of("db")).made(order, NOW)
    assert report.what_if == ("disk: limit +50%",)
    assert report.assessments[0].what_if == ("disk: limit +50%",)
    assert plain.exhaustion is not None
    assert report.assessments[0].exhaustion is not None
    assert report.assessments[0].exhaustion.chance < plain.exhaustion.chance


def test_what_cannot_be_supposed_is_refused_before_reading() -> None:
    """Reading takes minutes."""
    one = making()
    with pytest.raises(InputError, match="what-if"):
        one.made(replace(MONTH, what_if=("more of everything",)), NOW)
    assert isinstance(one.reads, Reads)
    assert one.reads.asked == []


def test_earlier_reports_are_asked_for_by_the_moment() -> None:
    """What was said before is held against what came."""
    asked: list[int] = []

    def past(at: int) -> Sequence[Report]:
        asked.append(at)
        return ()

    making(past=past).made(MONTH, NOW)
    assert asked == [round(1000 * NOW)]


def test_a_source_that_is_away_is_told() -> None:
    """The report is not empty then; it is not there."""
    down = Reads([], error=SourceError("Prometheus is down"))
    with pytest.raises(SourceError, match="down"):
        Making(reads=down, read_s=5.0).made(MONTH, NOW)


@pytest.mark.parametrize("days", [0, 0.5, 367, 4000])
def test_a_horizon_is_bounded(days: float) -> None:
    """A century of days is no forecast."""
    with pytest.raises(InputError, match="between 1d and 366d"):
        Order(horizon_s=round(days * 86_400))


@given(st.lists(st.text(min_size=1, max_size=9), max_size=9), st.text(max_size=9))
def test_a_scope_is_short(services: list[str], team: str) -> None:
    """However many services; and it never is empty."""
    scope = Order(horizon_s=86_400, services=tuple(services), team=team).scope
    assert scope
    assert len(scope) < 90
    assert (scope == "all services") == (not services and not team) or "all services" in {
        team,
        *services,
    }
