"""Samples on a grid: what steps tell, and that gaps stay gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.gridded import Floats, gridded
from models.stat import Stat

HOUR = 3600.0
# Whole seconds: the laws are about steps, not about the last bits of sums.
moments = arrays(np.float64, st.integers(0, 40), elements=st.integers(-100, 1300).map(float))
levels = st.integers(-1000, 1000).map(float)


def on(times: Floats, values: Floats, stat: Stat, *, step: float = 60.0, count: int = 20) -> Floats:
    """From 0 on."""
    return gridded(times, values, start=0.0, step=step, count=count, stat=stat)


def counted(times: Floats, values: list[float], *, step: float = 60.0, count: int = 4) -> Floats:
    """Rates of a counter."""
    return on(times, np.array(values), Stat.RATE, step=step, count=count)


@pytest.mark.parametrize(
    ("stat", "first"), [(Stat.MEAN, 3.0), (Stat.MAX, 5.0), (Stat.MIN, 1.0), (Stat.LAST, 3.0)]
)
def test_a_step_tells_what_was_asked_for(stat: Stat, first: float) -> None:
    """In whatever order the samples come; a step without any is missing."""
    told = on(np.array([59.0, 0.0, 30.0, 125.0]), np.array([3.0, 1.0, 5.0, 7.0]), stat, count=3)
    np.testing.assert_array_equal(told, [first, np.nan, 7.0])


def test_the_end_of_a_step_belongs_to_the_next() -> None:
    """Rows that are named by the hour in which they begin lie in it."""
    told = on(np.array([0.0, 60.0]), np.array([1.0, 2.0]), Stat.MEAN, count=2)
    np.testing.assert_array_equal(told, [1.0, 2.0])


def test_what_is_not_finite_is_no_sample() -> None:
    """A NaN told by a target does not hide the others."""
    told = on(np.array([0.0, 1.0, 2.0]), np.array([np.nan, np.inf, 4.0]), Stat.MEAN, count=1)
    np.testing.assert_array_equal(told, [4.0])


def test_of_samples_at_one_time_the_last_holds() -> None:
    """A row that is written again is corrected, not counted twice."""
    told = on(np.array([5.0, 5.0, 6.0]), np.array([100.0, 2.0, 4.0]), Stat.MEAN, count=1)
    np.testing.assert_array_equal(told, [3.0])


def test_a_counter_that_grows_evenly_has_one_rate() -> None:
    """In steps that begin and end between samples, too."""
    times = np.arange(0.0, 241.0, 25.0)
    np.testing.assert_allclose(counted(times, (2 * times).tolist()), [2.0] * 4)


def test_a_counter_that_fell_began_anew() -> None:
    """What it grew to since is counted, never a negative rate."""
    told = counted(np.arange(0.0, 241.0, 60.0), [100.0, 160.0, 30.0, 90.0, 150.0])
    np.testing.assert_allclose(told, [1.0, 0.5, 1.0, 1.0])


def test_a_long_silence_of_a_counter_is_a_gap() -> None:
    """What it grew meanwhile is of no hour."""
    told = counted(np.array([0.0, 60.0, 180.0, 240.0]), [0.0, 60.0, 600.0, 660.0])
    np.testing.assert_allclose(told, [1.0, np.nan, np.nan, 1.0])


def test_a_counter_told_once_a_step_has_rates() -> None:
    """Hourly rows of a database, though some come a little late."""
    times = HOUR * np.arange(5) + np.array([0.0, 9.0, 0.0, 4.0, 0.0])
    told = counted(times, (3 * times).tolist(), step=HOUR)
    np.testing.assert_allclose(told, [3.0] * 4)


def test_a_negative_counter_is_no_count() -> None:
    """An honest gap in place of a rate that was never there."""
    told = counted(np.arange(0.0, 241.0, 60.0), [0.0, 60.0, -5.0, 180.0, 240.0])
    np.testing.assert_allclose(told, [1.0, np.nan, np.nan, 1.0])


@pytest.mark.parametrize("stat", list(Stat))
def test_without_samples_nothing_is_known(stat: Stat) -> None:
    """As many steps as were asked for."""
    assert np.isnan(on(np.zeros(0), np.zeros(0), stat)).all()
    assert on(np.zeros(0), np.zeros(0), stat).shape == (20,)


@given(moments, st.data())
def test_a_mean_lies_between_least_and_most(times: Floats, data: st.DataObject) -> None:
    """And all of them know of the same steps."""
    values = data.draw(arrays(np.float64, len(times), elements=levels))
    least, mean, most = (on(times, values, stat) for stat in (Stat.MIN, Stat.MEAN, Stat.MAX))
    there = np.isfinite(mean)
    np.testing.assert_array_equal(there, np.isfinite(least))
    assert (least[there] <= mean[there] + 1e-9).all()
    assert (mean[there] <= most[there] + 1e-9).all()


@given(moments, st.data(), st.sampled_from(list(Stat)))
def test_the_order_of_samples_does_not_matter(
    times: Floats, data: st.DataObject, stat: Stat
) -> None:
    """Rows of a database come in any."""
    times = np.unique(times)
    values = data.draw(arrays(np.float64, len(times), elements=levels))
    order = np.array(data.draw(st.permutations(range(len(times)))), np.int64)
    np.testing.assert_array_equal(on(times, values, stat), on(times[order], values[order], stat))


@given(moments, st.data())
def test_a_rate_is_never_negative(times: Floats, data: st.DataObject) -> None:
    """Whatever a counter does."""
    values = data.draw(arrays(np.float64, len(times), elements=levels))
    told = on(times, values, Stat.RATE)
    assert (told[np.isfinite(told)] >= 0).all()


@given(arrays(np.float64, st.integers(13, 30), elements=st.integers(0, 50).map(float)))
def test_rates_add_up_to_what_was_counted(grown: Floats) -> None:
    """No request is lost between steps, nor counted twice, over resets."""
    total = np.cumsum(grown)
    counter = np.where(
        total > total[-1] / 2, total - total[total <= total[-1] / 2].max(initial=0), total
    )
    times: Floats = 20.0 * np.arange(len(grown), dtype=np.float64)
    count = int(times[-1] // 60)
    told = on(times, counter, Stat.RATE, count=count)
    exact = np.interp(60.0 * count, times, total) - total[0]
    np.testing.assert_allclose(60 * told.sum(), exact, rtol=1e-9, atol=1e-6)
