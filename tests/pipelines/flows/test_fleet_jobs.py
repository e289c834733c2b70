"""Forecasts and backtests as bytes: the same of the same, and read as they were made."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.doubts import doubts_of
from detector.errors import InputError, StoreError
from models.forecast.ensemble import forecast
from models.forecast.history import History, ShortHistoryError
from models.hindsight import hindsight
from pipelines.flows.fleet_jobs import (
    Backtesting,
    Forecasting,
    backtested_of,
    forecasted_of,
)
from tests.profiles import HEAVY


def history(weeks: int = 5, seed: int = 1, **more: float) -> History:
    """Hours with a day and a week in them."""
    at = np.arange(weeks * 168)
    noise = np.random.default_rng(seed).normal(size=len(at))
    values = 50 + 10 * np.sin(2 * np.pi * at / 24) + 5 * (at // 24 % 7 > 4) + noise
    return History(values=values, start_ms=1_767_225_600_000, **more)  # type: ignore[arg-type]


def test_a_forecast_is_read_as_it_was_made() -> None:
    """To the last bit, with its floor."""
    known = history(floor=49.0)
    told = forecast(known, 30)
    kept = forecasted_of(Forecasting(ahead=30, levels=(0.1, 0.9))(known))
    np.testing.assert_array_equal(kept.point, told.point)
    np.testing.assert_array_equal(kept.quantiles[0.1], told.quantile(0.1))
    np.testing.assert_array_equal(kept.quantiles[0.9], told.quantile(0.9))
    assert kept.start_ms == told.start_ms
    assert kept.step_s == 3600
    assert kept.weights == dict(told.weights)


def test_what_a_forecast_rests_on_is_kept_with_it() -> None:
    """As a single series' forecast says it: overflows, silences, gaps, constants."""
    known = history(weeks=6)
    assert forecasted_of(Forecasting(ahead=30)(known)).assumptions == ()
    values = known.values.copy()
    values[300], values[-100:] = 2.0**63, np.nan
    doubtful = replace(known, values=values)
    kept = forecasted_of(Forecasting(ahead=30)(doubtful))
    assert kept.assumptions == doubts_of(doubtful, forecast(doubtful, 30))
    assert [one.split(" ", 4)[:4] for one in kept.assumptions] == [
        ["1", "value", "beyond", "all"],
        ["Nothing", "was", "measured", "in"],
    ]
    same = forecasted_of(Forecasting(ahead=30)(replace(known, values=np.full(1008, 7.0))))
    assert same.assumptions[0].startswith("It was the same for all of ")


def test_what_was_kept_without_assumptions_is_read() -> None:
    """A run of before goes on by `--resume`."""
    form = msgspec.msgpack.decode(Forecasting(ahead=5)(history(3)))
    assert form.pop("assumptions")
    assert forecasted_of(msgspec.msgpack.encode(form)).assumptions == ()


@HEAVY
@given(st.integers(0, 3), st.integers(1, 40))
def test_the_same_of_the_same(seed: int, ahead: int) -> None:
    """Results can be compared, and done twice, byte by byte."""
    work = Forecasting(ahead=ahead)
    assert work(history(3, seed)) == work(history(3, seed))


def test_a_backtest_is_read_as_it_was_made() -> None:
    """Each origin, and the mean of those that have a figure."""
    known, work = history(8), Backtesting(ahead=48, origins=3, every=168)
    told = hindsight(known, 48, forecast, origins=3, every=168)
    kept = backtested_of(work(known))
    assert kept.origins == told
    assert kept.coverage == 0.9
    assert kept.mean("mase") == pytest.approx(np.mean([one.mase for one in told]))


def test_too_little_history_is_told_by_both() -> None:
    """Four days do not make a forecast."""
    short = History(values=np.arange(96.0))
    for work in (Forecasting(ahead=24), Backtesting(ahead=24)):
        with pytest.raises(ShortHistoryError, match="has"):
            work(short)


@pytest.mark.parametrize("values", [np.zeros(0), np.full(2_000, np.nan)])
def test_nothing_known_is_no_forecast(values: np.ndarray) -> None:
    """No series, or one that was never measured."""
    with pytest.raises(ShortHistoryError):
        Forecasting(ahead=24)(History(values=values))


def test_bytes_of_a_newer_version_are_refused() -> None:
    """What they mean is not known here."""
    kept = msgspec.msgpack.decode(Forecasting(ahead=2)(history()))
    newer = msgspec.msgpack.encode(kept | {"form": 2})
    with pytest.raises(StoreError, match="form 2"):
        forecasted_of(newer)


@pytest.mark.parametrize("kept", [b"", b"\x80", b"no result", Forecasting(ahead=2)(history())[:50]])
def test_other_bytes_are_refused(kept: bytes) -> None:
    """A torn row is no forecast."""
    for read in (forecasted_of, backtested_of):
        with pytest.raises(StoreError, match="cannot be read"):
            read(kept)


def test_what_is_asked_for_is_checked_at_once() -> None:
    """Before a fleet is read."""
    with pytest.raises(InputError, match="between 0 and 1"):
        Forecasting(ahead=2, levels=(0.5, 1.0))
    with pytest.raises(InputError):
        Backtesting(ahead=2, origins=0)
