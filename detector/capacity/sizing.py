"""What a resource should be given: too little and too much, from the peaks of its futures."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np

from detector.capacity.assessed import Action, Exhaustion, Headroom, Sizing
from detector.capacity.moments import day
from detector.capacity.prices import Prices
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.units import shown
from detector.series import FloatArray

__all__ = ["headroom", "sized"]

# A limit holds what nineteen futures of twenty stay below, and a fifth more; what is requested has
# to hold the usual peak only, and a tenth more.
_LIMIT_SHARE, _LIMIT_MARGIN = 0.95, 1.2
_REQUEST_SHARE, _REQUEST_MARGIN = 0.9, 1.1
# Nothing is changed for less than a fifth.
_BAND = 0.2
# Of what there is, so much is left at least: what was never used may be needed at times.
_LEAST_PART = 0.01
_CHANCE = 0.1
_WEEK = 7
# What can be made smaller at all: nobody shrinks a disk or a topic.
_SHRINKS = frozenset({Kind.CPU, Kind.MEMORY, Kind.CONNECTIONS, Kind.LICENCES, Kind.OTHER})


def headroom(
    worst: FloatArray, limit: float, paths: FloatArray | None, bound: FloatArray
) -> Headroom:
    """What is left of a limit: of the worst of the last week, and of futures (count, H)."""
    recent = worst[-_WEEK:]
    used = float(np.nanmax(recent)) if np.isfinite(recent).any() else float(np.nanmax(worst))
    ahead = None
    if paths is not None:
        ahead = float(np.quantile((paths / bound).max(axis=1), 0.9))
    return Headroom(used=used, limit=limit, share=used / limit, ahead=ahead)


def sized(
    resource: Resource,
    limit: Limit | None,
    paths: FloatArray,
    exhaustion: Exhaustion | None,
    prices: Prices,
    as_of: int,
) -> Sizing | None:
    """What is advised, None where there is neither a limit nor a request.

    A limit that may run out within the horizon goes first; else what is requested, which is paid
    for, is looked at, and the limit where nothing is requested.
    """
    if limit is not None and exhaustion is not None and exhaustion.chance >= _CHANCE:
        return _raised(resource, limit, paths, exhaustion, prices, as_of)
    if resource.requested is not None:
        return _requested(resource, resource.requested.now, paths, prices)
    if limit is not None:
        return _limited(resource, limit, paths, prices)
    return None


def _raised(
    resource: Resource,
    limit: Limit,
    paths: FloatArray,
    exhaustion: Exhaustion,
    prices: Prices,
    as_of: int,
) -> Sizing:
    present = limit.at(as_of)
    most = max(present, *(value for _, value in limit.planned)) if limit.planned else present
    to = _rounded_up(_needed(paths, _LIMIT_SHARE) * _LIMIT_MARGIN, resource.unit)
    if to <= most:
        return _kept("limit", most, f"{shown(most, resource.unit)} is planned, but comes too late")
    by = as_of if exhaustion.since is not None else exhaustion.p10
    when = _by(by, is_already=exhaustion.since is not None)
    why = f"{when}; 95 futures of 100 and a fifth stay below {shown(to, resource.unit)}"
    return _sizing(resource, Action.RAISE, "limit", present, to, prices, why=why, by=by)


def _by(at: int | None, *, is_already: bool) -> str:
    if is_already or at is None:
        return "it is used up already"
    return f"one future of ten has used it up on {day(at)}"


def _requested(resource: Resource, present: float, paths: FloatArray, prices: Prices) -> Sizing:
    to = _rounded_up(_usual(paths) * _REQUEST_MARGIN, resource.unit)
    held = "the daily peaks of nine futures of ten, and a tenth"
    return _fitting(resource, "request", present, to, prices, held)


def _limited(resource: Resource, limit: Limit, paths: FloatArray, prices: Prices) -> Sizing:
    to = _rounded_up(_needed(paths, _LIMIT_SHARE) * _LIMIT_MARGIN, resource.unit)
    held = "the peaks of 95 futures of 100, and a fifth"
    return _fitting(resource, "limit", limit.now, to, prices, held)


def _fitting(
    resource: Resource, what: str, present: float, to: float, prices: Prices, held: str
) -> Sizing:
    """Lower or raise where it is off by more than the band, else keep."""
    unit, to = resource.unit, max(to, _rounded_up(_LEAST_PART * present, resource.unit))
    if to > present * (1 + _BAND) and what == "request":
        why = f"more is used than is requested: {shown(to, unit)} holds {held}"
        return _sizing(resource, Action.RAISE, what, present, to, prices, why=why)
    if to < present * (1 - _BAND) and (what == "request" or resource.kind in _SHRINKS):
        why = f"{shown(to, unit)} holds {held}"
        return _sizing(resource, Action.LOWER, what, present, to, prices, why=why)
    return _kept(what, present, f"it fits: {shown(to, unit)} would hold {held}")


def _kept(what: str, present: float, why: str) -> Sizing:
    return Sizing(action=Action.KEEP, what=what, present=present, to=present, why=why)


def _sizing(
    resource: Resource,
    action: Action,
    what: str,
    present: float,
    to: float,
    prices: Prices,
    *,
    why: str,
    by: int | None = None,
) -> Sizing:
    saving = prices.of(resource.kind, (present - to) * resource.replicas, resource.unit)
    return Sizing(
        action=action,
        what=what,
        present=present,
        to=to,
        by=by,
        saving=saving,
        currency="" if saving is None else prices.currency,
        why=why,
    )


def _needed(paths: FloatArray, share: float) -> float:
    """What so many futures never reach."""
    return float(np.quantile(paths.max(axis=1), share))


def _usual(paths: FloatArray) -> float:
    """The peak of nine days in ten, in nine futures of ten."""
    return float(np.quantile(np.quantile(paths, _REQUEST_SHARE, axis=1), _REQUEST_SHARE))


def _rounded_up(value: float, unit: str) -> float:
    """Two digits, upwards; bytes by the unit that they are shown in.

    >>> _rounded_up(1.234, "cores"), round(_rounded_up(4.01 * 2**30, "bytes") / 2**30, 9)
    (1.3, 4.1)
    """
    if value <= 0:
        return 0.0
    base = 1024.0 ** floor(log10(value) / log10(1024)) if unit == "bytes" and value >= 1 else 1.0
    size = 10.0 ** (floor(log10(value / base)) - 1)
    return ceil(value / base / size - 1e-9) * size * base
