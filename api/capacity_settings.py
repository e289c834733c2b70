"""What is said of capacity in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from api.section import Count, Seconds, Section
from detector.capacity.packs.schema import Fold
from detector.capacity.packs.sense import flaw_of
from detector.capacity.prices import PRICED, Prices
from detector.capacity.resource import Kind
from detector.capacity.units import amount, quantity
from detector.capacity.whatif import WhatIf, parse
from detector.errors import ConfigError, InputError
from detector.selector import parse_selector
from detector.series import Matcher
from pipelines.capacity.wanted import ByHand, Wanted

__all__ = ["CapacitySection", "PricesSection", "ResourceSection"]

_DAY_S = 86_400
Days = Annotated[int, Field(ge=1, le=366)]
Price = Annotated[float, Field(ge=0)]


class ResourceSection(Section):
    """A resource that no pack knows: queries of PromQL, or amounts such as 500 or 200GiB."""

    kind: Kind = Kind.OTHER
    unit: str = ""
    usage: str
    limit: str | float | None = None
    requested: str | float | None = None
    planned: dict[date, str | float] = Field(default_factory=dict)
    driver: str | None = None
    driver_name: str = "requests"
    hour: Fold = Fold.MAX
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    team: str = ""
    replicas: Count = 1

    @model_validator(mode="after")
    def makes_sense(self) -> ResourceSection:
        """Its queries are some, and its amounts count what the usage does."""
        for name in ("usage", "driver", "limit", "requested"):
            said = getattr(self, name)
            try:
                query = said if name in {"usage", "driver"} else _amount(said, self.unit)
            except InputError as error:
                raise ValueError(f"{name}: {error}") from error
            flaw = flaw_of(query) if isinstance(query, str) else None
            if flaw is not None:
                raise ValueError(f"{name}: {flaw}")
        self._planned()
        return self

    def native(self, name: str) -> ByHand:
        """The same in the words of those who read it."""
        return ByHand(
            name=name,
            kind=self.kind,
            unit=self.unit,
            usage=self.usage,
            limit=_amount(self.limit, self.unit),
            requested=_amount(self.requested, self.unit),
            planned=self._planned(),
            driver=self.driver,
            driver_name=self.driver_name,
            hour=self.hour,
            service=self.service,
            namespace=self.namespace,
            cluster=self.cluster,
            team=self.team,
            replicas=self.replicas,
        )

    def _planned(self) -> tuple[tuple[int, float], ...]:
        """What the limit will be from a day (UTC) on."""
        steps = []
        for day, said in sorted(self.planned.items()):
            try:
                value = _amount(said, self.unit)
            except InputError as error:
                raise ValueError(f"planned: {error}") from error
            if not isinstance(value, float):
                raise ValueError(f"planned: {said!r} is no amount, as 800 or 200GiB")
            at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            steps.append((round(1000 * at.timestamp()), value))
        return tuple(steps)


class PricesSection(Section):
    """What things cost a month: a core, a GiB, a connection, a partition, a licence."""

    currency: str = ""
    cpu: Price | None = None
    memory: Price | None = None
    disk: Price | None = None
    connections: Price | None = None
    partitions: Price | None = None
    licences: Price | None = None

    def native(self) -> Prices:
        """The same by kind."""
        told = {kind: getattr(self, kind.value) for kind in PRICED}
        a_month = {kind: price for kind, price in told.items() if price is not None}
        return Prices(currency=self.currency, a_month=a_month)


class CapacitySection(Section):
    """When resources run out: what is read, how far ahead, what is supposed, and who hears of it.

    Without `enabled` nothing is read.
    """

    enabled: bool = False
    packs: tuple[Path, ...] = ()
    where: str = ""
    history_days: Annotated[int, Field(ge=14, le=400)] = 90
    horizon_days: Days = 90
    every_h: Annotated[float, Field(ge=0.1, le=168)] = 6.0
    read_s: Seconds = 900.0
    rate_s: Annotated[int, Field(ge=30, le=3600)] = 300
    most: Annotated[int, Field(ge=1, le=10_000)] = 200
    alert_days: Annotated[int, Field(ge=1, le=366)] | None = 14
    limits: dict[str, float] = Field(default_factory=dict)
    teams: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    prices: PricesSection = PricesSection()
    what_if: tuple[str, ...] = ()
    resources: dict[str, ResourceSection] = Field(default_factory=dict)

    @model_validator(mode="after")
    def makes_sense(self) -> CapacitySection:
        """What is supposed can be understood, and labels are asked for as in PromQL."""
        try:
            self.matchers()
            self.supposed(0)
        except InputError as error:
            raise ValueError(f"{error.field}: {error}") from error
        return self

    def matchers(self) -> tuple[Matcher, ...]:
        """`where` as matchers; `InputError`."""
        return parse_selector(self.where, field="where") if self.where else ()

    def supposed(self, now: int) -> tuple[WhatIf, ...]:
        """The what-ifs as of unix ms; `InputError`."""
        return tuple(parse(text, now=now) for text in self.what_if)

    @property
    def horizon_s(self) -> int:
        """How far ahead is looked, in seconds."""
        return _DAY_S * self.horizon_days

    def native(self, **more: Any) -> Wanted:  # noqa: ANN401 - fields of `Wanted`
        """What is read; `ConfigError` for a pack that is none, or a limit of no resource."""
        from pipelines.capacity.packs import load_capacity_packs

        packs = load_capacity_packs(self.packs)
        _check_limits(self.limits, {f"{p.name}.{one.name}" for p in packs for one in p.resources})
        return Wanted(
            packs=packs,
            by_hand=tuple(one.native(name) for name, one in self.resources.items()),
            days=self.history_days,
            most=self.most,
            rate_s=self.rate_s,
            where=self.matchers(),
            limits=self.limits,
            teams=self.teams,
            **more,
        )


def _check_limits(limits: Mapping[str, float], known: set[str]) -> None:
    for name, value in limits.items():
        if name not in known:
            told = ", ".join(sorted(known))
            raise ConfigError(f"capacity.limits: there is no {name!r}; there are {told}")
        if not value > 0:
            raise ConfigError(f"capacity.limits.{name}: {value} is no limit")


def _amount(said: str | float | None, unit: str) -> str | float | None:
    """A number in the unit, or the query that it is; `InputError` where units do not fit."""
    if said is None or isinstance(said, float):
        return said
    try:
        quantity(said)
    except InputError:
        return said
    return amount(said, unit)
