"""Which resources are looked for: those that packs know, and those that people set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from msgspec.structs import replace

from detector.capacity.packs.fill import rated
from detector.capacity.packs.schema import CapacityPack, Driver, Fold, Measured
from detector.capacity.resource import Kind
from detector.series import Matcher
from models.baseline.calendar import Calendar

__all__ = ["BY_HAND", "ByHand", "Sought", "Wanted", "sought"]

BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A resource that a person set: queries of PromQL, and limits that are queries or numbers.

    All in `unit`. `planned`: by unix ms, what the limit will be from then on. A query with several
    series is as many resources, told apart by their labels.
    """

    name: str
    kind: Kind
    unit: str
    usage: str
    limit: str | float | None = None
    requested: str | float | None = None
    planned: tuple[tuple[int, float], ...] = ()
    driver: str | None = None
    driver_name: str = "requests"
    hour: Fold = Fold.MAX
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    team: str = ""
    replicas: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is read, and how much of it at most.

    `days` back; `most` resources, the fullest first; `rate_s`: the window of rates; `where`: what
    the labels of packs' resources have to match. `limits`: numbers in place of a pack's limits, by
    pack and resource. `teams`: patterns of the services of each. `services` and `team`: of these
    alone; of all where they are empty.
    """

    packs: Sequence[CapacityPack] = ()
    by_hand: Sequence[ByHand] = ()
    days: int = 90
    most: int = 200
    rate_s: int = 300
    where: tuple[Matcher, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    services: tuple[str, ...] = ()
    team: str = ""

    def concerns(self, named: Mapping[str, str]) -> bool:
        """Whether what has this `service` and `team` is read.

        >>> Wanted(services=("cart",)).concerns({"service": "crm", "team": ""})
        False
        """
        is_mine = not self.services or named["service"] in self.services
        return is_mine and self.team in {"", named["team"]}

    def team_of(self, service: str) -> str:
        """The first team whose patterns name a service, "" where none does.

        >>> Wanted(teams={"shop": ("checkout", "cart-*")}).team_of("cart-api")
        'shop'
        """
        for team, patterns in self.teams.items():
            if any(fnmatchcase(service, pattern) for pattern in patterns):
                return team
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """One kind of resource that is looked for, with its queries as they are sent.

    `source`: the pack, or "by hand"; then `own` is what the person said.
    """

    source: str
    measured: Measured
    limit: str | float | None
    requested: str | float | None
    drivers: tuple[Driver, ...] = ()
    service: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    own: ByHand | None = None

    @property
    def name(self) -> str:
        """As people set its limit, and read what went wrong with it."""
        return f"{self.source}.{self.measured.name}" if self.own is None else self.own.name


def sought(wanted: Wanted, metrics: frozenset[str]) -> list[Sought]:
    """What is there to be read where a source has these metrics."""
    found = [_by_hand(one, wanted) for one in wanted.by_hand]
    for pack in wanted.packs:
        there = (one for one in pack.resources if metrics.issuperset(one.needs))
        found += [_packed(pack, one, wanted, metrics) for one in there]
    return found


def _packed(pack: CapacityPack, one: Measured, wanted: Wanted, metrics: frozenset[str]) -> Sought:
    limit = wanted.limits.get(f"{pack.name}.{one.name}", one.limit)
    there = (each for each in pack.drivers if one.driven and metrics.issuperset(each.needs))
    return Sought(
        source=pack.name,
        measured=_rated(one, wanted.rate_s),
        limit=_sent(limit, wanted.rate_s),
        requested=_sent(one.requested, wanted.rate_s),
        drivers=tuple(_loaded(each, wanted.rate_s) for each in there),
        service=pack.service,
        namespace=pack.namespace,
        cluster=pack.cluster,
    )


def _by_hand(one: ByHand, wanted: Wanted) -> Sought:
    driver = (
        () if one.driver is None else (Driver(name=one.driver_name, needs=(), query=one.driver),)
    )
    measured = Measured(
        name="resource", kind=one.kind, unit=one.unit, needs=(), usage=one.usage, hour=one.hour
    )
    return Sought(
        source=BY_HAND,
        measured=_rated(measured, wanted.rate_s),
        limit=_sent(one.limit, wanted.rate_s),
        requested=_sent(one.requested, wanted.rate_s),
        drivers=tuple(_loaded(each, wanted.rate_s) for each in driver),
        own=one,
    )


def _rated(one: Measured, window_s: int) -> Measured:
    replicas = None if one.replicas is None else rated(one.replicas, window_s)
    return replace(one, usage=rated(one.usage, window_s), replicas=replicas)


def _loaded(driver: Driver, window_s: int) -> Driver:
    return replace(driver, query=rated(driver.query, window_s))


def _sent(query: str | float | None, window_s: int) -> str | float | None:
    return rated(query, window_s) if isinstance(query, str) else query
