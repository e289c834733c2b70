"""The chart of a resource for Plotly: what was and will be used, and when the limit is reached.

Colours are names that the page's script looks up in its style sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from api.reports.words import Wall
from detector.capacity.assessed import Assessment, Curve, Exhaustion, Outlook
from detector.capacity.resource import Limit
from detector.capacity.units import converted
from detector.errors import InputError

__all__ = ["Figure", "figure_of", "key_of"]

Figure: TypeAlias = dict[str, Any]
_BINARY = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# More points of a line than a screen has are not drawn.
_POINTS = 1500


def figure_of(place: str, told: Assessment, wall: Wall) -> Figure:
    """The figure of one resource under an id."""
    scale, unit = _scale(told)
    lines = [*_band(told, scale, wall), *_past(told.usage, scale, wall)]
    lines += [*_limits(told, scale, wall)]
    return {
        "id": place,
        "paper": 185,
        "data": lines,
        "layout": {
            "height": 250,
            "margin": {"l": 64, "r": 18, "t": 26, "b": 44},
            "hovermode": "x unified",
            "dragmode": False,
            "showlegend": False,
            "xaxis": {
                "type": "date",
                "gridcolor": "@grid",
                "linecolor": "@grid",
                "fixedrange": True,
                "tickformat": "%-d %b\n%Y",
                "hoverformat": "%A %-d %B %Y",
            },
            "yaxis": {
                "rangemode": "tozero",
                "gridcolor": "@grid",
                "zerolinecolor": "@grid",
                "fixedrange": True,
                "tickformat": ",.4~r",
                "nticks": 6,
                "title": {"text": unit, "standoff": 6},
            },
            **_marks(told, wall),
        },
    }


def key_of(told: Assessment) -> tuple[tuple[str, str], ...]:
    """What each line and colour of the chart means: names with classes of the style sheet."""
    known = [("used", "used")]
    if told.outlook is not None:
        bands = zip(("band", "half"), (name for name, *_ in _bands(told.outlook)), strict=False)
        known += [("forecast", "forecast"), *bands]
    if told.limit is not None:
        known.append(("limit", "limit"))
    if told.requested is not None:
        known.append(("requested", "requested"))
    return tuple(known)


def _scale(told: Assessment) -> tuple[float, str]:
    """By what values are multiplied, and the unit that they have then."""
    unit, top = told.identity.unit, _top(told)
    try:
        size = converted(1.0, unit, "bytes")
    except InputError:
        # Plotly takes some marks of HTML for such.
        return 1.0, unit.replace("<", "‹")
    power = 0
    while top * size >= 1024 ** (power + 1) and power < len(_BINARY) - 1:
        power += 1
    return size / 1024**power, _BINARY[power]


def _top(told: Assessment) -> float:
    limits = [] if told.limit is None else [value for _, value in told.limit.steps]
    known = [value for value in told.usage.values if value is not None]
    return max((*limits, *known), default=0.0)


def _past(usage: Curve, scale: float, wall: Wall) -> Iterator[Figure]:
    times = [usage.start_ms + 1000 * usage.step_s * n for n in range(len(usage.values))]
    few = -(-len(times) // _POINTS) or 1
    yield {
        **_line("Used", "@control", times[::few], usage.values[::few], scale, wall),
        "connectgaps": False,
    }


def _band(told: Assessment, scale: float, wall: Wall) -> Iterator[Figure]:
    """Where most futures lie, and half of them, around their middle."""
    ahead = told.outlook
    if ahead is None:
        return
    few = -(-len(ahead.p50) // _POINTS) or 1
    times = [ahead.start_ms + 1000 * ahead.step_s * n for n in range(len(ahead.p50))][::few]
    for name, colour, low, high in _bands(ahead):
        yield _edge(_line("", colour, times, low[::few], scale, wall))
        yield {
            **_edge(_line(name, colour, times, high[::few], scale, wall)),
            "fill": "tonexty",
            "fillcolor": colour,
        }
    yield _line("Forecast", "@canary", times, ahead.p50[::few], scale, wall, dash="6px,3px")


def _bands(of: Outlook) -> Iterator[tuple[str, str, Sequence[float], Sequence[float]]]:
    """The wide one first; reports of before knew one alone."""
    if not of.p05 or not of.p95:
        yield "8 of 10 futures", "@band", of.p10, of.p90
        return
    yield "9 of 10 futures", "@band", of.p05, of.p95
    if of.p25 and of.p75:
        yield "half of all futures", "@half", of.p25, of.p75


def _edge(line: Figure) -> Figure:
    return {**line, "line": {"width": 0}, "hoverinfo": "skip"}


def _limits(told: Assessment, scale: float, wall: Wall) -> Iterator[Figure]:
    lines = (
        ("Limit", "@fail", told.limit, "solid"),
        ("Requested", "@muted", told.requested, "dot"),
    )
    for name, colour, limit, dash in lines:
        if limit is not None:
            times = _steps(told, limit)
            values = [limit.at(at) for at in times]
            yield _line(name, colour, times, values, scale, wall, dash=dash, shape="hv")


def _steps(told: Assessment, limit: Limit) -> list[int]:
    """Where a line of steps begins, bends and ends."""
    begin, end = told.usage.start_ms, told.as_of + 1000 * told.horizon_s
    inside = [at for at, _ in (*limit.steps, *limit.planned) if begin < at < end]
    return [begin, *inside, end]


def _line(
    name: str,
    colour: str,
    times: Sequence[int],
    values: Sequence[float | None],
    scale: float,
    wall: Wall,
    *,
    dash: str = "solid",
    shape: str = "linear",
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [wall.stamp(at) for at in times],
        "y": [None if v is None else float(f"{v * scale:.5g}") for v in values],
        "line": {"color": colour, "width": 2.2, "dash": dash, "shape": shape},
    }


def _marks(told: Assessment, wall: Wall) -> Figure:
    """Now, and between which days the limit is reached."""
    shapes, words = [_upright(wall.stamp(told.as_of), "@muted", "dot")], [_now(told, wall)]
    out = told.exhaustion
    if out is not None and out.since is None and out.p10 is not None:
        end = told.as_of + 1000 * told.horizon_s if out.p90 is None else out.p90
        shapes.append(_shade(wall.stamp(out.p10), wall.stamp(end)))
        if out.p50 is not None:
            shapes.append(_upright(wall.stamp(out.p50), "@fail", "dash"))
        words.append(_reached(out, told, wall))
    return {"shapes": shapes, "annotations": words}


def _upright(at: str, colour: str, dash: str) -> Figure:
    line = {"color": colour, "width": 1.5, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
            "line": line}  # fmt: skip


def _shade(begin: str, end: str) -> Figure:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": begin, "x1": end, "y0": 0, "y1": 1,
        "fillcolor": "@fail", "opacity": 0.1, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _now(told: Assessment, wall: Wall) -> Figure:
    return _above(wall.stamp(told.as_of), "today", "@muted", anchor="right")


def _reached(out: Exhaustion, told: Assessment, wall: Wall) -> Figure:
    at = out.p50 if out.p50 is not None else out.p10
    assert at is not None
    told_of = wall.short(at) if out.p50 is not None else f"perhaps from {wall.short(at)}"
    is_late = at > told.as_of + 700 * told.horizon_s
    return _above(
        wall.stamp(at), f"runs out {told_of}", "@fail", anchor="right" if is_late else "left"
    )


def _above(at: str, text: str, colour: str, *, anchor: str) -> Figure:
    return {
        "x": at, "y": 1.0, "xref": "x", "yref": "paper", "yanchor": "bottom", "xanchor": anchor,
        "text": text, "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip
