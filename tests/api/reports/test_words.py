"""Dates, spans, chances and money, by the clock on the wall of who reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.words import Wall, chance_text, money_text, share_text, span_text
from pipelines.zones import calendar_of
from tests.api.reports.examples import DAY_MS, NOW

BERLIN = Wall(calendar=calendar_of("Europe/Berlin"), zone="Europe/Berlin")
MOMENTS = st.integers(1_300_000_000_000, 2_400_000_000_000)


def test_a_day_is_that_of_the_wall() -> None:
    """At 23:30 UTC it is the next day in Berlin, and people there call it so."""
    late = int(datetime(2026, 12, 17, 23, 30, tzinfo=UTC).timestamp()) * 1000
    assert Wall().day(late, NOW) == "Thursday 17 December"
    assert BERLIN.day(late, NOW) == "Friday 18 December"


def test_a_moment_has_its_zone() -> None:
    """A time without one is read by another clock sooner or later."""
    assert BERLIN.minute(NOW) == "25 November 2026, 08:00 Europe/Berlin"


def test_clocks_that_change_make_no_day() -> None:
    """A week over the end of summer time has 169 hours and seven days."""
    begin = int(datetime(2026, 10, 22, 22, 30, tzinfo=UTC).timestamp()) * 1000
    assert BERLIN.days(begin + 7 * DAY_MS + 3_600_000, begin) == 7


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-12-18", "18 December"),
        ("2027-01-04", "4 January 2027"),
        ("2028-02-29", "29 February 2028"),
    ],
)
def test_another_year_is_said(at: str, words: str) -> None:
    """4 January is not long gone but next year's."""
    day = int(datetime.fromisoformat(f"{at}T12:00+00:00").timestamp()) * 1000
    assert Wall().date(day, NOW) == words


@given(MOMENTS, st.integers(-400, 400))
def test_days_ahead_are_counted_by_midnights(now: int, days: int) -> None:
    """Tomorrow is tomorrow, be it a minute after midnight; and past is never future."""
    at = (now // DAY_MS + days) * DAY_MS + DAY_MS // 2
    assert Wall().days(at, now) == days
    told = Wall().ahead(at, now)
    assert told.endswith("ago") == (days < 0)
    assert (told in {"today", "tomorrow"}) == (days in {0, 1})
    assert told.startswith("in ") == (days > 1)


@given(MOMENTS)
def test_a_stamp_is_read_back(at: int) -> None:
    """Charts place by it."""
    read = datetime.strptime(Wall().stamp(at), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert 0 <= at / 1000 - read.timestamp() < 60


@given(st.floats(0, 1))
def test_nothing_is_certain(chance: float) -> None:
    """Neither 0 % nor 100 %, of what is only a forecast."""
    assert chance_text(chance) not in {"0 %", "100 %"}


@given(st.floats(-1e9, 1e9), st.sampled_from(["EUR", "$", ""]))
def test_money_has_no_sign(amount: float, currency: str) -> None:
    """Whether it is spent or saved stands before it."""
    told = money_text(amount, currency)
    assert "-" not in told
    assert told.endswith("a month")
    assert currency in told


@given(st.floats(0, 50))
def test_shares_are_whole_per_cent(share: float) -> None:
    """No reader needs more."""
    number = float(share_text(share).removesuffix(" %").replace(",", ""))
    assert abs(number - 100 * share) <= 0.5 + 1e-9


@given(st.integers(1, 10_000))
def test_spans_are_days_or_hours(hours: int) -> None:
    """One day, two days; never 0."""
    number, unit = span_text(hours * 3600).split()
    assert (number == "1") == (not unit.endswith("s"))
    assert int(number) > 0
