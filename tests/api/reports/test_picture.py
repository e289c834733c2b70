"""The picture for chat: small, the same of the same report, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.reports.picture import WIDTH, picture_of
from api.reports.words import Wall
from detector.capacity.report import Report
from tests.api.reports.examples import cores, disk, hostile, memory, new, pool, report
from tests.api.reports.test_view import EMPTY

RED, SHADE = (168, 32, 26), (228, 166, 163)


def drawn(told: Report) -> Image.Image:
    """As one sees it."""
    body = picture_of(told, Wall())
    assert len(body) < 200_000
    return Image.open(BytesIO(body)).convert("RGB")


def places(picture: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """Where, from the left, something of this colour is."""
    width, height = picture.size
    found = (x for x in range(width) for y in range(height) if picture.getpixel((x, y)) == colour)
    return sorted(set(found))


def test_bars_lie_where_the_days_are() -> None:
    """P10 to P90, and a mark at the middle; here 14, 23 and 40 of 90 days."""
    picture = drawn(report(disk()))
    assert picture.size[0] == WIDTH
    left, right = 240, 560
    shade = places(picture, SHADE)
    assert min(shade) == pytest.approx(left + (right - left) * 14 / 90, abs=2)
    assert max(shade) == pytest.approx(left + (right - left) * 40 / 90, abs=2)
    mark = places(picture, RED)
    assert sum(mark) / len(mark) == pytest.approx(left + (right - left) * 23 / 90, abs=2)


def test_the_same_report_is_the_same_picture() -> None:
    """A message that is sent again is the same."""
    assert picture_of(report(), Wall()) == picture_of(report(), Wall())


@pytest.mark.parametrize(
    ("told", "is_red"),
    [
        (EMPTY, False),
        (report(cores()), False),
        (report(new()), False),
        (report(hostile(), disk()), True),
        (report(pool(), memory()), True),
    ],
    ids=["empty", "lasts", "not known", "hostile", "out"],
)
def test_any_report_has_a_picture(told: Report, is_red: bool) -> None:
    """Nothing is red where nothing runs out."""
    assert bool(places(drawn(told), RED)) == is_red


def test_a_fleet_is_no_taller() -> None:
    """A phone shows it whole; the rest is counted."""
    few = drawn(replace(report(), assessments=(disk(),) * 6))
    many = drawn(replace(report(), assessments=(disk(),) * 600))
    assert few.size == many.size


@given(st.lists(st.text(max_size=400), max_size=5), st.text(max_size=200))
def test_any_words_fit(summary: list[str], scope: str) -> None:
    """Long ones are broken between words and cut, and no control character is drawn."""
    told = replace(report(cores()), summary=tuple(summary), scope=scope)
    assert drawn(told).size[1] < 700
