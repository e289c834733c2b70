"""What the families of a plan are read for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detector.series import Matcher
from detector.signals.plan import Family, Plan
from detector.signals.signal import Kind

__all__ = ["Role", "roles_of"]


@dataclass(slots=True)
class Role:
    """What a family is read for: which signals' bad matchers apply to its series.

    `beside`: events of this family are added to those of that one, and often scraped with them.
    `apart`: the label that tells templates of log lines, where it counts them.
    """

    family: Family
    bad: tuple[tuple[str, tuple[Matcher, ...]], ...] = ()
    events: bool = False
    beside: Family | None = None
    apart: str = ""


def roles_of(plan: Plan) -> list[Role]:
    """Every family of a plan once, in a fixed order, requests first."""
    roles: dict[Family, Role] = {}
    for family in _mentioned(plan):
        roles.setdefault(family, Role(family))
    for bound in plan.signals:
        if bound.signal.kind is Kind.RATIO:
            for family in (bound.bad_in or bound.total, *bound.also):
                role = roles[family]
                role.bad = (*role.bad, (bound.signal.name, bound.bad))
        if bound.apart:
            roles[bound.total].apart = bound.apart
        elif bound.signal.kind is Kind.EVENTS:
            for family in (bound.total, *bound.also):
                roles[family].events = True
            for family in bound.also:
                roles[family].beside = bound.total
    return list(roles.values())


def _mentioned(plan: Plan) -> Iterator[Family]:
    yield plan.requests
    if plan.start_time is not None:
        yield plan.start_time
    for bound in plan.signals:
        yield bound.total
        yield from bound.also
        yield from (family for family in (bound.bad_in, bound.load) if family is not None)
