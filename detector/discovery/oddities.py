"""The strangest hours of a week: errors, slow requests and traffic beside the week's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detector.discovery.matching import fits
from detector.series import FloatArray, Matcher, Series
from models.oddness import level_scores, share_scores

__all__ = ["Course", "Oddity", "OddityKind", "course_of", "hourly", "strongest"]

BoolArray = NDArray[np.bool_]

_ODD = 4.0
_TAIL = 0.05
_TAIL_LOW, _TAIL_HIGH = 0.005, 0.4
_DAY_S = 86_400.0
_GONE = 0.05
# A service that hardly anybody calls is odd in every hour.
_FEWEST = 300.0


class OddityKind(StrEnum):
    """What was strange."""

    ERRORS = "errors"
    SLOW = "slow requests"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One strange stretch of a service; `value` against the week's `usual`, unix seconds.

    Of errors and slow requests the values are shares; of traffic requests per second. `edge` is
    the duration in seconds above which a request counts as slow.
    """

    service: str
    kind: OddityKind
    begin: float
    end: float
    value: float
    usual: float
    score: float
    edge: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a service counted in each bin of `step_s` seconds; bins begin at `begins`.

    `known` tells the bins of which all traffic is known: a pod that goes within a bin takes with
    it what it served since the bin's begin.
    """

    service: str
    step_s: float
    begins: FloatArray
    requests: FloatArray
    errors: FloatArray
    slow: FloatArray
    timed: FloatArray
    edge: float | None = None
    known: BoolArray | None = None


def hourly(held: Iterable[Series], grid: FloatArray) -> FloatArray:
    """What counters rose by between the times of a grid, all together.

    A counter that appears after the grid's begin counts from zero, and so does one that was reset.
    """
    total, there = np.zeros(len(grid) - 1), np.zeros(len(grid), np.bool_)
    for series in held:
        at = np.searchsorted(grid, series.times)
        keep = (at < len(grid)) & np.isfinite(series.values)
        at, values = at[keep], series.values[keep]
        if not len(at):
            continue
        there[at] = True
        steps = _steps(at, values)
        inside = at > 0
        np.add.at(total, at[inside] - 1, steps[inside])
    # Where nobody was there at the begin of a bin it is not known whole.
    return np.where(there[:-1], total, 0.0)


def _steps(at: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """What a counter rose by up to each of its samples; `at` are their places on the grid."""
    steps = np.diff(values, prepend=values[0] if at[0] == 0 else 0.0)
    return np.where(steps < 0, values, steps)


def course_of(
    service: str,
    grid: FloatArray,
    requests: Sequence[Series],
    bad: Sequence[Matcher],
    buckets: Sequence[Series],
    scale: float = 1.0,
) -> Course:
    """The course of a service from its counters at the times of a grid.

    `bad` selects errors among the requests, none where they cannot be told. Slow is what lies
    above the edge that is nearest to one request in twenty over the whole week.
    """
    failed = [s for s in requests if bad and fits(bad, s.labels)]
    timed, slow, edge = _slow(buckets, grid)
    return Course(
        service=service,
        step_s=float(grid[1] - grid[0]),
        begins=grid[:-1],
        requests=hourly(requests, grid),
        errors=hourly(failed, grid),
        slow=slow,
        timed=timed,
        edge=None if edge is None else edge * scale,
        known=_known(requests, grid),
    )


def _known(held: Sequence[Series], grid: FloatArray) -> BoolArray:
    """Bins within which at most a twentieth of the traffic before them went away."""
    before, gone = np.zeros(len(grid)), np.zeros(len(grid))
    for series in held:
        at = np.minimum(np.searchsorted(grid, series.times), len(grid) - 1)
        if not len(at):
            continue
        steps = _steps(at, series.values)
        np.add.at(before, at, steps)
        gone[at[-1]] += steps[-1]
    known: BoolArray = (gone <= _GONE * np.maximum(before, 1.0))[:-1]
    return known


def _slow(
    buckets: Sequence[Series], grid: FloatArray
) -> tuple[FloatArray, FloatArray, float | None]:
    """Requests with a duration, those above an edge, and the edge."""
    by_edge: dict[float, list[Series]] = {}
    for series in buckets:
        by_edge.setdefault(_edge(series), []).append(series)
    nothing = np.zeros(len(grid) - 1)
    if np.inf not in by_edge:
        return nothing, nothing, None
    timed = hourly(by_edge.pop(np.inf), grid)
    above = {edge: np.maximum(timed - hourly(held, grid), 0) for edge, held in by_edge.items()}
    shares = {edge: float(s.sum() / max(timed.sum(), 1.0)) for edge, s in above.items()}
    fit = {e: s for e, s in shares.items() if _TAIL_LOW < s < _TAIL_HIGH}
    if not fit:
        return timed, nothing, None
    edge = min(fit, key=lambda e: abs(np.log(fit[e] / _TAIL)))
    return timed, above[edge], edge


def _edge(series: Series) -> float:
    try:
        return float(series.labels.get("le", "inf"))
    except ValueError:
        return float("nan")


def strongest(courses: Iterable[Course], *, most: int = 3) -> tuple[Oddity, ...]:
    """The strangest stretches of all services, the strangest first, one of each kind a service."""
    found = [oddity for course in courses for oddity in _oddities(course)]
    return tuple(sorted(found, key=lambda one: -abs(one.score))[:most])


def _oddities(course: Course) -> Iterator[Oddity]:
    if course.requests.sum() < _FEWEST:
        return
    period = max(round(_DAY_S / course.step_s), 1)
    yield from _of(course, OddityKind.ERRORS, share_scores(course.errors, course.requests))
    if course.edge is not None:
        yield from _of(course, OddityKind.SLOW, share_scores(course.slow, course.timed))
    known = course.requests if course.known is None else np.where(course.known, course.requests, 0)
    scores = level_scores(known, period=period)
    yield from _of(course, OddityKind.TRAFFIC, scores)


def _of(course: Course, kind: OddityKind, scores: FloatArray) -> Iterator[Oddity]:
    """The strangest bin with its odd neighbours, if it is strange enough."""
    sizes = np.where(np.isfinite(scores), scores, 0.0)
    if kind is OddityKind.TRAFFIC:
        sizes = np.abs(sizes)
    top = int(np.argmax(sizes))
    if sizes[top] < _ODD:
        return
    low = high = top
    while low > 0 and sizes[low - 1] >= _ODD:
        low -= 1
    while high < len(sizes) - 1 and sizes[high + 1] >= _ODD:
        high += 1
    value, usual = _levels(course, kind, slice(low, high + 1))
    yield Oddity(
        service=course.service,
        kind=kind,
        begin=float(course.begins[low]),
        end=float(course.begins[high] + course.step_s),
        value=value,
        usual=usual,
        score=float(scores[top]),
        edge=course.edge if kind is OddityKind.SLOW else None,
    )


def _levels(course: Course, kind: OddityKind, odd: slice) -> tuple[float, float]:
    """The level of a stretch, and the median of all bins."""
    if kind is OddityKind.TRAFFIC:
        levels = course.requests / course.step_s
        return float(levels[odd].mean()), float(np.median(levels))
    is_errors = kind is OddityKind.ERRORS
    part = course.errors if is_errors else course.slow
    whole = course.requests if is_errors else course.timed
    shares = part[whole > 0] / whole[whole > 0]
    return float(part[odd].sum() / max(whole[odd].sum(), 1.0)), float(np.median(shares))
