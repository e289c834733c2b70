"""A capacity pack tried on a source: what each of its resources binds, of how much data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from msgspec.structs import replace as changed

from detector.capacity.packs.fill import rated
from detector.capacity.packs.schema import CapacityPack, Measured
from detector.capacity.resource import Resource
from detector.capacity.selftest import mute, untold
from detector.errors import ConfigError, SourceError
from pipelines.capacity.packtest_parts import (
    Asking,
    Part,
    lacking,
    parts_beside,
    refused,
    usage_part,
)
from pipelines.capacity.ranges import Ranges
from pipelines.capacity.reading import Names, Reading
from pipelines.capacity.wanted import Wanted
from pipelines.flows.packtest import MetricThere, metrics_there

__all__ = ["CapacityTest", "TriedResource", "try_capacity"]

# Days that are looked back at, and of each kind so many resources, the fullest first.
_DAYS, _MOST = 14, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedResource:
    """One kind of resource of a pack: what was found of it in the last `hours`.

    `names` of the fullest `count`, of which `hours_known` (at most) are known. `told`: of how many
    usage at its limit would be told as exhausted; `untold`: why not of others that have a limit,
    each once.
    """

    measured: Measured
    parts: tuple[Part, ...]
    names: tuple[str, ...] = ()
    hours: int = 24 * _DAYS
    hours_known: int = 0
    told: int = 0
    untold: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many resources were looked at."""
        return len(self.names)

    @property
    def is_bound(self) -> bool:
        """Whether some have all that the pack says, and exhaustion of those with a limit is told.

        That some have no limit or no request is how they were set up, and no fault of the pack.
        """
        return all(one.bound for one in self.parts) and self.told > 0 and not self.untold


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityTest:
    """A capacity pack on a source, as of a moment (unix seconds)."""

    pack: CapacityPack
    as_of: float
    metrics: tuple[MetricThere, ...]
    resources: tuple[TriedResource, ...]

    @property
    def is_there(self) -> bool:
        """Whether any metric of the pack exists."""
        return any(one.there for one in self.metrics)

    @property
    def is_bound(self) -> bool:
        """Whether all that the pack says is bound, and would be told."""
        return all(one.is_bound for one in self.resources)


@dataclass(frozen=True, slots=True)
class _Known:
    """Names of metrics that were asked for once."""

    known: frozenset[str]

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """As `Names`."""
        return self.known


def try_capacity(
    pack: CapacityPack,
    ranges: Ranges,
    names: Names,
    wanted: Wanted,
    *,
    as_of: float,
    bound_s: float,
) -> CapacityTest:
    """The pack by itself on what the source had in the last fortnight, as `wanted` reads it.

    `ConfigError` for a pack that can never tell of exhaustion, `SourceError` where the source does
    not answer; a query that it refuses is a part that is not bound. Each takes `bound_s`.
    """
    why = mute(pack, wanted.limits)
    if why is not None:
        raise ConfigError(f"{pack.name}: {why}")
    known = names.metrics(timeout_s=bound_s)
    asking = Asking(
        ranges=ranges,
        names=known,
        wanted=replace(wanted, packs=(pack,), by_hand=(), days=_DAYS, most=_MOST),
        as_of=as_of,
        bound_s=bound_s,
    )
    return CapacityTest(
        pack=pack,
        as_of=as_of,
        metrics=metrics_there(_needed(pack), known),
        resources=tuple(_tried(pack, one, asking) for one in pack.resources),
    )


def _needed(pack: CapacityPack) -> Iterator[tuple[str, str]]:
    """Every metric that the pack needs, after the key that names it."""
    keyed = [(f"resources[{at}].needs", one.needs) for at, one in enumerate(pack.resources)]
    keyed += [(f"drivers[{at}].needs", one.needs) for at, one in enumerate(pack.drivers)]
    yield from ((key, metric) for key, needs in keyed for metric in needs)


def _tried(pack: CapacityPack, one: Measured, asking: Asking) -> TriedResource:
    gone = lacking(one.needs, asking.names)
    usage = rated(one.usage, asking.wanted.rate_s)
    if gone:
        return _unbound(one, usage, gone)
    try:
        read = _read(pack, one, asking)
    except SourceError as error:
        return _unbound(one, usage, refused(error))
    if not read:
        return _unbound(one, usage, "gives no series in the last whole hour")
    parts = [usage_part(usage, read), *parts_beside(pack, one, asking, read)]
    limited = [each for each in read if each.limit is not None]
    tried = [untold(each, as_of=1000 * asking.now.end) for each in limited]
    return TriedResource(
        measured=one,
        parts=tuple(parts),
        names=tuple(_named(each) for each in read),
        hours_known=max(int(np.isfinite(each.usage.values).sum()) for each in read),
        told=sum(why is None for why in tried),
        untold=tuple(dict.fromkeys(why for why in tried if why is not None)),
    )


def _unbound(one: Measured, usage: str, why: str) -> TriedResource:
    return TriedResource(measured=one, parts=(Part(name="usage", query=usage, why=why),))


def _read(pack: CapacityPack, one: Measured, asking: Asking) -> tuple[Resource, ...]:
    """The fullest resources of a kind, as an assessment reads them."""
    read: tuple[Resource, ...] = ()
    try:
        read = _alone(pack, one, asking, asking.wanted)
    except SourceError as error:
        refused(error)
    if read:
        return read
    # What is refused beside the usage is told beside it, and hides nothing of it.
    bare = changed(one, limit=None, requested=None)
    return _alone(pack, bare, asking, replace(asking.wanted, limits={}))


def _alone(
    pack: CapacityPack, one: Measured, asking: Asking, wanted: Wanted
) -> tuple[Resource, ...]:
    """One kind of a pack, as if there were no other; `SourceError`."""
    reading = Reading(
        ranges=asking.ranges,
        names=_Known(asking.names),
        wanted=replace(wanted, packs=(changed(pack, resources=(one,)),)),
    )
    return reading.read(asking.as_of, timeout_s=asking.bound_s).resources


def _named(one: Resource) -> str:
    return f"{one.name} of {one.service}" if one.service else one.name
