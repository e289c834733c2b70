"""Charts: an SVG that is one, with everything in the picture, and the same each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client.chart import Chart, chart
from detector.errors import InputError

NAMES = {"svg": "http://www.w3.org/2000/svg"}
BEGIN = pd.Timestamp("2026-03-02T00:00Z")
SPANS = pd.DataFrame({"since": [BEGIN + pd.Timedelta("2h")], "until": [BEGIN + pd.Timedelta("3h")]})


def series(values: list[float], name: str = "queue") -> pd.Series:
    """A value each hour."""
    index = pd.date_range(BEGIN, periods=len(values), freq="1h")
    return pd.Series(values, index=index, name=name, dtype="float64")


def read(drawn: Chart) -> ET.Element:
    """The picture as XML, which it has to be."""
    return ET.fromstring(drawn.svg)  # noqa: S314 - ours


def texts(drawn: Chart) -> list[str]:
    """What is written on it."""
    return [found.text or "" for found in read(drawn).iterfind(".//svg:text", NAMES)]


def places(way: str) -> list[tuple[float, float]]:
    """Corners of a line."""
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", way)]


def ways(drawn: Chart) -> list[str]:
    """The lines."""
    return [found.attrib["d"] for found in read(drawn).iterfind("svg:path", NAMES)]


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60))
def test_every_value_is_in_the_picture(values: list[float]) -> None:
    """Whatever the values, also one alone and all alike."""
    (way,) = ways(chart({"queue": series(values)}))
    found = places(way)
    assert len(found) == len(values)
    assert all(64 <= x <= 746 and 46 <= y <= 270 for x, y in found)
    assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_higher_values_are_drawn_higher() -> None:
    """The axis points upwards."""
    (way,) = ways(chart({"queue": series([1.0, 5.0, 3.0])}))
    (_, one), (_, five), (_, three) = places(way)
    assert one > three > five


def test_a_gap_parts_a_line() -> None:
    """Nothing is drawn where nothing was measured."""
    (way,) = ways(chart({"queue": series([1.0, np.nan, 2.0, 3.0])}))
    assert re.sub(r"[\d.,-]+", "", way) == "MML"


def test_a_long_line_keeps_its_peaks() -> None:
    """A spike of one minute in a year is what the picture is for."""
    values = series([0.0] * 50_000)
    values.iloc[31_000], values.iloc[12_000] = 9.0, -9.0
    (way,) = ways(chart({"queue": values}))
    heights = [y for _, y in places(way)]
    assert len(heights) <= 700
    full = ways(chart({"queue": values.iloc[[0, 12_000, 31_000, 49_999]]}))[0]
    assert {min(heights), max(heights)} == {y for _, y in places(full)} - {places(full)[0][1]}


def test_all_that_was_asked_for_is_named() -> None:
    """Lines, levels, moments and the title."""
    drawn = chart(
        {"queue": series([1.0, 2.0]), "sent": series([2.0, 1.0])},
        title="What waits",
        levels={"limit": 4.0},
        moments={"release": BEGIN + pd.Timedelta("30min")},
        spans=SPANS,
    )
    assert {"What waits", "queue", "sent", "limit", "release"} <= set(texts(drawn))
    assert (len(ways(drawn)), repr(drawn)) == (2, "Chart()")
    assert drawn._repr_svg_() == drawn.svg


def test_names_are_texts_and_no_markup() -> None:
    """A series may be called anything."""
    name = '<script>&"'
    drawn = chart({name: series([1.0, 2.0])}, title=name, levels={name: 1.5})
    assert texts(drawn).count(name) == 3


def test_a_band_lies_between_its_bounds() -> None:
    """And holds what lies in it."""
    band = pd.DataFrame({"low": series([0.0, 1.0, 2.0]), "high": series([4.0, 5.0, 6.0])})
    drawn = chart({"point": series([2.0, 3.0, 4.0])}, band=band)
    polygon = read(drawn).find("svg:polygon", NAMES)
    assert polygon is not None
    corners = places(polygon.attrib["points"])
    top, bottom = corners[:3], corners[3:][::-1]
    for (x, y), (_, high), (_, low) in zip(places(ways(drawn)[0]), top, bottom, strict=True):
        assert high < y < low
        assert 64 <= x <= 746


def test_a_span_is_shaded_as_far_as_it_is_seen() -> None:
    """One that lasts reaches the edge, one that is over before is not drawn."""
    lasting = pd.DataFrame({"since": [BEGIN - pd.Timedelta("9D")], "until": [pd.NaT]})
    over = pd.DataFrame({"since": [BEGIN - pd.Timedelta("9D")], "until": [BEGIN]})
    all_of_it, none = (
        [
            rect
            for rect in read(chart({"queue": series([1.0, 2.0])}, spans=spans)).iterfind(
                "svg:rect", NAMES
            )
            if rect.attrib["fill"] == "#fbd5a5"
        ]
        for spans in (lasting, over)
    )
    assert [float(rect.attrib["width"]) for rect in all_of_it] == [682.0]
    assert none == []


def test_powers_of_ten_are_even_steps() -> None:
    """Evidence of a thousandth and of a billion are in one picture."""
    drawn = chart({"evidence": series([0.01, 1.0, 100.0, 0.0])}, log=True, levels={"needed": 10.0})
    (low, one, hundred) = (y for _, y in places(ways(drawn)[0]))
    assert low - one == pytest.approx(one - hundred, abs=0.2)
    assert {"0.01", "0.1", "1", "10", "100"} <= set(texts(drawn))


def test_it_is_the_same_each_time() -> None:
    """A committed notebook changes where what it shows has changed."""
    values = series([1.0, 2.0, 5.0])
    assert chart({"queue": values}).svg == chart({"queue": values}).svg


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: chart({}), "0, not between"),
        (lambda: chart({str(n): series([1.0]) for n in range(7)}), "7, not between"),
        (lambda: chart({"x": series([np.nan])}), "no value"),
        (lambda: chart({"x": series([-1.0])}, log=True), "no value"),
        (lambda: chart({"x": series([1.0]).reset_index(drop=True)}), "no times"),
        (lambda: chart({"x": series([1.0]).tz_localize(None)}), "no time zone"),
        (lambda: chart({"x": series([1.0]).astype(str) + "y"}), "no numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], Chart], words: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(InputError, match=words) as refused:
        draw()
    assert refused.value.field == "lines"
