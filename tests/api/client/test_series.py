"""Series of pandas on an even grid: hours and days, gaps, zones, and what is no series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client.series import DAY_S, HOUR_S, each, grid_of, milliseconds_of, seconds_of, times_of
from detector.errors import InputError

BEGIN = pd.Timestamp("2026-03-02T00:00Z")


def series_of(values: list[float], freq: str = "1h", begin: pd.Timestamp = BEGIN) -> pd.Series:
    """Values at even times."""
    return pd.Series(values, index=pd.date_range(begin, periods=len(values), freq=freq))


def refused(call: Any, match: str) -> str:  # noqa: ANN401
    """The field of the refusal."""
    with pytest.raises(InputError, match=match) as error:
        call()
    return error.value.field


def test_hours_stay_hours() -> None:
    """What is even already is taken as it is."""
    start, step, values = grid_of(series_of([1.0, 2.0, np.nan, 4.0]), step_s=None, how="mean")
    assert (start, step) == (BEGIN.value // 10**6, HOUR_S)
    np.testing.assert_array_equal(values, [1.0, 2.0, np.nan, 4.0])


def test_minutes_become_hours_by_their_mean_or_their_most() -> None:
    """A disk is full at its most, and not in the mean."""
    series = series_of([1.0, 3.0, 8.0, 2.0], "30min")
    assert grid_of(series, step_s=None, how="mean")[2].tolist() == [2.0, 5.0]
    assert grid_of(series, step_s=None, how="max")[2].tolist() == [3.0, 8.0]


def test_what_is_rarer_than_hours_becomes_days() -> None:
    """A value each six hours has no day in it."""
    _, step, values = grid_of(series_of([1.0, 2.0, 3.0, 4.0], "6h"), step_s=None, how="mean")
    assert (step, values.tolist()) == (DAY_S, [2.5])


def test_a_step_may_be_asked_for() -> None:
    """A horizon of months is told by days."""
    _, step, values = grid_of(series_of([1.0] * 48), step_s=DAY_S, how="max")
    assert (step, values.tolist()) == (DAY_S, [1.0, 1.0])


def test_a_time_zone_moves_nothing() -> None:
    """The same instants are the same grid."""
    series = series_of([1.0, 2.0, 3.0])
    berlin = series.tz_convert("Europe/Berlin")
    here, there = (grid_of(one, step_s=None, how="mean") for one in (series, berlin))
    assert here[:2] == there[:2]
    np.testing.assert_array_equal(here[2], there[2])


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=50), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(values: list[float], random: Any) -> None:  # noqa: ANN401
    """A frame that was joined from parts is the same history."""
    series = series_of(values)
    places = list(range(len(values)))
    random.shuffle(places)
    in_order, shuffled = (grid_of(one, step_s=HOUR_S, how="mean")
                          for one in (series, series.iloc[places]))  # fmt: skip
    assert in_order[:2] == shuffled[:2]
    np.testing.assert_array_equal(in_order[2], shuffled[2])


@given(st.integers(1, 200), st.sampled_from([1, 7, 30, 60]))
def test_a_mean_lies_within_what_it_is_of(count: int, minutes: int) -> None:
    """And no value is counted twice."""
    values = np.random.default_rng(count).normal(size=count)
    series = series_of(list(values), f"{minutes}min")
    _, _, means = grid_of(series, step_s=HOUR_S, how="mean")
    _, _, most = grid_of(series, step_s=HOUR_S, how="max")
    assert np.nanmax(most) == values.max()
    assert (means <= most + 1e-12).all()
    assert len(means) == (count - 1) * minutes // 60 + 1


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (series_of([1.0, np.inf]), "infinite"),
        (pd.Series(["a", "b"], index=series_of([1, 2]).index), "no numbers"),
        (pd.Series([1.0, 2.0]), "no times"),
        (series_of([1.0, 2.0]).tz_localize(None), "no time zone"),
        (series_of([]), "0 values"),
        (pd.Series([1.0, 2.0], index=pd.DatetimeIndex([BEGIN, pd.NaT])), "NaT"),
        (
            pd.Series([1.0, 2.0], index=pd.DatetimeIndex([BEGIN, BEGIN + pd.Timedelta("9999D")])),
            "steps, above",
        ),
    ],
    ids=["infinite", "words", "no times", "no zone", "nothing", "no time", "too long"],
)
def test_what_is_no_series_is_refused(series: pd.Series, words: str) -> None:
    """With what is wrong with it."""
    assert refused(lambda: grid_of(series, step_s=HOUR_S, how="mean"), words) == "history"


def test_a_grid_of_another_step_or_sum_is_refused() -> None:
    """There is no half hour, and no median."""
    series = series_of([1.0, 2.0])
    assert refused(lambda: grid_of(series, step_s=1800, how="mean"), "an hour or a day") == "step"
    assert refused(lambda: grid_of(series, step_s=None, how="median"), "neither") == "how"


def test_a_frame_is_its_columns() -> None:
    """One after the other, with their names."""
    frame = pd.DataFrame({"a": series_of([1.0]), "b": series_of([2.0])})
    assert [name for name, _ in each(frame)] == ["a", "b"]
    assert [name for name, _ in each(frame["a"])] == ["a"]
    twice = frame.set_axis(["a", "a"], axis=1)
    assert refused(lambda: list(each(twice)), "one name") == "history"
    assert refused(lambda: list(each(frame[[]])), "0 columns") == "history"
    assert refused(lambda: list(each([1.0])), "give a Series") == "history"


@pytest.mark.parametrize(
    ("span", "seconds"), [("14d", 14 * DAY_S), (90, 90.0), (pd.Timedelta("6h"), 6 * HOUR_S)]
)
def test_spans_are_told_in_many_ways(span: Any, seconds: float) -> None:  # noqa: ANN401
    """As pandas tells them."""
    assert seconds_of(span, "horizon") == seconds


@pytest.mark.parametrize("span", ["soon", "-1d", 0, None, "", "1e99d"])
def test_what_is_no_span_is_refused(span: Any) -> None:  # noqa: ANN401
    """By its field."""
    assert refused(lambda: seconds_of(span, "horizon"), "horizon") == "horizon"


@given(st.lists(st.integers(-(2**40), 2**41), min_size=1, max_size=20))
def test_times_come_back_as_they_went(at: list[int]) -> None:
    """To the millisecond."""
    times = times_of(np.array(at, np.int64))
    assert str(times.dtype) == "datetime64[ns, UTC]"
    assert milliseconds_of(times, "history").tolist() == at
