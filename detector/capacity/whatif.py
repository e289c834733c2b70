"""What if: more traffic, a campaign, a zone less, a canary's effect for all, another limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, log

import numpy as np
from numpy.typing import NDArray

from detector.capacity.assessed import DriverModel
from detector.capacity.driver import driven, inverse
from detector.capacity.moments import moment_of
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.units import amount, quantity
from detector.errors import InputError
from detector.series import FloatArray

__all__ = [
    "UNDRIVEN",
    "Load",
    "LoadOf",
    "Resized",
    "WhatIf",
    "carried",
    "loaded",
    "parse",
    "resized",
]

Ints = NDArray[np.int64]
_MOST_TIMES = 1000.0
UNDRIVEN = frozenset({Kind.PARTITIONS, Kind.LICENCES})
# What lies between the bounds of a normal interval of 90 %.
_NINETY = 2 * 1.6448536269514722


class LoadOf(StrEnum):
    """What is multiplied: what comes in, or what is used for it."""

    TRAFFIC = "traffic"
    USAGE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many times the traffic or usage, from `since` (unix ms; None: from now) to `until`.

    `low` to `high` hold the factor with 90 %. `kind`: of resources of this kind only.
    """

    of: LoadOf
    factor: float
    low: float
    high: float
    since: int | None = None
    until: int | None = None
    kind: Kind | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized:
    """Another limit from `since` on: an amount with its unit, or so many times the present one."""

    amount: str = ""
    factor: float = 1.0
    since: int | None = None
    kind: Kind | None = None
    text: str = ""


WhatIf = Load | Resized

_SPANS = r"(?:\s+from\s+(?P<since>.+?))?(?:\s+(?:to|until)\s+(?P<until>.+?))?"
_KIND = r"(?:(?P<kind>[a-z]+)\s*:\s*)?"
_LOAD = re.compile(
    _KIND + r"(?P<of>traffic|usage)\s*(?P<by>[-+][0-9.]+\s*%|[x*]\s*[0-9.]+)" + _SPANS
)
_ZONES = re.compile(_KIND + r"zones\s+(?P<from>\d{1,3})\s*->\s*(?P<to>\d{1,3})" + _SPANS)
_LIMIT = re.compile(
    _KIND + r"limit\s+(?P<to>[-+]?[0-9.]+\s*%|[-+]?[0-9.]+(?:e\d+)?\s*[A-Za-z/]*)" + _SPANS
)
_USE = (
    'write "traffic +40% from 2026-12-01 to 2026-12-24", "usage +12%", "zones 3->2" or'
    ' "disk: limit 200GiB from 2026-12-01"'
)
_LONGEST = 200


def parse(text: str, *, now: int) -> WhatIf:
    """What a text says; `InputError` (field `what_if`) where it cannot be understood.

    Days are UTC, a `to` includes its day. A kind and a colon before it keep it to that kind.

    >>> found = parse("traffic +40% from 1 December", now=1_790_000_000_000)
    >>> (found.factor, found.since)
    (1.4, 1796083200000)
    """
    told = " ".join(text.split())
    if len(told) > _LONGEST:
        raise InputError(f"a what-if of {len(told)} characters: {_USE}", field="what_if")
    for pattern, made in ((_LOAD, _load), (_ZONES, _zones), (_LIMIT, _limit)):
        found = pattern.fullmatch(told)
        if found is not None:
            return made(found, told, now)
    raise InputError(f"{told[:60]!r} is no what-if: {_USE}", field="what_if")


def _load(found: re.Match[str], told: str, now: int) -> Load:
    return _loading(LoadOf(found["of"]), _times(found["by"]), found, told, now)


def _zones(found: re.Match[str], told: str, now: int) -> Load:
    before, after = int(found["from"]), int(found["to"])
    if not (before > 0 and after > 0):
        raise InputError("zones: at least one before and after", field="what_if")
    return _loading(LoadOf.TRAFFIC, before / after, found, told, now)


def _loading(of: LoadOf, factor: float, found: re.Match[str], told: str, now: int) -> Load:
    since, until = _span(found, now)
    return Load(
        of=of, factor=factor, low=factor, high=factor, since=since, until=until,
        kind=_kind(found), text=told,
    )  # fmt: skip


def _limit(found: re.Match[str], told: str, now: int) -> Resized:
    since, until = _span(found, now)
    if until is not None:
        raise InputError("a limit has a from, and no to", field="what_if")
    to = found["to"].strip()
    if to.endswith("%"):
        if to[0] not in "+-":
            raise InputError(f"limit {to}: write +{to} or an amount", field="what_if")
        return Resized(factor=_times(to), since=since, kind=_kind(found), text=told)
    if quantity(to)[0] <= 0:
        raise InputError(f"limit {to}: above 0", field="what_if")
    return Resized(amount=to, since=since, kind=_kind(found), text=told)


def _times(by: str) -> float:
    """A factor, of "+40%", "-5 %" or "x2"."""
    try:
        factor = 1.0 + float(by[:-1]) / 100 if by.endswith("%") else float(by[1:])
    except ValueError:
        raise InputError(f"{by!r} is no number", field="what_if") from None
    return _factor(factor)


def _factor(factor: float) -> float:
    if not (isfinite(factor) and 0 < factor <= _MOST_TIMES):
        raise InputError(
            f"{factor:g} times as much: above 0 and at most {_MOST_TIMES:g}", field="what_if"
        )
    return factor


def _span(found: re.Match[str], now: int) -> tuple[int | None, int | None]:
    since = None if found["since"] is None else moment_of(found["since"], now=now)
    until = None
    if found["until"] is not None:
        until = moment_of(found["until"], now=now if since is None else since, is_end=True)
    if until is not None and until <= (now if since is None else since):
        raise InputError("it ends before it begins", field="what_if")
    return since, until


def _kind(found: re.Match[str]) -> Kind | None:
    if found["kind"] is None:
        return None
    if found["kind"] not in set(Kind):
        told = ", ".join(Kind)
        raise InputError(f"{found['kind']!r} is no kind; these are: {told}", field="what_if")
    return Kind(found["kind"])


def carried(
    value: float,
    low: float,
    high: float,
    *,
    weight: float = 0.0,
    since: int | None = None,
    kind: Kind | None = Kind.CPU,
    text: str = "",
) -> Load:
    """What a canary's effect on usage, times as much with its bounds of 90 %, does at all traffic.

    `weight`: the share of the traffic that the canary has already, whose effect is in the usage.

    >>> round(carried(1.12, 1.05, 1.2, weight=0.2).factor, 4)
    1.0938
    """
    if not 0 <= weight < 1:
        raise InputError(f"a weight of {weight:g}: at least 0 and below 1", field="weight")
    if not low <= value <= high:
        raise InputError("an effect lies between its bounds", field="effect")
    factor, least, most = (
        _factor(ratio / (1 + weight * (ratio - 1))) for ratio in (value, low, high)
    )
    told = text or f"the canary's {100 * (value - 1):+.0f} % for all traffic"
    return Load(
        of=LoadOf.USAGE, factor=factor, low=least, high=most, since=since, kind=kind, text=told
    )


def loaded(
    paths: FloatArray,
    at: Ints,
    what_ifs: Sequence[WhatIf],
    kind: Kind,
    model: DriverModel | None,
    rng: np.random.Generator,
) -> FloatArray:
    """Futures (count, H) of days whose middles are `at` (unix ms) with all loads on them.

    Traffic is multiplied through the driver's model where there is one, else usage as a whole; of a
    disk its growth is, and licences and partitions do not follow it.
    """
    for one in what_ifs:
        if isinstance(one, Load) and one.kind in (None, kind):
            paths = _with(paths, at, one, kind, model, rng)
    return paths


def _with(
    paths: FloatArray,
    at: Ints,
    load: Load,
    kind: Kind,
    model: DriverModel | None,
    rng: np.random.Generator,
) -> FloatArray:
    on = np.ones(len(at), dtype=bool)
    if load.since is not None:
        on &= at >= load.since
    if load.until is not None:
        on &= at < load.until
    spread = log(load.high / load.low) / _NINETY
    factors = load.factor * np.exp(spread * rng.standard_normal((len(paths), 1)))
    if load.of is LoadOf.USAGE or kind is Kind.TRAFFIC:
        return np.where(on, paths * factors, paths)
    if kind in UNDRIVEN:
        return paths
    if kind is Kind.DISK:
        return _growing(paths, factors, on)
    return np.where(on, _driven(paths, factors, model), paths)


def _growing(paths: FloatArray, factors: FloatArray, on: NDArray[np.bool_]) -> FloatArray:
    """What comes in fills so many times as fast; what is thrown away is not more for it."""
    growth = np.maximum(np.diff(paths, axis=1, prepend=paths[:, :1]), 0.0)
    more: FloatArray = paths + np.cumsum(np.where(on, (factors - 1) * growth, 0.0), axis=1)
    return more


def _driven(paths: FloatArray, factors: FloatArray, model: DriverModel | None) -> FloatArray:
    if model is None:
        return paths * factors
    load = inverse(model, paths)
    more: FloatArray = paths + driven(model, load * factors) - driven(model, load)
    return more


def resized(resource: Resource, what_ifs: Sequence[WhatIf], as_of: int) -> Limit | None:
    """The limit with what is changed of it; `InputError` where units cannot be compared."""
    limit = resource.limit
    for one in what_ifs:
        if isinstance(one, Resized) and one.kind in (None, resource.kind) and limit is not None:
            limit = _resized(limit, one, resource.unit, as_of)
    return limit


def _resized(limit: Limit, to: Resized, unit: str, as_of: int) -> Limit:
    since = as_of if to.since is None else max(to.since, as_of)
    value = amount(to.amount, unit) if to.amount else to.factor * limit.at(since)
    steps = tuple(step for step in limit.steps if step[0] < since)
    before = tuple(step for step in limit.planned if step[0] < since)
    if not steps:
        return Limit(steps=((since, value),))
    return Limit(steps=steps, planned=(*before, (since, value)))
