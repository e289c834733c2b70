"""Resources assessed side by side, in processes of their own: each stands for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

from detector.capacity.assessed import Assessment
from detector.capacity.prices import Prices
from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Resource
from detector.capacity.whatif import WhatIf
from detector.errors import InputError
from pipelines.flows.spread import Places, spread

__all__ = ["Terms", "assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How far ahead is looked, what things cost, and what is supposed."""

    horizon_s: int
    prices: Prices = field(default_factory=Prices)
    what_if: tuple[WhatIf, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A resource with all that its assessment depends on."""

    resource: Resource
    terms: Terms
    as_of: int
    past: tuple[Report, ...]


def assessed(
    resources: Sequence[Resource],
    terms: Terms,
    *,
    as_of: int,
    past: Sequence[Report] = (),
    places: Places | None = None,
) -> tuple[tuple[Assessment, ...], tuple[LeftOut, ...]]:
    """What is told of each at unix ms, in their order, and of which nothing can be told, and why.

    `past`: earlier reports, the oldest first.
    """
    told = _by_resource(past)
    parts = (
        _Part(resource=one, terms=terms, as_of=as_of, past=tuple(told.get(one.key, ())))
        for one in resources
    )
    lost = dict(spread(parts, _work, _lost, places or Places()))
    made = [lost[at] for at in sorted(lost)]
    return (
        tuple(one for one in made if isinstance(one, Assessment)),
        tuple(one for one in made if isinstance(one, LeftOut)),
    )


def _by_resource(past: Iterable[Report]) -> dict[str, list[Report]]:
    """What each report said of each resource alone: that is all that travels with it."""
    told: dict[str, list[Report]] = {}
    for report in past:
        for one in report.assessments:
            alone = replace(report, assessments=(one,), left_out=(), summary=())
            told.setdefault(one.identity.key, []).append(alone)
    return told


def _work(part: _Part) -> Assessment | LeftOut:
    """Numbers that no honest answer can be made of cost their own resource alone."""
    # The statistics are loaded where something is assessed, and not at every start.
    from detector.capacity.assess import assess

    resource, terms = part.resource, part.terms
    try:
        return assess(
            resource,
            horizon_s=terms.horizon_s,
            as_of=part.as_of,
            prices=terms.prices,
            what_if=terms.what_if,
            past=part.past,
            seed=crc32(resource.key.encode()),
        )
    except (InputError, ValueError, ArithmeticError) as error:
        return LeftOut(name=resource.title, why=str(error))


def _lost(part: _Part, why: str) -> Assessment | LeftOut:
    return LeftOut(name=part.resource.title, why=why)
