"""`reports:` in the configuration: what is wrong with it is told at the start."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api.reports_settings import ReportsSection
from api.settings import Settings
from detector.errors import ConfigError
from detector.gate.telling import Route
from detector.reports.moments import MonthlyAt
from pipelines.stores.memory import memory_stores
from tests.pipelines.capacity.faked import TableRanges

# Monday 6 July 2026, 09:00 in Berlin, where it is summer.
JULY = 1_783_321_200.0


def section(**scheduled: Any) -> ReportsSection:  # noqa: ANN401 - as it is written
    """Of these schedules."""
    return ReportsSection.model_validate({"scheduled": scheduled})


def test_a_schedule_is_what_it_says() -> None:
    """By the clock of its zone, and else by that of the stream."""
    written = {
        "at": "monday 09:00", "team": "shop", "services": ["cart"], "horizon": "30d",
        "what_if": ["traffic +40% from 2026-12-01"], "to": ["chat"],
    }  # fmt: skip
    (found,) = section(shop=written).native("Europe/Berlin")
    assert (found.name, found.to) == ("shop", ("chat",))
    assert found.order.horizon_s == 30 * 86_400
    assert (found.order.team, found.order.services) == ("shop", ("cart",))
    assert found.order.what_if == ("traffic +40% from 2026-12-01",)
    assert found.moment.before(JULY + 5) == JULY
    own = ReportsSection.model_validate(
        {"zone": "Europe/Berlin", "scheduled": {"shop": {"at": "monday 09:00"}}}
    )
    assert own.native("Asia/Tokyo")[0].moment.before(JULY + 5) == JULY


def test_a_schedule_may_be_short() -> None:
    """Of all, for 90 days, to all who want reports."""
    (found,) = section(monthly={"at": "day 1 08:00"}).native("")
    assert isinstance(found.moment, MonthlyAt)
    assert (found.order.scope, found.order.horizon_s) == ("all services", 90 * 86_400)
    assert found.to == ()


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("weekly", {}, "at"),
        ("weekly", {"at": "every day"}, "monday 09:00"),
        ("weekly", {"at": "never"}, "monday 09:00"),
        ("weekly", {"at": "monday 09:00", "horizon": "5y"}, "horizon|span"),
        ("weekly", {"at": "monday 09:00", "horizon": "400d"}, "366d"),
        ("weekly", {"at": "monday 09:00", "what_if": ["more"]}, "what-if"),
        ("weekly", {"at": "monday 09:00", "too": ["chat"]}, "too"),
        ("Weekly!", {"at": "monday 09:00"}, "small letters"),
        ("capacity", {"at": "monday 09:00"}, "none of capacity, report"),
        ("report", {"at": "monday 09:00"}, "none of capacity, report"),
    ],
)
def test_what_is_wrong_is_named(name: str, written: dict[str, object], words: str) -> None:
    """At the start, and not on the first Monday."""
    with pytest.raises(ValidationError, match=words):
        section(**{name: written})


def test_a_zone_that_is_not_known_is_refused() -> None:
    """Rather than taken for UTC."""
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        ReportsSection.model_validate({"zone": "Berlin"})


def test_a_notifier_that_is_misspelt_is_refused() -> None:
    """It would never be told."""
    from api.reporting import open_scheduling

    settings = Settings(reports=section(weekly={"at": "monday 09:00", "to": ["chta"]}))
    with pytest.raises(ConfigError, match=r"weekly\.to.*'chta'.*chat"):
        open_scheduling(settings, TableRanges({}), memory_stores(), routes=[Route(name="chat")])


def test_without_schedules_nothing_runs() -> None:
    """Nor is a source asked."""
    from api.reporting import open_scheduling

    assert open_scheduling(Settings(), TableRanges({}), memory_stores()) is None
