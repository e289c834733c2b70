"""Whether a resource could ever be told as exhausted: tried by usage that is led to its limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from detector.capacity.assess import assess
from detector.capacity.packs.schema import CapacityPack
from detector.capacity.resource import Limit, Resource
from detector.series import FloatArray
from models.forecast.history import DAY_S, History

__all__ = ["mute", "untold"]

# Led to the limit over so many days, and left there for the last of them.
_DAYS, _FULL_DAYS = 28, 3
_HORIZON_S = 30 * DAY_S
# A limit that follows usage: usage moves by so much, and its share of the limit does not.
_MOVES, _STAYS, _LEAST_HOURS = 0.05, 0.005, 6
# A limit that is measured may tremble by a thousandth; so much above it is at it.
_ABOVE = 1.001


def mute(pack: CapacityPack, limits: Mapping[str, float]) -> str | None:
    """Why a pack can never tell of exhaustion, whatever is measured; None where it can.

    `limits`: numbers that a configuration sets, by pack and resource.
    """
    for at, one in enumerate(pack.resources):
        if one.limit == one.usage:
            return f"resources[{at}].limit: is the usage itself, which is always at it"
    named = {f"{pack.name}.{one.name}" for one in pack.resources}
    if any(one.limit is not None for one in pack.resources) or named & limits.keys():
        return None
    return (
        "resources: none has a limit, so nothing could ever be told as exhausted; give `limit` a"
        f" query or a number, or set capacity.limits: {{{min(named)}: NUMBER}}"
    )


def untold(resource: Resource, *, as_of: int) -> str | None:
    """Why a resource would not be told as exhausted if it were; None where it would be.

    Usage is taken to have been for four weeks as it is now, which must raise no doubts, and to
    have gone up to the limit, which must be told. `as_of` in unix ms.
    """
    if resource.limit is None:
        return "no limit is known of it"
    last = _last(resource)
    if last is None:
        return "nothing was measured of it"
    if _follows(resource, resource.limit):
        return "its limit moves as its usage does: it can never be reached"
    limit = resource.limit.at(as_of)
    steady = assess(_led(resource, last, last, as_of), horizon_s=_HORIZON_S, as_of=as_of)
    if steady.problem is not None:
        return steady.problem
    full = assess(
        _led(resource, min(last, limit), _ABOVE * limit, as_of), horizon_s=_HORIZON_S, as_of=as_of
    )
    if full.exhaustion is None or full.exhaustion.since is None:
        return full.problem or f"usage at its limit of {limit:g} was not told as exhausted"
    return None


def _last(resource: Resource) -> float | None:
    known = resource.usage.values[np.isfinite(resource.usage.values)]
    return float(known[-1]) if len(known) else None


def _follows(resource: Resource, limit: Limit) -> bool:
    """Whether usage was always the same share of its limit, though it moved."""
    usage = resource.usage
    known = (usage.values > 0) & (usage.starts() >= limit.steps[0][0])
    bound = np.array([limit.at(int(at)) for at in usage.starts()])
    used, share = usage.values[known], usage.values[known] / bound[known]
    return len(used) >= _LEAST_HOURS and _spread(used) > _MOVES and _spread(share) < _STAYS


def _spread(values: FloatArray) -> float:
    return float(np.ptp(values) / np.median(values))


def _led(resource: Resource, begin: float, end: float, as_of: int) -> Resource:
    """The resource with a usage that goes from one amount to another, and stays there."""
    hours, full = 24 * _DAYS, 24 * _FULL_DAYS
    values = np.concatenate([np.linspace(begin, end, hours - full), np.full(full, end)])
    usage = History(
        values=values,
        start_ms=as_of - 3_600_000 * hours,
        calendar=resource.usage.calendar,
        floor=0.0,
    )
    limit = None if resource.limit is None else Limit.of(resource.limit.at(as_of))
    return replace(resource, usage=usage, limit=limit, requested=None, driver=None)
