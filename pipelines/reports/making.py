"""A report made to order: of a service, of a team or of all, with what is supposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.capacity.prices import Prices
from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Resource
from detector.capacity.summary import composed
from detector.capacity.whatif import parse
from detector.errors import InputError
from pipelines.capacity.assessing import Terms, assessed
from pipelines.capacity.reading import Read
from pipelines.flows.spread import Places

__all__ = ["Making", "Order", "Reads"]

# In words; more names are no help to who reads them.
_LEFT_OUT, _NAMES = 1000, 3


class Reads(Protocol):
    """What reads resources."""

    def read(self, as_of: float, *, timeout_s: float) -> Read:
        """All of a moment; `SourceError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Of what a report is: all, or these services, and of this team. `what_if` as people write it.

    `InputError` where the horizon is not between one day and a year.
    """

    horizon_s: int
    services: tuple[str, ...] = ()
    team: str = ""
    what_if: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 86_400 <= self.horizon_s <= 366 * 86_400:
            raise InputError("is between 1d and 366d", field="horizon")

    @property
    def scope(self) -> str:
        """In words.

        >>> Order(horizon_s=86_400, services=("checkout",)).scope, Order(horizon_s=86_400).scope
        ('checkout', 'all services')
        """
        team = f"team {self.team}" if self.team else ""
        if not self.services:
            return team or "all services"
        more = len(self.services) - _NAMES
        names = ", ".join(self.services[:_NAMES]) + (f" and {more} more" if more > 0 else "")
        return f"{names} of {team}" if team else names

    @property
    def is_all(self) -> bool:
        """Whether nothing is left aside."""
        return not (self.services or self.team)

    def covers(self, resource: Resource) -> bool:
        """Whether it is about this resource."""
        is_mine = not self.services or resource.service in self.services
        return is_mine and self.team in {"", resource.team}


@dataclass(slots=True)
class Making:
    """Reads, assesses and composes. `past` gives earlier reports before unix ms, oldest first."""

    reads: Reads
    read_s: float
    prices: Prices = field(default_factory=Prices)
    past: Callable[[int], Sequence[Report]] = lambda _: ()
    places: Places = field(default_factory=Places)

    def made(self, order: Order, as_of: float) -> Report:
        """As it was due at a moment, unix seconds.

        `SourceError`; `InputError` where a what-if cannot be understood, or where nothing of the
        order is there while other things are.
        """
        at = round(1000 * as_of)
        terms = Terms(
            horizon_s=order.horizon_s,
            prices=self.prices,
            what_if=tuple(parse(text, now=at) for text in order.what_if),
        )
        read = self.reads.read(as_of, timeout_s=self.read_s)
        mine = [one for one in read.resources if order.covers(one)]
        _check(order, mine, read)
        found, lost = assessed(mine, terms, as_of=at, past=self.past(at), places=self.places)
        return composed(
            found,
            made_at=at,
            horizon_s=order.horizon_s,
            scope=order.scope,
            left_out=(*_left_out(order, read.left_out), *lost)[:_LEFT_OUT],
            what_if=tuple(one.text for one in terms.what_if),
        )


def _check(order: Order, mine: Sequence[Resource], read: Read) -> None:
    """A name that is misspelt must not look like a service that lasts."""
    if mine or order.is_all:
        return
    field = "service" if order.services else "team"
    there = {*read.owners, *((one.service, one.team) for one in read.resources)}
    names = {service if order.services else team for service, team in there} - {""}
    known = ", ".join(sorted(names)[:20])
    others = f"there are: {known}" if known else "and there are no others"
    raise InputError(f"no resource of {order.scope} is there; {others}", field=field)


def _left_out(order: Order, left: Sequence[LeftOut]) -> list[LeftOut]:
    """Of a report of some services: what is theirs by its name, and what is nobody's."""
    if not order.services:
        return list(left)
    return [one for one in left if " of " not in one.name or _is_of(one, order.services)]


def _is_of(one: LeftOut, services: Sequence[str]) -> bool:
    return any(one.name.endswith(f" of {service}") for service in services)
