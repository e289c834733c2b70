"""A history source as work: which series, in which words, and what is wrong with one of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.errors import InputError
from models.baseline.calendar import Calendar
from models.forecast.ensemble import forecast
from pipelines.flows.fleet import over_fleet
from pipelines.flows.fleet_jobs import Forecasting, forecasted_of
from pipelines.flows.fleet_kept import Kept
from pipelines.flows.fleet_read import Reading, of_service, task_of
from pipelines.flows.spread import Places
from pipelines.history.memory import MemoryHistory
from pipelines.history.port import SeriesId, span_until
from pipelines.zones import calendar_of

T0, HOURS = 1_767_225_600, 5 * 168
WORK = Forecasting(ahead=24)


def reading(calendar: Calendar | None = None, **more: float) -> Reading:
    """Three pods of two services, one of them young."""
    source, at = MemoryHistory(), np.arange(HOURS)
    for pod, (service, since) in {"a": ("shop", 0), "b": ("shop", 700), "c": ("pay", 0)}.items():
        values = 10.0 + np.sin(2 * np.pi * at / 24) + ord(pod)
        times = (T0 + 3600 * at[since:]).astype(np.float64)
        source.add({"pod": pod, "app": service}, times, values[since:])
    calendar = calendar or Calendar()
    span = span_until(T0 + 3600 * HOURS, 3600 * HOURS, 3600, calendar)
    return Reading(source=source, span=span, calendar=calendar, said=("memory",), **more)


def test_the_fleet_is_forecast_series_by_series(tmp_path: Path) -> None:
    """As the forecaster says of each; the young one is in trouble."""
    read = reading()
    task, kept = task_of("forecast", WORK, read, read.series()), Kept(tmp_path / "fleet.db")
    told = list(over_fleet(task, Places(), kept))[-1]
    assert (told.done, told.troubled) == (3, 1)
    ((name, trouble),) = kept.troubles(task.name)
    assert name == '{app="shop",pod="b"}'
    assert trouble.reason == "short_history"
    found = {name: forecasted_of(made) for name, made in kept.results(task.name, task.series)}
    (history,) = read.histories([read.series()['{app="pay",pod="c"}']])
    expected = forecast(history, 24)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found['{app="pay",pod="c"}'].point, expected.point)
    kept.close()


def test_a_service_is_told_by_any_of_its_labels() -> None:
    """Whatever its instrumentation calls it; a pod of that name is none."""
    assert list(reading().series("shop")) == ['{app="shop",pod="a"}', '{app="shop",pod="b"}']
    assert of_service(SeriesId.of({"container": "shop"}), "shop")
    assert not of_service(SeriesId.of({"pod": "shop"}), "shop")


def test_nothing_to_do_is_told() -> None:
    """A wrong query would else end well."""
    read = reading()
    with pytest.raises(InputError, match="no series has values"):
        task_of("forecast", WORK, read, read.series("nobody"))


def test_work_is_named_by_all_that_its_results_depend_on() -> None:
    """What was kept for another horizon, span, query, zone or floor is not taken for it."""
    read = reading()
    series = read.series()
    names = [
        task_of("forecast", work, other, series).name
        for work, other in (
            (WORK, read),
            (Forecasting(ahead=25), read),
            (WORK, replace(read, span=replace(read.span, start_s=read.span.start_s + 3600))),
            (WORK, replace(read, said=("other",))),
            (WORK, replace(read, calendar=calendar_of("Europe/Berlin"))),
            (WORK, replace(read, floor=0.0)),
        )
    ]
    assert len(set(names)) == len(names)
    assert task_of("forecast", WORK, reading(), series).name == names[0]


def test_a_floor_holds_for_all(tmp_path: Path) -> None:
    """Usage is not negative."""
    read = reading(floor=1e6)
    task, kept = task_of("forecast", WORK, read, read.series("pay")), Kept(tmp_path / "fleet.db")
    list(over_fleet(task, Places(), kept))
    ((_, made),) = kept.results(task.name, task.series)
    assert min(forecasted_of(made).quantiles[0.05]) == 1e6
    kept.close()
