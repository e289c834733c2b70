"""Rows of a past become a resource: its names, its limits as steps, and its known changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.capacity.resource import Limit, Resource
from detector.series import FloatArray
from models.baseline.calendar import Calendar
from models.forecast.history import History
from pipelines.capacity.grid import Grid, Labels
from pipelines.capacity.wanted import BY_HAND, Sought, Wanted

__all__ = ["Measurements", "named_of", "resource_of", "steps_of"]

# A limit that is measured may tremble (what a file system keeps for root does): less is no step.
_STEP = 1e-3
_STEPS_MOST = 200
# A limit that was not seen for so many bins is none any more.
_GONE = 24
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What was read of one resource on a grid; None where it has none."""

    usage: FloatArray
    limit: FloatArray | float | None = None
    requested: FloatArray | float | None = None
    driver: FloatArray | None = None
    driver_name: str = ""
    replicas: int = 1


def resource_of(
    one: Sought,
    labels: Labels,
    read: Measurements,
    *,
    grid: Grid,
    wanted: Wanted,
    changes: Sequence[int],
) -> Resource:
    """The resource of a series; `changes` are known ones of its service, in unix ms."""
    told, named = dict(labels), named_of(one, labels, wanted)
    limit = steps_of(read.limit, grid)
    if limit is not None and one.own is not None and one.own.planned:
        limit = _planned(limit, one.own.planned)
    driver = _driver(read, grid, wanted.calendar)
    return Resource(
        name=_title(one, told),
        kind=one.measured.kind,
        unit=one.measured.unit,
        labels=told,
        source=BY_HAND if one.own is not None else one.name,
        usage=_history(read.usage, grid, wanted.calendar, changes),
        limit=limit,
        requested=steps_of(read.requested, grid),
        driver=driver,
        driver_name="" if driver is None else read.driver_name,
        replicas=read.replicas if one.own is None else one.own.replicas,
        **named,
    )


def named_of(one: Sought, labels: Labels, wanted: Wanted) -> dict[str, str]:
    """Whose a series is: its service, namespace, cluster and team."""
    told = dict(labels)
    service = _first(one.service, told)
    named = {
        "service": service,
        "namespace": _first(one.namespace, told),
        "cluster": _first(one.cluster, told),
        "team": wanted.team_of(service),
    }
    if one.own is not None:
        named |= {key: said for key in named if (said := getattr(one.own, key))}
    return named


def steps_of(values: FloatArray | float | None, grid: Grid) -> Limit | None:
    """A limit by its steps; None where it is not measured, or not any more.

    >>> steps_of(np.array([8.0, 8.0, np.nan, 12.0]), Grid(end=4 * 3600, step_s=3600, count=4)).steps
    ((0, 8.0), (10800000, 12.0))
    """
    if values is None or isinstance(values, float):
        return None if values is None else Limit.of(values)
    known = np.flatnonzero(np.isfinite(values) & (values > 0))
    if not len(known) or known[-1] < len(values) - _GONE:
        return None
    steps: list[tuple[int, float]] = []
    moved = np.diff(values[known], prepend=np.nan) != 0
    for at in known[moved].tolist():
        value = float(values[at])
        if not steps or abs(value - steps[-1][1]) > _STEP * steps[-1][1]:
            steps.append((1000 * (grid.start + at * grid.step_s), value))
    return Limit(steps=tuple(steps[-_STEPS_MOST:]))


def _planned(limit: Limit, planned: Sequence[tuple[int, float]]) -> Limit:
    """Those that are still to come."""
    last = limit.steps[-1][0]
    return Limit(steps=limit.steps, planned=tuple(one for one in planned if one[0] > last))


def _history(
    values: FloatArray, grid: Grid, calendar: Calendar, changes: Sequence[int] = ()
) -> History:
    """From the first value on; a change counts from the beginning of its hour on."""
    known = np.flatnonzero(np.isfinite(values))
    first = int(known[0]) if len(known) else 0
    start, size = 1000 * (grid.start + first * grid.step_s), len(values) - first
    positions = sorted({(at - start) // (1000 * grid.step_s) for at in changes})
    return History(
        values=values[first:],
        start_ms=start,
        step_s=grid.step_s,
        calendar=calendar,
        changes=tuple(at for at in positions if 0 < at < size),
        floor=0.0,
    )


def _driver(read: Measurements, grid: Grid, calendar: Calendar) -> History | None:
    """On the grid of the usage, which begins with its first value."""
    if read.driver is None or not np.isfinite(read.driver).any():
        return None
    known = np.flatnonzero(np.isfinite(read.usage))
    first = int(known[0]) if len(known) else 0
    start = 1000 * (grid.start + first * grid.step_s)
    return History(
        values=read.driver[first:], start_ms=start, step_s=grid.step_s, calendar=calendar, floor=0.0
    )


def _first(labels: Sequence[str], told: Mapping[str, str]) -> str:
    return next((told[label] for label in labels if told.get(label)), "")


def _title(one: Sought, told: Mapping[str, str]) -> str:
    """As the pack names it, labels filled in."""
    if one.own is not None:
        return one.own.name
    return _PLACE.sub(lambda found: told.get(found[1], ""), one.measured.title or one.measured.name)
