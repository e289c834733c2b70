"""The course of a measure week by week on its bands, drawn without scripts: up is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from detector.delivery.measures import BOUNDS, Band, Measure, Measures

__all__ = ["Point", "Trend", "trend_of"]

WIDTH, HEIGHT = 100.0, 40.0
_STEP = HEIGHT / len(Band)
# What the outer bands end with on the drawing; what is beyond stands at the edge.
_ENDS = {
    "frequency": (30.0, 1 / 365),
    "lead_time": (600_000.0, 365 * 86_400_000.0),
    "failure_rate": (0.0, 1.0),
    "restore_time": (60_000.0, 60 * 86_400_000.0),
}
# A share is read on an even scale; the others differ by powers of ten.
_EVEN = frozenset({"failure_rate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A week that has a value; `words` for who points at it."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Points on a field of `WIDTH` by `HEIGHT`, and lines between weeks that follow each other."""

    points: tuple[Point, ...]
    lines: tuple[str, ...]
    begin: str
    end: str


def trend_of(
    name: str, weeks: Sequence[Measures], words: Sequence[str], days: Sequence[str]
) -> Trend:
    """Of the measure of that name; `words` and `days` are those of the weeks."""
    width = WIDTH / max(len(weeks), 1)
    runs: list[list[Point]] = [[]]
    for number, week in enumerate(weeks):
        measure: Measure = getattr(week, name)
        if measure.value is None:
            runs.append([])
            continue
        told = f"{days[number]}: {words[number]}"
        x = round(width * (number + 0.5), 2)
        runs[-1].append(Point(x=x, y=height_of(name, measure.value), words=told))
    return Trend(
        points=tuple(point for run in runs for point in run),
        lines=tuple(" ".join(f"{p.x},{p.y}" for p in run) for run in runs if len(run) > 1),
        begin=days[0] if days else "",
        end=days[-1] if days else "",
    )


def height_of(name: str, value: float) -> float:
    """From 0, as good as can be, to `HEIGHT`; each band takes as much room as the others.

    >>> height_of("failure_rate", 0.125), height_of("frequency", 1.0), height_of("lead_time", 1e15)
    (20.0, 10.0, 40.0)
    """
    best, worst = _ENDS[name]
    edges = [_scale(name, edge) for edge in (best, *BOUNDS[name], worst)]
    at = min(max(_scale(name, value), edges[0]), edges[-1])
    for step, (low, high) in enumerate(pairwise(edges)):
        if at <= high:
            return round(_STEP * (step + (at - low) / (high - low)), 2)
    return HEIGHT


def _scale(name: str, value: float) -> float:
    """Grows as the measure becomes worse."""
    if name in _EVEN:
        return value
    log = math.log(max(value, 1e-9))
    return -log if name == "frequency" else log
