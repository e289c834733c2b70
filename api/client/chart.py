"""Charts as small SVGs: they are read in a notebook, on a page of a forge, and in print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from api.client.series import milliseconds_of, numbers_of
from api.client.ticks import Tick, number_ticks, power_ticks, time_ticks
from detector.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

__all__ = ["Chart", "chart"]

Floats = NDArray[np.float64]
_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 46, 30
# Told apart by people who see few colours, too (Okabe and Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_MOST_LINES = len(_COLOURS)
# Pairs of a least and a greatest value that a line has at most: one for each other pixel.
_BUCKETS = 340
_LEAST_OF_LOG = 1e-12


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture; the last value of a notebook's cell is shown."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "Chart()"


def chart(
    lines: Mapping[str, pd.Series] | pd.DataFrame,
    *,
    title: str = "",
    band: pd.DataFrame | None = None,
    levels: Mapping[str, float] | None = None,
    moments: Mapping[str, datetime] | None = None,
    spans: pd.DataFrame | None = None,
    log: bool = False,
) -> Chart:
    """Lines over time, at most six, each with its name.

    `band` shades what lies between its columns `low` and `high`, `spans` the times between `since`
    and `until`. `levels` are named heights, `moments` named times. With `log` heights are powers of
    ten, and what is not above 0 is left out. `InputError` for what has no times or is too much.
    """
    if not 1 <= len(named := dict(lines.items())) <= _MOST_LINES:
        raise InputError(f"lines: {len(named)}, not between 1 and {_MOST_LINES}", field="lines")
    drawn = [_line(str(name), series, log=log) for name, series in named.items()]
    edges = [] if band is None else [_line(one, band[one], log=log) for one in ("low", "high")]
    heights = {name: _height(value, log=log) for name, value in (levels or {}).items()}
    when = {name: 1000 * at.timestamp() for name, at in (moments or {}).items()}
    plane = _plane([*drawn, *edges], list(heights.values()), list(when.values()), log=log)
    parts = [
        *_frame(plane, title),
        *(() if spans is None else _shaded(plane, spans)),
        *(() if band is None else _band(plane, *edges)),
        *(_polyline(plane, line, _COLOURS[n]) for n, line in enumerate(drawn)),
        *_levels(plane, heights),
        *_moments(plane, when),
        *_legend([line.name for line in drawn]),
    ]
    return Chart("".join([*parts, "</svg>"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Places of a line, in unix ms and in its heights; NaN where it has none."""

    name: str
    at: Floats
    height: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """What is seen: times and heights from where to where, and how they are named."""

    since: float
    until: float
    low: float
    high: float
    across: Sequence[Tick]
    upwards: Sequence[Tick]

    def x(self, at: float) -> float:
        """Where a time is, in pixels from the left."""
        share = (at - self.since) / (self.until - self.since)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, height: float) -> float:
        """Where a height is, in pixels from the top."""
        share = (height - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _line(name: str, series: pd.Series, *, log: bool) -> _Line:
    at = milliseconds_of(series.index, "lines").astype(np.float64)
    values = numbers_of(series, "lines")
    order = np.argsort(at, kind="stable")
    heights = np.array([_height(value, log=log) for value in values[order].tolist()])
    return _Line(name=name, at=at[order], height=heights)


def _height(value: float, *, log: bool) -> float:
    if not log:
        return float(value)
    return float(np.log10(value)) if value > _LEAST_OF_LOG else float("nan")


def _plane(
    lines: Sequence[_Line], heights: Sequence[float], when: Sequence[float], *, log: bool
) -> _Plane:
    """All that there is, with a little room above and below."""
    at = np.concatenate([*(line.at for line in lines), np.array(when)])
    height = np.concatenate([*(line.height for line in lines), np.array(heights)])
    known = height[np.isfinite(height)]
    if not len(known):
        raise InputError("lines: there is no value to draw", field="lines")
    low, high = float(known.min()), float(known.max())
    room = 0.05 * (high - low) or max(abs(high), 1.0) * 0.05
    since, until = float(at.min()), float(at.max())
    until = until if until > since else since + 1000
    low, high = low - room, high + room
    upwards = power_ticks(low, high) if log else number_ticks(low, high)
    across = time_ticks(since, until)
    return _Plane(since=since, until=until, low=low, high=high, across=across, upwards=upwards)


def _frame(plane: _Plane, title: str) -> Iterator[str]:
    """The ground, the grid with its names, and the title."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11" '
        f'fill="#444"><title>{escape(title)}</title>'
    )
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
    yield f'<text x="{_LEFT}" y="16" font-size="13" fill="#111">{escape(title)}</text>'
    for tick in plane.upwards:
        y, left = plane.y(tick.at), _LEFT - 6
        yield _stroke(_LEFT, y, _WIDTH - _RIGHT, y, "#e4e4e4")
        yield f'<text x="{left}" y="{y + 4:.1f}" text-anchor="end">{escape(tick.name)}</text>'
    for tick in plane.across:
        x, below = plane.x(tick.at), _HEIGHT - _BOTTOM + 16
        anchor = "middle" if x < _WIDTH - 2 * _RIGHT else "end"
        yield _stroke(x, _HEIGHT - _BOTTOM, x, _HEIGHT - _BOTTOM + 4, "#999")
        yield f'<text x="{x:.1f}" y="{below}" text-anchor="{anchor}">{escape(tick.name)}</text>'


def _stroke(x: float, y: float, to_x: float, to_y: float, colour: str, more: str = "") -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="{colour}"{more}/>'


def _shaded(plane: _Plane, spans: pd.DataFrame) -> Iterator[str]:
    """Times that are marked, as far as they are seen."""
    for since, until in zip(spans["since"], spans["until"], strict=True):
        ends = (_seen(plane, since, plane.since), _seen(plane, until, plane.until))
        left, right = (plane.x(end) for end in ends)
        if right > left:
            high = _HEIGHT - _TOP - _BOTTOM
            size = f'width="{max(right - left, 1.5):.1f}" height="{high}"'
            yield f'<rect x="{left:.1f}" y="{_TOP}" {size} fill="#fbd5a5"/>'


def _seen(plane: _Plane, at: Any, missing: float) -> float:  # noqa: ANN401 - NaT is no time
    """A time within the picture; one that is missing has not come yet."""
    ms = missing if at != at else 1000 * at.timestamp()  # noqa: PLR0124 - NaT
    return float(np.clip(ms, plane.since, plane.until))


def _band(plane: _Plane, low: _Line, high: _Line) -> Iterator[str]:
    known = np.isfinite(low.height) & np.isfinite(high.height)
    if not known.any():
        return
    step = max(1, int(known.sum()) // (2 * _BUCKETS))
    at, bottom, top = (one[known][::step] for one in (low.at, low.height, high.height))
    there = [_point(plane, *one) for one in zip(at, top, strict=True)]
    back = [_point(plane, *one) for one in zip(at[::-1], bottom[::-1], strict=True)]
    points = " ".join([*there, *back])
    yield f'<polygon points="{points}" fill="{_COLOURS[0]}" fill-opacity="0.18"/>'


def _point(plane: _Plane, at: float, height: float) -> str:
    return f"{plane.x(at):.1f},{plane.y(height):.1f}"


def _polyline(plane: _Plane, line: _Line, colour: str) -> str:
    """Strokes between values that follow one another; a missing one parts them."""
    thin = _thinned(line)
    parts: list[str] = []
    is_down = False
    for at, height in zip(thin.at.tolist(), thin.height.tolist(), strict=True):
        if height == height:  # noqa: PLR0124 - NaN
            parts.append(f"{'L' if is_down else 'M'}{_point(plane, at, height)}")
        is_down = height == height  # noqa: PLR0124 - NaN
    way = "".join(parts)
    return f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _thinned(line: _Line) -> _Line:
    """The least and the greatest value of each piece, where there are more than can be seen."""
    count = len(line.at)
    if count <= 2 * _BUCKETS:
        return line
    kept: list[int] = []
    for piece in np.array_split(np.arange(count), _BUCKETS):
        heights = line.height[piece]
        known = piece[np.isfinite(heights)]
        if not len(known):
            kept.append(int(piece[0]))
            continue
        ends = (int(known[line.height[known].argmin()]), int(known[line.height[known].argmax()]))
        kept.extend(sorted(set(ends)))
    return _Line(name=line.name, at=line.at[kept], height=line.height[kept])


def _levels(plane: _Plane, heights: Mapping[str, float]) -> Iterator[str]:
    for name, height in heights.items():
        if height == height:  # noqa: PLR0124 - NaN
            y, right = plane.y(height), _WIDTH - _RIGHT
            yield _stroke(_LEFT, y, right, y, "#b00", ' stroke-dasharray="5 3"')
            yield (
                f'<text x="{right - 4}" y="{y - 4:.1f}" text-anchor="end" fill="#b00">'
                f"{escape(name)}</text>"
            )


def _moments(plane: _Plane, when: Mapping[str, float]) -> Iterator[str]:
    for name, at in when.items():
        x, anchor = plane.x(at), "start"
        if x > _WIDTH / 2:
            anchor = "end"
        yield _stroke(x, _TOP, x, _HEIGHT - _BOTTOM, "#555", ' stroke-dasharray="2 3"')
        side = x + (4 if anchor == "start" else -4)
        yield f'<text x="{side:.1f}" y="{_TOP + 11}" text-anchor="{anchor}">{escape(name)}</text>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    left = float(_LEFT)
    for number, name in enumerate(names):
        yield f'<rect x="{left:.1f}" y="26" width="14" height="3" fill="{_COLOURS[number]}"/>'
        yield f'<text x="{left + 19:.1f}" y="31">{escape(name)}</text>'
        left += 34 + 6.2 * len(name)
