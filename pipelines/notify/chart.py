"""A small picture of a sign: what was seen, what was expected, and since when it is odd.

Pillow, since it is one wheel of 7 MB without dependencies and brings its font; matplotlib would
be nine packages and half a second of each start, for one line and one band.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from detector.stream.words import number_text
from pipelines.notify.plain import one_line

__all__ = ["BAND", "LINE", "ONSET", "PLOT", "SIZE", "Curve", "chart_png"]

Colour = tuple[int, int, int]

# Of the picture, which a phone shows whole, and of the plot in it (left, top, right, bottom).
SIZE, PLOT = (640, 240), (64, 36, 624, 208)
LINE, BAND, ONSET = (31, 90, 180), (214, 228, 245), (200, 30, 30)
_PAPER, _INK, _AXIS = (255, 255, 255), (70, 70, 70), (190, 190, 190)
# Drawn larger and made smaller: its lines have no steps then.
_FINE = 2
_MOST, _HUGE, _TITLE, _UNIT = 2000, 1e150, 90, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values at ascending unix milliseconds, NaN where there were none.

    `low` and `high` are the expected range at the same times, NaN where nothing was expected, or
    both empty. `onset` is when it left it.
    """

    title: str
    times: Sequence[int]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    onset: int | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        sizes = {len(self.times), len(self.values)} | ({len(self.low)} if self.low else set())
        if len(sizes) > 1 or len(self.low) != len(self.high):
            raise ValueError("times, values, low and high differ in length")
        if any(later <= one for one, later in pairwise(self.times)):
            raise ValueError("times do not ascend")
        if not any(map(math.isfinite, self.values)):
            raise ValueError("no value to draw")


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times and values to pixels of the large picture."""

    begin: int
    end: int
    seen: tuple[float, float]
    room: float

    def x(self, at: int) -> float:
        left, _, right, _ = PLOT
        return _FINE * (left + (right - left) * (at - self.begin) / (self.end - self.begin))

    def y(self, value: float) -> float:
        _, top, _, bottom = PLOT
        least, most = self.seen
        share = (_clipped(value) - least + self.room) / (most - least + 2 * self.room)
        return _FINE * (bottom - (bottom - top) * share)


def chart_png(curve: Curve) -> bytes:
    """The picture; the same of the same curve, with nothing else in the file."""
    large = Image.new("RGB", (SIZE[0] * _FINE, SIZE[1] * _FINE), _PAPER)
    draw, scale = ImageDraw.Draw(large), _scale(curve)
    for points in _runs(curve, scale, curve.high, curve.low):
        uppers = [(x, upper) for x, upper, _ in points]
        lowers = [(x, lower) for x, _, lower in reversed(points)]
        if len(points) > 1:
            draw.polygon([*uppers, *lowers], fill=BAND)
    _frame(draw)
    if curve.onset is not None:
        _mark(draw, scale.x(min(max(curve.onset, scale.begin), scale.end)))
    for points in _runs(curve, scale, curve.values, curve.values):
        _line(draw, [(x, y) for x, y, _ in points])
    _words(draw, curve, scale)
    out = BytesIO()
    large.resize(SIZE, Image.Resampling.BOX).save(out, "PNG", optimize=True)
    return out.getvalue()


def _scale(curve: Curve) -> _Scale:
    seen = [_clipped(v) for v in (*curve.values, *curve.low, *curve.high) if math.isfinite(v)]
    least, most = min(seen), max(seen)
    # A flat line lies in the middle, others leave a little room.
    room = 0.05 * (most - least) or abs(most) * 0.1 or 1.0
    begin, end = curve.times[0], curve.times[-1]
    return _Scale(begin, max(end, begin + 1), (least, most), room)


def _clipped(value: float) -> float:
    """Differences of what is larger would be infinite."""
    return min(max(value, -_HUGE), _HUGE)


def _runs(
    curve: Curve, scale: _Scale, upper: Sequence[float], lower: Sequence[float]
) -> Iterator[list[tuple[float, float, float]]]:
    """Points without a gap between them; of too many the extremes of each few."""
    run: list[tuple[float, float, float]] = []
    for at, above, below in _thinned(curve.times, upper, lower):
        if math.isfinite(above) and math.isfinite(below):
            run.append((scale.x(at), scale.y(above), scale.y(below)))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _thinned(
    times: Sequence[int], upper: Sequence[float], lower: Sequence[float]
) -> Iterator[tuple[int, float, float]]:
    """A gap that is shorter than so few points together is not seen."""
    few = 1 if len(upper) <= _MOST else 2 * math.ceil(len(upper) / _MOST)
    for first in range(0, len(upper), few):
        those = range(first, min(first + few, len(upper)))
        known = [n for n in those if math.isfinite(upper[n]) and math.isfinite(lower[n])]
        if not known:
            yield times[first], math.nan, math.nan
            continue
        ends = {min(known, key=lower.__getitem__), max(known, key=upper.__getitem__)}
        yield from ((times[n], upper[n], lower[n]) for n in sorted(ends))


def _frame(draw: ImageDraw.ImageDraw) -> None:
    left, top, right, bottom = (_FINE * side for side in PLOT)
    draw.line([(left, top), (left, bottom), (right, bottom)], fill=_AXIS, width=_FINE)


def _mark(draw: ImageDraw.ImageDraw, x: float) -> None:
    """A broken line, so that nobody takes it for a value."""
    _, top, _, bottom = (_FINE * side for side in PLOT)
    for y in range(top, bottom, 8 * _FINE):
        draw.line([(x, y), (x, min(y + 5 * _FINE, bottom))], fill=ONSET, width=_FINE)


def _line(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]]) -> None:
    if len(points) > 1:
        draw.line(points, fill=LINE, width=2 * _FINE, joint="curve")
        return
    ((x, y),) = points
    draw.ellipse((x - 2 * _FINE, y - 2 * _FINE, x + 2 * _FINE, y + 2 * _FINE), fill=LINE)


def _words(draw: ImageDraw.ImageDraw, curve: Curve, scale: _Scale) -> None:
    left, _, right, bottom = (_FINE * side for side in PLOT)
    large, small = (ImageFont.load_default(size * _FINE) for size in (14, 11))
    draw.text((left, 10 * _FINE), one_line(curve.title, _TITLE), _INK, large)
    for value in set(scale.seen):
        label = number_text(value) + one_line(curve.unit, _UNIT)
        draw.text((left - 6 * _FINE, scale.y(value)), label, _INK, small, anchor="rm")
    below = bottom + 6 * _FINE
    draw.text((left, below), _clock(scale.begin), _INK, small, anchor="lt")
    draw.text((right, below), f"{_clock(scale.end)} UTC", _INK, small, anchor="rt")
    if curve.onset is not None:
        x = min(max(scale.x(curve.onset), left + 90 * _FINE), right - 90 * _FINE)
        draw.text((x, below), f"since {_clock(curve.onset)}", ONSET, small, anchor="mt")


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M")
