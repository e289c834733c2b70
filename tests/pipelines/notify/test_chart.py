"""The picture of a sign: the line where it belongs, whatever the numbers are."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pipelines.notify.chart import BAND, LINE, ONSET, PLOT, SIZE, Curve, chart_png

T0, MINUTE = 1_795_442_400_000, 60_000
LEFT, TOP, RIGHT, BOTTOM = PLOT
TIMES = [T0 + n * MINUTE for n in range(61)]
STEP = Curve(
    title="checkout: errors",
    times=TIMES,
    values=[1.0] * 30 + [9.0] * 31,
    low=[0.0] * 61,
    high=[2.0] * 61,
    onset=T0 + 30 * MINUTE,
    unit="%",
)


def pixels(curve: Curve) -> NDArray[np.int64]:
    """Of its picture, as (y, x, colour)."""
    with Image.open(BytesIO(chart_png(curve))) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)


def like(shown: NDArray[np.int64], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where it has about this colour."""
    near: NDArray[np.bool_] = np.abs(shown - np.array(colour)).sum(axis=2) < 60
    return near


def heights(curve: Curve) -> dict[int, float]:
    """By column of the plot, where the middle of the line is."""
    where = like(pixels(curve), LINE)
    return {
        x: float(np.flatnonzero(where[:, x]).mean())
        for x in range(LEFT + 2, RIGHT - 1)
        if where[:, x].any()
    }


def y_of(value: float, least: float, most: float) -> float:
    """Where a value belongs, with the room that is left above and below."""
    room = 0.05 * (most - least)
    share = (value - least + room) / (most - least + 2 * room)
    return BOTTOM - (BOTTOM - TOP) * share


def test_it_is_a_png_of_its_size() -> None:
    """With one picture and nothing of its making: no time, no name."""
    data = chart_png(STEP)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == SIZE
    assert 1000 < len(data) < 50_000
    kinds, at = [], 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kinds.append(data[at + 4 : at + 8])
        assert (
            zlib.crc32(data[at + 4 : at + 8 + size])
            == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        )
        at += 12 + size
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def test_the_line_is_where_its_values_are() -> None:
    """Low in the first half, high in the second."""
    found = heights(STEP)
    quarter = (RIGHT - LEFT) // 4
    assert found[LEFT + quarter] == pytest.approx(y_of(1.0, 0.0, 9.0), abs=1.5)
    assert found[RIGHT - quarter] == pytest.approx(y_of(9.0, 0.0, 9.0), abs=1.5)


def test_what_was_expected_is_a_band_below_it() -> None:
    """From the lowest to the highest that was."""
    column = like(pixels(STEP), BAND)[: BOTTOM - 1, RIGHT - 20]
    rows = np.flatnonzero(column)
    assert rows.min() == pytest.approx(y_of(2.0, 0.0, 9.0), abs=1.5)
    assert rows.max() == pytest.approx(y_of(0.0, 0.0, 9.0), abs=1.5)


def test_when_it_began_is_marked() -> None:
    """In the middle of the hour; without a moment there is no mark."""
    shown = like(pixels(STEP), ONSET)[TOP:BOTTOM, LEFT:RIGHT]
    columns = np.flatnonzero(shown.sum(axis=0) > 20)
    assert columns.mean() == pytest.approx((RIGHT - LEFT) / 2, abs=1.5)
    assert not like(pixels(replace(STEP, onset=None)), ONSET).any()


def test_a_gap_is_a_gap() -> None:
    """Nobody takes silence for a value."""
    values = [*STEP.values]
    values[20:41] = [math.nan] * 21
    found = heights(replace(STEP, values=values))
    middle = (LEFT + RIGHT) // 2
    assert not {x for x in found if abs(x - middle) < 60}
    assert {LEFT + 50, RIGHT - 50} <= found.keys()


def test_a_peak_among_many_points_is_seen() -> None:
    """A day of seconds has more points than the picture."""
    values = [1.0] * 80_000
    values[40_123] = 50.0
    times = [T0 + n * 1000 for n in range(80_000)]
    rows = np.flatnonzero(like(pixels(Curve(title="", times=times, values=values)), LINE).any(1))
    assert rows.min() == pytest.approx(y_of(50.0, 1.0, 50.0), abs=3)


def test_one_value_is_a_dot() -> None:
    """As of a signal that came once."""
    assert like(pixels(Curve(title="x", times=[T0], values=[3.0])), LINE).sum() >= 4


def test_a_flat_line_lies_in_the_middle() -> None:
    """Whatever its value."""
    for value in (0.0, 5.0, -1e9):
        found = heights(Curve(title="x", times=TIMES, values=[value] * 61))
        assert found
        assert all(y == pytest.approx((TOP + BOTTOM) / 2, abs=1.5) for y in found.values())


def test_more_is_drawn_higher() -> None:
    """A rising series rises in every column."""
    found = heights(Curve(title="x", times=TIMES, values=[float(n) for n in range(61)]))
    ys = [found[x] for x in sorted(found)]
    assert all(later <= one + 1 for one, later in pairwise(ys))


def test_the_same_curve_is_the_same_picture() -> None:
    """So that a message that is sent twice is the same message."""
    assert chart_png(STEP) == chart_png(STEP)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": [1.0]}, "differ in length"),
        ({"low": [1.0] * 61, "high": ()}, "differ in length"),
        ({"times": TIMES[::-1]}, "do not ascend"),
        ({"values": [math.nan] * 61}, "no value"),
        ({"times": (), "values": (), "low": (), "high": ()}, "no value"),
    ],
)
def test_what_is_no_curve_is_refused(changes: dict[str, Any], words: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=words):
        replace(STEP, **changes)


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=25)
@given(
    st.lists(NUMBERS, min_size=1, max_size=20),
    st.text(max_size=120),
    st.integers(min_value=T0 - 10**9, max_value=T0 + 10**9),
)
def test_whatever_the_numbers_are_there_is_a_picture(
    values: list[float], title: str, onset: int
) -> None:
    """The largest that there are, infinite ones, names in any script."""
    values = [*values, 1.0]
    curve = Curve(title=title, times=TIMES[: len(values)], values=values, onset=onset, unit=title)
    assert like(pixels(curve), LINE).any()
