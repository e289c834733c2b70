"""Forecasts of series of pandas: the frame that comes, and every word that cannot be meant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from api import client
from api.client.series import HOUR_S, grid_of
from models.forecast.ensemble import MOST_AHEAD
from models.forecast.ensemble import forecast as of_arrays
from models.forecast.history import History

TRAFFIC = client.examples.usage(seed=1, weeks=6)
NEXT = TRAFFIC.index[-1] + pd.Timedelta("1h")


def test_a_forecast_goes_on_where_the_history_ends() -> None:
    """A point and an interval for each hour from then on."""
    told = client.forecast(TRAFFIC, "7d")
    assert list(told.columns) == ["point", "low", "high"]
    assert (told.dtypes == "float64").all()
    assert told.index.equals(pd.date_range(NEXT, periods=168, freq="1h", name="at").as_unit("ns"))
    assert str(told.index.dtype) == "datetime64[ns, UTC]"
    assert (told["low"] < told["high"]).all()


def test_it_is_the_forecast_of_the_models() -> None:
    """To the last bit: nothing is added on the way."""
    start_ms, step_s, values = grid_of(TRAFFIC, step_s=HOUR_S, how="mean")
    plain = of_arrays(History(values=values, start_ms=start_ms, step_s=step_s, floor=0.0), 48)
    low, high = plain.interval(0.5)
    told = client.forecast(TRAFFIC, "2d", coverage=0.5, floor=0.0)
    np.testing.assert_array_equal(told["point"], plain.point)
    np.testing.assert_array_equal(told["low"], low)
    np.testing.assert_array_equal(told["high"], high)
    assert told.attrs["weights"] == dict(plain.weights)
    np.testing.assert_equal(told.attrs["mase"], plain.mase)


def test_more_coverage_is_wider() -> None:
    """Whoever wants to be surer gets a wider answer."""
    half, most = (client.forecast(TRAFFIC, "2d", coverage=share) for share in (0.5, 0.95))
    assert (half["high"] - half["low"] <= most["high"] - most["low"]).all()


def test_bounds_are_kept() -> None:
    """A disk holds no more than it can."""
    told = client.forecast(TRAFFIC, "7d", floor=150.0, ceiling=200.0)
    assert told["low"].min() >= 150
    assert told["high"].max() <= 200


def test_a_frame_is_told_by_series() -> None:
    """Each as if it were alone."""
    frame = pd.DataFrame({"a": TRAFFIC, "b": 2 * TRAFFIC})
    told = client.forecast(frame, "1d")
    assert told.index.names == ["series", "at"]
    alone = client.forecast(TRAFFIC, "1d")
    pd.testing.assert_frame_equal(told.loc["a"], alone, check_freq=False)
    assert told.attrs["b"]["mase"] == pytest.approx(alone.attrs["mase"])


def test_a_horizon_that_ends_within_a_step_has_that_step() -> None:
    """Nobody is told less than was asked for."""
    assert len(client.forecast(TRAFFIC, "90min")) == 2
    assert len(client.forecast(TRAFFIC, 3600)) == 1


def test_days_are_told_by_days() -> None:
    """Where a step of a day was asked for."""
    told = client.forecast(client.examples.usage(seed=1, weeks=12), "30d", step="1d")
    assert len(told) == 30
    assert (told.index == told.index.normalize()).all()


def test_a_known_change_is_taken_where_it_lies_within_the_history() -> None:
    """What somebody changed before, or will change, says nothing of this history."""
    step = TRAFFIC.copy()
    at = step.index[len(step) // 2]
    step[step.index >= at] += 100
    told = client.forecast(step, "1d", changes=[at.to_pydatetime(), NEXT + pd.Timedelta("9D")])
    assert set(told.attrs["shifts"]) <= {at}


def test_gaps_are_no_zeros() -> None:
    """A scrape that was missed is not a minute without traffic."""
    holes = TRAFFIC.drop(TRAFFIC.index[200:206])
    told, whole = client.forecast(holes, "1d"), client.forecast(TRAFFIC, "1d")
    assert told["point"].to_numpy() == pytest.approx(whole["point"].to_numpy(), rel=0.2)


def test_too_little_history_is_said_with_how_much_it_needs() -> None:
    """And of which series."""
    with pytest.raises(client.InputError, match=r"not enough history: needs .* has 1 day") as short:
        client.forecast(TRAFFIC.head(30), "7d")
    assert short.value.field == "history"
    with pytest.raises(client.InputError, match=r"^b: not enough history"):
        client.forecast(pd.DataFrame({"b": TRAFFIC.head(30)}), "7d")
    with pytest.raises(client.InputError, match="not enough history"):
        client.forecast(TRAFFIC * np.nan, "7d")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"horizon": "soon"}, "horizon"),
        ({"horizon": "-1d"}, "horizon"),
        ({"horizon": f"{MOST_AHEAD + 1}h"}, "horizon"),
        ({"coverage": 1.0}, "coverage"),
        ({"coverage": 0.0}, "coverage"),
        ({"step": "15min"}, "step"),
        ({"how": "sum"}, "how"),
        ({"changes": [datetime(2026, 3, 9)]}, "changes"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(given: dict[str, Any], field: str) -> None:
    """Before anything is computed."""
    asked = {"horizon": "7d", **given}
    with pytest.raises(client.InputError) as refused:
        client.forecast(TRAFFIC, **asked)
    assert refused.value.field == field
