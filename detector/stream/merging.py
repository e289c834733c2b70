"""What several parts of a stream tell of one service, added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.gate.course import TOLD, Course, Streamed, course
from detector.signals.plan import BoundSignal, Plan

__all__ = ["PartTold", "merged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTold:
    """What one part tells, or why it tells nothing, and of which `metrics` it has the service."""

    metrics: frozenset[str]
    told: Streamed = field(default_factory=Streamed)
    why: str = ""


def merged(plan: Plan, parts: Sequence[PartTold], *, missing: str) -> Streamed:
    """By signal the sum of the parts that have its metric; one that does not tell it spoils it.

    `missing` begins the reason where no part has a metric.
    """
    kept = [_merged(bound, parts, missing) for bound in plan.signals if bound.signal.kind in TOLD]
    told = {name: found for name, found in kept if not isinstance(found, str)}
    first = max((start for start, _ in told.values()), default=0)
    cut = {name: _from(first, *found) for name, found in told.items()}
    # Signals of one histogram share theirs.
    courses = tuple(dict.fromkeys(cut.values()))
    return Streamed(
        first=first,
        courses=courses,
        signals={name: courses.index(one) for name, one in cut.items()},
        why={name: found for name, found in kept if isinstance(found, str)},
    )


def _merged(
    bound: BoundSignal, parts: Sequence[PartTold], missing: str
) -> tuple[str, str | tuple[int, Course]]:
    name, metric = bound.signal.name, bound.total.metric
    own = [part for part in parts if metric in part.metrics]
    if not own:
        return name, f"{missing} no {metric} of the service"
    found = list[tuple[int, Course]]()
    for part in own:
        one = part.told.of(name)
        if one is None:
            return name, part.why or _why(part.told.why, name)
        found.append((part.told.first, one))
    if len({(one.columns, one.edges) for _, one in found}) > 1:
        return name, "its parts count durations by different bounds"
    return name, _sum(found)


def _why(why: Mapping[str, str], name: str) -> str:
    return why.get(name, "a part of it tells nothing")


def _sum(found: Sequence[tuple[int, Course]]) -> tuple[int, Course]:
    """Over the half hours that all of them have."""
    first = max(start for start, _ in found)
    tables = [one.table[first - start :] for start, one in found]
    count = min(len(table) for table in tables)
    total = np.sum([table[:count] for table in tables], axis=0)
    return first, course(total, found[0][1].edges)


def _from(first: int, start: int, of: Course) -> Course:
    return course(of.table[first - start :], of.edges)
