"""Windows that roll, and windows of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.slo.window import Calendar, Rolling, parse_duration, span_of

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = datetime.fromisoformat("2026-01-01")


def calendar(text: str, start: datetime = NEW_YEAR) -> Calendar:
    return Calendar(duration=parse_duration(text, field="d"), start=start, zone=BERLIN)


def at(year: int, month: int, day: int, hour: int = 0) -> float:
    return datetime(year, month, day, hour, tzinfo=BERLIN).timestamp()


def test_a_rolling_window_ends_now() -> None:
    """It has no edge at which a budget comes back at once."""
    assert span_of(Rolling(seconds=60.0, text="1m"), 100.0) == (40.0, 100.0)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("1M", (2026, 3, 1), (2026, 4, 1)),
        ("1Q", (2026, 1, 1), (2026, 4, 1)),
        ("1Y", (2026, 1, 1), (2027, 1, 1)),
        ("1d", (2026, 3, 29), (2026, 3, 30)),
        ("1w", (2026, 3, 26), (2026, 4, 2)),
    ],
)
def test_the_calendar_keeps_local_midnight(
    text: str, begin: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    """On the day of 23 hours too."""
    assert span_of(calendar(text), at(2026, 3, 29, 12)) == (at(*begin), at(*end))


def test_a_month_that_begins_on_the_31st() -> None:
    """Shorter months begin on their last day."""
    found = span_of(calendar("1M", datetime.fromisoformat("2026-01-31")), at(2026, 2, 28, 1))
    assert found == (at(2026, 2, 28), at(2026, 3, 31))


def test_before_the_first_window_there_is_none() -> None:
    """Nothing is promised yet."""
    with pytest.raises(InputError, match="begins later"):
        span_of(calendar("1M"), datetime(2025, 1, 1, tzinfo=UTC).timestamp())


@given(st.sampled_from(["1h", "3d", "2w", "1M", "1Q", "1Y"]), st.floats(1.77e9, 3.5e9))
def test_every_time_lies_in_its_window(text: str, as_of: float) -> None:
    """Windows leave no gap."""
    begin, end = span_of(calendar(text), as_of)
    assert begin <= as_of < end
    assert span_of(calendar(text), begin)[0] == begin


@pytest.mark.parametrize("text", ["", "0d", "-1d", "1.5h", "1 d", "d", "1y", "1s", "١d"])
def test_what_is_no_shorthand(text: str) -> None:
    """The unit's case counts: m is minutes, M months."""
    with pytest.raises(InputError, match="is no duration"):
        parse_duration(text, field="window")
