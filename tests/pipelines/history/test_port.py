"""Names of series and grids of time, over summer time and leap days."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from models.baseline.calendar import Calendar, local_ms
from models.forecast.history import DAY_S, HOUR_S
from pipelines.history.port import SeriesId, Span, history_of, span_until
from pipelines.zones import calendar_of

NOW = 1_782_000_000
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC", "")
labels = st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.text(max_size=4))


@given(labels, labels)
def test_names_tell_series_apart(one: dict[str, str], other: dict[str, str]) -> None:
    """A key by which results are kept: the same only where the labels are."""
    same = SeriesId.of(one) == SeriesId.of(other)
    assert (SeriesId.of(one).name == SeriesId.of(other).name) == same


@given(labels)
def test_an_empty_label_is_none(told: dict[str, str]) -> None:
    """As everywhere in Prometheus; nor does the order matter."""
    backwards = dict(reversed(told.items()))
    assert SeriesId.of({**backwards, "zz_none": ""}) == SeriesId.of(told)


def test_a_name_is_promql() -> None:
    """For people who look it up."""
    assert SeriesId.of({"__name__": "up", "b": "2", "a": 'x"'}).name == r'up{a="x\"",b="2"}'
    assert SeriesId.of({"service": "shop"}).name == '{service="shop"}'
    assert SeriesId.of({}).name == "{}"


@given(
    st.integers(NOW, NOW + 400 * DAY_S),
    st.integers(2, 700),
    st.sampled_from(ZONES),
    st.sampled_from([HOUR_S, DAY_S]),
)
def test_a_span_ends_with_the_last_whole_step(until: int, days: int, zone: str, step: int) -> None:
    """Never a step that is not over, and no more than one is left out."""
    span = span_until(until, days * DAY_S, step, calendar_of(zone))
    assert span.steps * step == days * DAY_S
    assert span.end_s <= until < span.end_s + step


@given(st.integers(NOW, NOW + 400 * DAY_S), st.sampled_from(ZONES))
def test_each_local_day_has_one_step(until: int, zone: str) -> None:
    """Over two years of clocks put forward and back, and a leap day."""
    calendar = calendar_of(zone)
    span = span_until(until, 730 * DAY_S, DAY_S, calendar)
    history = history_of(np.zeros(span.steps), span, calendar)
    day = local_ms(history.starts(), calendar) // (1000 * DAY_S)
    np.testing.assert_array_equal(np.diff(day), 1)


def test_days_begin_at_midnight_in_winter() -> None:
    """And at one o'clock in summer: all are as long."""
    until = datetime(2026, 7, 2, 12, tzinfo=UTC).timestamp()
    span = span_until(until, 365 * DAY_S, DAY_S, calendar_of("Europe/Berlin"))
    last = datetime.fromtimestamp(span.end_s, ZoneInfo("Europe/Berlin"))
    assert (last.month, last.day, last.hour) == (7, 2, 1)
    winter = datetime.fromtimestamp(span.end_s - 170 * DAY_S, ZoneInfo("Europe/Berlin"))
    assert winter.hour == 0


@pytest.mark.parametrize(("back", "step"), [(10 * DAY_S, 7000), (60, HOUR_S), (1e9, 60)])
def test_what_is_no_grid_is_refused(back: float, step: int) -> None:
    """A step that does not divide a day, no step at all, and too many."""
    with pytest.raises(InputError):
        span_until(NOW, back, step, Calendar())


def test_a_history_begins_with_its_first_value() -> None:
    """What was before it existed is no gap; what is missing in the middle is."""
    span = Span(start_s=NOW, step_s=HOUR_S, steps=4)
    history = history_of(np.array([np.nan, 1.0, np.nan, 2.0]), span, Calendar(), floor=0.0)
    np.testing.assert_array_equal(history.values, [1.0, np.nan, 2.0])
    assert (history.start_ms, history.step_s) == (1000 * (NOW + HOUR_S), HOUR_S)
    assert history.floor == 0.0
    assert len(history_of(np.full(4, np.nan), span, Calendar()).values) == 0
