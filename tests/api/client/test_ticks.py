"""Names on axes: few, round, in order and in the picture."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.client.ticks import Tick, number_ticks, power_ticks, time_ticks

NUMBERS = st.floats(-1e15, 1e15)
# From 1970 to 2200.
TIMES = st.floats(0, 7.26e12)


def in_order(ticks: list[Tick], low: float, high: float) -> bool:
    """Each above the one before, and all seen."""
    places = [tick.at for tick in ticks]
    room = 1e-6 * (high - low)
    seen = all(low - room <= place <= high + room for place in places)
    return seen and places == sorted(set(places))


@given(NUMBERS, NUMBERS)
def test_numbers_are_few_and_seen(one: float, other: float) -> None:
    """From two to eight, whatever the range."""
    low, high = sorted((one, other))
    assume(high - low > 1e-9 * max(abs(low), abs(high), 1))
    ticks = list(number_ticks(low, high))
    assert 2 <= len(ticks) <= 8
    assert in_order(ticks, low, high)


@given(st.floats(-12, 12), st.floats(0.1, 30))
def test_powers_are_few_and_seen(low: float, size: float) -> None:
    """Also where evidence grows over thirty decades."""
    ticks = list(power_ticks(low, low + size))
    assert len(ticks) <= 7
    assert in_order(ticks, low, low + size)
    assert all(float(tick.name) == pytest.approx(10.0**tick.at) for tick in ticks)


@given(TIMES, st.floats(5000, 1e12))
def test_times_are_few_and_seen(since: float, size: float) -> None:
    """From seconds to decades."""
    ticks = list(time_ticks(since, since + size))
    assert len(ticks) <= 9
    assert in_order(ticks, since, since + size)


@pytest.mark.parametrize(
    ("hours", "names"),
    [
        (0.02, ["00:00:00", "00:00:15", "00:00:30", "00:00:45", "00:01:00"]),
        (2.0, ["00:00", "00:30", "01:00", "01:30", "02:00"]),
        (48.0, ["00:00", "12:00", "00:00", "12:00", "00:00"]),
        (24.0 * 5, ["2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar", "7 Mar"]),
        (24.0 * 28, ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar"]),
    ],
)
def test_times_are_named_by_how_much_is_seen(hours: float, names: list[str]) -> None:
    """Weeks begin on Mondays."""
    since = 1000 * datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    assert [tick.name for tick in time_ticks(since, since + hours * 3_600_000)] == names


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0.0, 3e9, ["0", "500M", "1G", "1.5G", "2G", "2.5G", "3G"]),
        (-0.02, 0.021, ["-0.02", "-0.01", "0", "0.01", "0.02"]),
        (99.0, 100.0, ["99", "99.2", "99.4", "99.6", "99.8", "100"]),
        (0.0, 60_000.0, ["0", "10k", "20k", "30k", "40k", "50k", "60k"]),
    ],
)
def test_numbers_are_named_shortly(low: float, high: float, names: list[str]) -> None:
    """As people say them."""
    assert [tick.name for tick in number_ticks(low, high)] == names
