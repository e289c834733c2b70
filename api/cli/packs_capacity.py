"""`serinus pack test` of a capacity pack: what each of its resources binds, and is told."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.cli.guard import Code
from detector.capacity.units import shown

if TYPE_CHECKING:
    from api.settings import Settings
    from detector.capacity.packs import CapacityPack
    from pipelines.capacity.packtest import CapacityTest, TriedResource
    from pipelines.capacity.packtest_parts import Part
    from pipelines.capacity.reading import Names

__all__ = ["capacity_body", "capacity_code", "capacity_text", "try_capacity_pack"]

_BOUND_S, _NAMES_SHOWN = 120.0, 5


def try_capacity_pack(pack: CapacityPack, names: Names, settings: Settings) -> CapacityTest:
    """What became of it on the source of the settings; `ConfigError`, `SourceError`."""
    from pipelines.capacity.packtest import try_capacity
    from pipelines.capacity.ranges import open_ranges
    from pipelines.capacity.wanted import Wanted

    section = settings.capacity
    wanted = Wanted(
        rate_s=section.rate_s,
        where=section.matchers(),
        limits=section.limits,
        calendar=settings.stream.calendar(),
    )
    ranges = open_ranges(settings.source.native())
    try:
        return try_capacity(pack, ranges, names, wanted, as_of=time.time(), bound_s=_BOUND_S)
    finally:
        ranges.close()


def capacity_code(found: CapacityTest) -> Code:
    """0 bound and told, 1 not all of it, 3 nothing there that could be."""
    if not found.is_there:
        return Code.INCONCLUSIVE
    return Code.PASS if found.is_bound else Code.FAIL


def capacity_text(found: CapacityTest) -> Iterator[str]:
    """For people, line by line: each resource with its queries, amounts and the self-test."""
    for one in found.resources:
        yield ""
        yield from _resource(one)
    yield ""
    match capacity_code(found):
        case Code.PASS:
            yield "All that the pack knows is bound, and its exhaustion is told. Give it to"
            yield "serinus by capacity.packs."
        case Code.INCONCLUSIVE:
            yield "None of its metrics is in this source: nothing was shown either way."
        case _:
            yield "Not all that the pack knows is bound or told; the lines above say why."


def _resource(one: TriedResource) -> Iterator[str]:
    measured = one.measured
    yield f"{measured.name}: {measured.kind}, in {measured.unit}"
    if one.names:
        more = f" and {one.count - _NAMES_SHOWN} more" if one.count > _NAMES_SHOWN else ""
        yield f"  found      {', '.join(one.names[:_NAMES_SHOWN])}{more}"
        yield f"  data       {one.hours_known} of the last {one.hours} hours"
    for part in one.parts:
        yield from _part(part, one)
    yield from _told(one)


def _part(part: Part, one: TriedResource) -> Iterator[str]:
    told = f"bound to {part.bound} of {one.count}" if part.bound else "not bound"
    yield f"  {part.name.ljust(9)}  {told}{f': {part.why}' if part.why else ''}"
    if isinstance(part.query, str) and part.query:
        yield f"    query    {part.query}"
    if part.low is not None and part.high is not None:
        yield f"    now      {_amounts(part, part.low, part.high, one.measured.unit)}"


def _amounts(part: Part, low: float, high: float, unit: str) -> str:
    """Of the unit of the resource, but replicas and loads."""
    if part.name not in ("usage", "limit", "requested"):
        unit = ""
    told = [shown(value, unit) for value in (low, high)]
    return told[0] if low == high else f"{told[0]} to {told[1]}"


def _told(one: TriedResource) -> Iterator[str]:
    if one.told:
        yield f"  self-test  usage at its limit is told as exhausted: {one.told} of {one.count}"
    elif one.count:
        yield "  self-test  usage at its limit is told as exhausted: none"
    yield from (f"    not      {why}" for why in one.untold)


def capacity_body(found: CapacityTest) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "as_of": datetime.fromtimestamp(found.as_of, UTC).isoformat(timespec="seconds"),
        "resources": [_resource_body(one) for one in found.resources],
    }


def _resource_body(one: TriedResource) -> Mapping[str, Any]:
    return {
        "name": one.measured.name,
        "kind": one.measured.kind.value,
        "unit": one.measured.unit,
        "bound": one.is_bound,
        "found": list(one.names),
        "hours": one.hours,
        "hours_known": one.hours_known,
        "parts": [
            {
                "name": part.name,
                "query": part.query,
                "bound": part.bound,
                "low": part.low,
                "high": part.high,
                "why": part.why,
            }
            for part in one.parts
        ],
        "told": one.told,
        "untold": list(one.untold),
    }
