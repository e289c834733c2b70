"""Forecasts held against what came: known answers, and nothing seen of the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.outcome import LEVELS, Forecast
from models.hindsight import Floats, hindsight, seasonal_scale

WEEK = 7


def daily(values: Floats, **more: tuple[int, ...]) -> History:
    """A series of days."""
    return History(values=values, step_s=DAY_S, **more)  # type: ignore[arg-type]


def flat(history: History, ahead: int, *, off: float = 0.0, half: float = 1.0) -> Forecast:
    """The last value goes on; an interval of 90 % reaches `half` to both sides."""
    if len(history.values) < 2 * WEEK:
        raise ShortHistoryError(needs_s=14 * DAY_S, has_s=len(history.values) * DAY_S)
    errors = np.interp(LEVELS, [0.05, 0.95], [-half, half])
    return Forecast(
        start_ms=int(history.starts(1)[-1]),
        step_s=history.step_s,
        point=np.full(ahead, history.values[-1] + off),
        errors=np.repeat(errors[:, None], ahead, axis=1),
    )


def test_figures_of_a_forecast_that_is_off_by_two() -> None:
    """Worked out by hand: a season's change is 7, the error 2, the miss 1 with a fee of 20."""
    told = hindsight(
        daily(np.append(np.arange(28.0), [27.0, 27.0])),
        2,
        lambda history, ahead: flat(history, ahead, off=2.0),
        origins=1,
        every=1,
    )
    (one,) = told
    assert one.compared == 2
    assert one.mase == pytest.approx(2 / 7)
    assert one.smape == pytest.approx(100 * 2 * 2 / (29 + 27))
    assert one.covered == 0.0
    assert one.interval_score == pytest.approx((2 + 20 * 1) / 7)
    assert one.bias == pytest.approx(2 / 7)


def test_origins_are_told_oldest_first() -> None:
    """Each begins where its forecast does."""
    told = hindsight(daily(np.arange(60.0)), 5, flat, origins=3, every=10)
    assert [one.at_ms // (1000 * DAY_S) for one in told] == [35, 45, 55]


def test_origins_with_too_little_before_them_are_left_out() -> None:
    """A young series is judged by what there is."""
    assert len(hindsight(daily(np.arange(30.0)), 5, flat, origins=9, every=5)) == 3


def test_no_origin_at_all_is_told_with_what_it_needs() -> None:
    """Two weeks to learn from, and the horizon to look at."""
    with pytest.raises(ShortHistoryError) as caught:
        hindsight(daily(np.arange(16.0)), 5, flat, origins=3, every=1)
    assert (caught.value.needs_s, caught.value.has_s) == (19 * DAY_S, 16 * DAY_S)
    with pytest.raises(ShortHistoryError):
        hindsight(daily(np.arange(3.0)), 5, flat, origins=3, every=1)


def test_nothing_measured_afterwards_is_no_figure() -> None:
    """Missing is never a good forecast."""
    values = np.append(np.arange(28.0), [np.nan] * 2)
    with pytest.raises(ValueError, match="nothing was measured"):
        hindsight(daily(values), 2, flat, origins=1, every=1)


def test_a_constant_series_has_no_scale() -> None:
    """No division by zero: what cannot be scaled is not a number."""
    (one,) = hindsight(daily(np.full(30, 5.0)), 2, flat, origins=1, every=1)
    assert np.isnan(one.mase)
    assert one.covered == 1.0
    assert np.isnan(seasonal_scale(np.arange(3.0), 7))


@given(st.integers(0, 29), st.floats(-1e6, 1e6))
def test_nothing_is_seen_of_the_future(at: int, value: float) -> None:
    """What comes after an origin changes what it is held against, never what was told."""
    seen: list[Floats] = []

    def watching(history: History, ahead: int) -> Forecast:
        seen.append(history.values.copy())
        assert all(change < len(history.values) for change in history.changes)
        return flat(history, ahead)

    values = np.sin(np.arange(60.0))
    hindsight(daily(values, changes=(20, 50)), 30, watching, origins=1, every=1)
    values[30 + at] = value
    hindsight(daily(values, changes=(20, 50)), 30, watching, origins=1, every=1)
    np.testing.assert_array_equal(seen[0], seen[1])


@given(
    arrays(np.float64, 40, elements=st.floats(-100, 100)),
    st.floats(0.1, 10),
    st.floats(-50, 50),
)
def test_figures_do_not_depend_on_units(values: Floats, scale: float, shift: float) -> None:
    """Bytes or megabytes, with any zero: the same."""
    values = values + np.arange(40.0)
    made = {}
    for name, (times, more) in {"one": (1.0, 0.0), "other": (scale, shift)}.items():
        (made[name],) = hindsight(
            daily(times * values + more),
            5,
            lambda history, ahead, times=times: flat(history, ahead, half=np.pi * times),  # type: ignore[misc]
            origins=1,
            every=1,
        )
    for figure in ("mase", "covered", "interval_score", "bias"):
        one, other = getattr(made["one"], figure), getattr(made["other"], figure)
        assert other == pytest.approx(one, rel=1e-6, abs=1e-6, nan_ok=True)
