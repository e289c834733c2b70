"""What a fleet has in common: learned where there is enough, heard by forecasts, and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.baseline.calendar import Calendar
from models.forecast.ensemble import forecast
from models.forecast.history import History
from pipelines.flows import fleet_learned
from pipelines.flows.fleet import over_fleet
from pipelines.flows.fleet_jobs import Forecasting, forecasted_of
from pipelines.flows.fleet_kept import Kept
from pipelines.flows.fleet_learned import MOST_SERIES, Learned, _spread, learned_of, learns_from
from pipelines.flows.fleet_read import Reading, task_of
from pipelines.flows.spread import Places
from pipelines.history.memory import MemoryHistory
from pipelines.history.port import span_until

T0, HOURS, AHEAD = 1_767_225_600, 5 * 168, 24


def reading(pods: int, hours: int = HOURS) -> Reading:
    """Pods of one shop: a day that each follows in its own size, and noise."""
    source, at = MemoryHistory(), np.arange(hours)
    for pod in range(pods):
        rng = np.random.default_rng(pod)
        day = 3 * np.sin(2 * np.pi * at / 24) * rng.uniform(0.5, 2)
        values = 20 + pod + day + rng.normal(0, 0.3, hours)
        times = (T0 + 3600 * at).astype(np.float64)
        source.add({"pod": f"p{pod:03d}", "app": "shop"}, times, values)
    span = span_until(T0 + 3600 * hours, 3600 * hours, 3600, Calendar())
    return Reading(source=source, span=span, calendar=Calendar(), said=("memory",))


@pytest.fixture(scope="module")
def read() -> Reading:
    """A fleet of a dozen."""
    return reading(12)


@pytest.fixture(scope="module")
def learned(read: Reading) -> Learned:
    """What it has in common."""
    found = learned_of(read, read.series(), AHEAD)
    assert found is not None
    return found


def test_a_fleet_is_learned_from(learned: Learned) -> None:
    """All of it where it is small; what origins hear has not seen the end of any."""
    assert learned.series == 12
    assert learned.common.ahead == AHEAD
    assert learned.common.held >= 8 * 24
    assert set(learned.common.whole) == set(learned.common.before)


def test_the_same_fleet_teaches_the_same(read: Reading, learned: Learned) -> None:
    """To the bit, and by the same name."""
    again = learned_of(read, read.series(), AHEAD)
    assert again is not None
    assert again.digest == learned.digest
    for name, pool in learned.common.whole.items():
        assert np.array_equal(pool.weights, again.common.whole[name].weights)


def test_how_far_it_is_is_heard_page_by_page(
    read: Reading, learned: Learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months of hundreds of series are read before the first forecast: nobody waits in silence."""
    monkeypatch.setattr(fleet_learned, "_PAGE", 5)
    heard: list[int] = []
    found = learned_of(read, read.series(), AHEAD, heard=heard.append)
    assert found is not None
    assert found.digest == learned.digest
    assert (heard, learns_from(read.series())) == ([5, 10, 12], 12)


def test_one_that_cannot_be_read_is_not_learned_from() -> None:
    """It is told by its own forecast, and hinders no other."""
    flawed = reading(12)
    assert isinstance(flawed.source, MemoryHistory)
    times = (T0 + 3600 * np.arange(HOURS)).astype(np.float64)
    flawed.source.add({"pod": "broken", "app": "shop"}, times, np.full(HOURS, 1e200))
    found = learned_of(flawed, flawed.series(), AHEAD)
    assert found is not None
    assert found.series == 12


def test_few_series_are_forecast_by_themselves() -> None:
    """Nine have nothing in common that is worth to be learned."""
    few = reading(9)
    assert learned_of(few, few.series(), AHEAD) is None


def test_short_series_are_forecast_by_themselves() -> None:
    """Three weeks are no past to learn from and to be tried on."""
    short = reading(12, 3 * 168)
    assert learned_of(short, short.series(), AHEAD) is None


def test_a_long_horizon_needs_a_long_past(read: Reading) -> None:
    """Two weeks ahead cannot be tried on five, without having seen what comes."""
    assert learned_of(read, read.series(), 14 * 24) is None


def test_of_none_nothing_is_learned() -> None:
    """A service that was typed wrong."""
    assert learns_from({}) == 0


@pytest.mark.parametrize("count", [1, MOST_SERIES, MOST_SERIES + 1, 10 * MOST_SERIES])
def test_large_fleets_are_learned_from_evenly(count: int) -> None:
    """No more than so many, from the first to near the last."""
    names = [f"s{number:05d}" for number in range(count)]
    some = _spread(names)
    assert 1 <= len(some) <= MOST_SERIES
    assert some[0] == names[0]
    assert names.index(some[-1]) >= count - -(-count // MOST_SERIES)


def test_forecasts_hear_it(read: Reading, learned: Learned, tmp_path: Path) -> None:
    """As the forecaster says with it, and under another name than without."""
    series = read.series()
    alone = Forecasting(ahead=AHEAD)
    work = replace(alone, of=learned.digest, common=learned.common)
    task, kept = task_of("forecast", work, read, series), Kept(tmp_path / "fleet.db")
    assert task.name != task_of("forecast", alone, read, series).name
    assert list(over_fleet(task, Places(), kept))[-1].troubled == 0
    (name, made), *_ = kept.results(task.name, task.series)
    (history,) = read.histories([series[name]])
    assert isinstance(history, History)
    expected = forecast(history, AHEAD, learned.common)
    assert np.array_equal(forecasted_of(made).point, expected.point)
    assert {"regression", "regression (log)"} <= set(forecasted_of(made).weights)
    kept.close()


def test_what_is_in_common_helps(read: Reading, learned: Learned) -> None:
    """A series of the same kind, of which the fleet has not heard."""
    rng, at = np.random.default_rng(99), np.arange(HOURS + AHEAD)
    values = 30 + 3 * np.sin(2 * np.pi * at / 24) + rng.normal(0, 0.3, len(at))
    told = forecast(History(values=values[:HOURS]), AHEAD, learned.common)
    assert np.abs(told.point - values[HOURS:]).mean() < 0.5
    assert sum(told.weights.values()) == pytest.approx(1)
