"""The chart of a resource: what was, what will be, the limit, and when it is reached."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.figures import figure_of, key_of
from api.reports.words import Wall
from detector.capacity.assessed import Assessment, Curve
from detector.capacity.resource import Limit
from tests.api.reports.examples import (
    AHEAD,
    DAY_S,
    GIB,
    NOW,
    PAST,
    cores,
    day,
    disk,
    hostile,
    memory,
    new,
    partitions,
    pool,
)


def figure(told: Assessment) -> dict[str, Any]:
    """As the page's script reads it."""
    found: dict[str, Any] = json.loads(json.dumps(figure_of("place", told, Wall())))
    return found


def line(told: Assessment, name: str) -> dict[str, Any]:
    """One line by its name."""
    (found,) = (one for one in figure(told)["data"] if one["name"] == name)
    return dict(found)


def test_bytes_are_drawn_in_the_unit_of_their_size() -> None:
    """200 GiB, and not 2.1e11."""
    assert figure(disk())["layout"]["yaxis"]["title"]["text"] == "GiB"
    assert line(disk(), "Limit")["y"] == [150.0, 200.0, 200.0]
    assert max(line(disk(), "Used")["y"]) == pytest.approx(172, abs=3)


def test_other_units_stay_as_they_are() -> None:
    """Cores are cores."""
    assert figure(cores())["layout"]["yaxis"]["title"]["text"] == "cores"
    assert line(cores(), "Requested")["y"] == [3.0, 3.0]


def test_a_gap_stays_a_gap() -> None:
    """A line over it would tell what was not measured."""
    values = line(memory(), "Used")["y"]
    assert values[30:37] == [None] * 7
    assert line(memory(), "Used")["connectgaps"] is False


def test_planned_steps_are_part_of_the_limit() -> None:
    """Whoever ordered a larger one sees it."""
    limit = line(memory(), "Limit")
    assert limit["y"] == [2.0, 2.25, 2.25]
    assert limit["line"]["shape"] == "hv"
    assert limit["x"][1] == Wall().stamp(day(45))


def test_the_forecast_goes_on_where_the_past_ends() -> None:
    """Nine futures of ten, half of them within, and the middle of all."""
    lines = figure(disk())["data"][:5]
    assert [one.get("fill") for one in lines] == [None, "tonexty", None, "tonexty", None]
    assert [one["name"] for one in lines] == [
        "",
        "9 of 10 futures",
        "",
        "half of all futures",
        "Forecast",
    ]
    low, high, least, most, middle = (one["y"] for one in lines)
    assert len(middle) == AHEAD
    assert lines[-1]["x"][0] == Wall().stamp(NOW)
    for values in zip(low, least, middle, most, high, strict=True):
        assert list(values) == sorted(values)


def test_the_key_names_all_that_is_drawn() -> None:
    """Below the chart, where it does not lie over the days on a phone."""
    assert dict(key_of(memory())) == {
        "used": "used",
        "forecast": "forecast",
        "band": "9 of 10 futures",
        "half": "half of all futures",
        "limit": "limit",
        "requested": "requested",
    }
    assert [kind for kind, _ in key_of(new())] == ["used", "limit"]
    assert figure(disk())["layout"]["showlegend"] is False


def test_a_report_of_before_has_the_band_that_it_knew() -> None:
    """It was kept when there was one alone."""
    known = disk().outlook
    assert known is not None
    old = replace(known, p05=(), p25=(), p75=(), p95=())
    lines = figure(replace(disk(), outlook=old))["data"][:3]
    assert [one["name"] for one in lines] == ["", "8 of 10 futures", "Forecast"]


def test_the_days_of_exhaustion_are_marked() -> None:
    """From P10 to P90, with the middle as a line and in words."""
    layout = figure(disk())["layout"]
    shade = next(one for one in layout["shapes"] if one["type"] == "rect")
    assert (shade["x0"], shade["x1"]) == (Wall().stamp(day(14)), Wall().stamp(day(40)))
    assert [one["text"] for one in layout["annotations"]] == ["today", "runs out 18 Dec"]


def test_beyond_the_horizon_the_shade_ends_with_the_chart() -> None:
    """And says that it only may."""
    layout = figure(memory())["layout"]
    shade = next(one for one in layout["shapes"] if one["type"] == "rect")
    assert shade["x1"] == Wall().stamp(day(90))
    assert layout["annotations"][-1]["text"] == "runs out perhaps from 4 Feb"
    assert layout["annotations"][-1]["xanchor"] == "right"


@pytest.mark.parametrize("told", [pool(), cores(), new()], ids=["out", "lasts", "new"])
def test_without_a_date_there_is_no_mark(told: Assessment) -> None:
    """What has run out has none ahead."""
    layout = figure(told)["layout"]
    assert [one["text"] for one in layout["annotations"]] == ["today"]
    assert [one["type"] for one in layout["shapes"]] == ["line"]


def test_without_a_forecast_only_the_past_is_drawn() -> None:
    """Never a confident line."""
    assert [one["name"] for one in figure(new())["data"]] == ["Used", "Limit"]


def test_marks_of_html_in_a_unit_are_none() -> None:
    """Plotly would take some for such."""
    assert "<" not in json.dumps(figure(hostile()))


@given(
    st.lists(st.none() | st.floats(0, 1e15), min_size=1, max_size=4000),
    st.sampled_from(["bytes", "cores", "GiB", "", "connections"]),
)
def test_any_history_can_be_drawn(values: list[float | None], unit: str) -> None:
    """All missing, constant, huge: a figure that is JSON, of as many points as a screen has."""
    curve = Curve(start_ms=day(-len(values)), step_s=DAY_S, values=tuple(values))
    identity = replace(partitions().identity, unit=unit)
    told = replace(partitions(), identity=identity, usage=curve, limit=None, outlook=None)
    used = figure(told)["data"][0]
    assert len(used["x"]) == len(used["y"]) <= 1500
    json.dumps(used, allow_nan=False)


def test_steps_before_the_chart_are_not_drawn() -> None:
    """A limit of years ago would squeeze the weeks that matter."""
    long_ago = Limit(steps=((day(-900), GIB), (day(-800), 200 * GIB)))
    assert line(replace(disk(), limit=long_ago), "Limit")["x"][0] == Wall().stamp(day(-PAST))
