"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.moments import day, lasting, moment_of
from detector.errors import InputError
from models.baseline.calendar import DAY_MS


def at(*parts: int) -> int:
    """In unix ms, UTC."""
    year, month, date, *rest = parts
    hour = rest[0] if rest else 0
    return int(datetime(year, month, date, hour, tzinfo=UTC).timestamp() * 1000)


NOW = at(2026, 11, 27, 21)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01", at(2026, 12, 1)),
        (" 2026-12-01 ", at(2026, 12, 1)),
        ("2026-12-01T08:00", at(2026, 12, 1, 8)),
        ("2026-12-01T08:00+02:00", at(2026, 12, 1, 6)),
        ("1 December", at(2026, 12, 1)),
        ("1. Dec", at(2026, 12, 1)),
        ("27 November", at(2026, 11, 27)),
        ("3 January", at(2027, 1, 3)),
        ("3 January 2026", at(2026, 1, 3)),
        ("29 February", at(2028, 2, 29)),
        ("2028-02-29", at(2028, 2, 29)),
    ],
)
def test_a_moment_is_read(text: str, moment: int) -> None:
    """Of a day without a year, the next one."""
    assert moment_of(text, now=NOW) == moment


def test_the_end_of_a_day_is_with_it() -> None:
    """A campaign to the 24th is still on at noon; a time is a time."""
    assert moment_of("2026-12-24", now=NOW, is_end=True) == at(2026, 12, 25)
    assert moment_of("2026-12-24T18:00", now=NOW, is_end=True) == at(2026, 12, 24, 18)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "31 April",
        "29 February 2027",
        "1 Ju",
        "1 D",
        "0001-01-01",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """With what would be right."""
    with pytest.raises(InputError) as refused:
        moment_of(text, now=NOW)
    assert refused.value.field == "what_if"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3600, "1 hour"), (5 * 3600, "5 hours"), (86_400, "24 hours"),
        (2 * 86_400, "2 days"), (90 * 86_400, "90 days"), (0, "0 hours"),
    ],
)  # fmt: skip
def test_lengths_are_told_in_one_unit(seconds: float, text: str) -> None:
    """Whole ones."""
    assert lasting(seconds) == text


@given(days=st.integers(400, 80_000))
def test_a_day_that_is_told_is_read_again(days: int) -> None:
    """Leap days too."""
    ms = days * DAY_MS
    assert moment_of(day(ms), now=0) == ms
