"""Trends on bands: what is better stands higher, and what is in a band is drawn in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ui.delivery_view import span_words, value_words
from api.ui.trend import HEIGHT, height_of, trend_of
from detector.delivery.measures import BOUNDS, WEEK_MS, Band, measured, weekly
from tests.detector.delivery.test_measures import T0, deployed

NAMES = st.sampled_from(sorted(BOUNDS))
VALUES = st.floats(0, 1e12)


@given(NAMES, VALUES, VALUES)
def test_what_is_better_is_never_lower(name: str, one: float, other: float) -> None:
    """More deployments are better, all else is the better the less."""
    low, high = sorted((one, other))
    if name == "frequency":
        low, high = high, low
    assert 0 <= height_of(name, low) <= height_of(name, high) <= HEIGHT


@given(NAMES, st.floats(0, 1e11))
def test_a_value_is_drawn_in_its_band(name: str, value: float) -> None:
    """The drawing and the word beside the number say the same."""
    bounds = BOUNDS[name]
    sign = -1 if name == "frequency" else 1
    beyond = (at for at, bound in enumerate(bounds) if sign * value < sign * bound)
    place = next(beyond, len(bounds))
    step = HEIGHT / len(Band)
    assert step * place - 0.01 <= height_of(name, value) <= step * (place + 1) + 0.01


def test_a_week_without_a_value_parts_the_line() -> None:
    """A line over it would claim something of that week."""
    found = [deployed(day) for day in (1, 8, 22, 29)]
    weeks = weekly(found, T0, T0 + 5 * WEEK_MS)
    trend = trend_of("frequency", weeks, ["x"] * 5, ["a", "b", "c", "d", "e"])
    assert [point.words[0] for point in trend.points] == ["a", "b", "d", "e"]
    assert [len(line.split()) for line in trend.lines] == [2, 2]
    assert (trend.begin, trend.end) == ("a", "e")


def test_nothing_is_drawn_of_nothing() -> None:
    """And no line of a single week."""
    none = trend_of("lead_time", weekly((), 0, WEEK_MS), ["–"], ["a"])
    assert (none.points, none.lines) == ((), ())
    one = trend_of("frequency", weekly([deployed(0.5)], T0, T0 + WEEK_MS), ["1"], ["a"])
    assert (len(one.points), one.lines) == (1, ())
    assert measured((), 0, 1).frequency.value is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("frequency", 3.0, "3 a day"),
        ("frequency", 250.0, "250 a day"),
        ("frequency", 0.5, "3.5 a week"),
        ("frequency", 0.1, "3 a month"),
        ("failure_rate", 0.0, "0 %"),
        ("failure_rate", 0.25, "25 %"),
        ("lead_time", None, "–"),
        ("restore_time", 3_600_000.0, "60 minutes"),
    ],
)
def test_values_are_said_as_people_say_them(name: str, value: float | None, words: str) -> None:
    """In the unit in which they are small."""
    assert value_words(name, value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 minutes"), (7200, "2.0 hours"), (172_800, "2.0 days")],
)
def test_spans_are_in_their_own_unit(seconds: float, words: str) -> None:
    """Nobody reads 172800 s."""
    assert span_words(1000 * seconds) == words
