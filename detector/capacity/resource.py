"""A resource that can run out: what is used of it, what it is limited to, and what drives it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from math import isfinite

from detector.errors import InputError
from models.forecast.history import History

__all__ = ["Identity", "Kind", "Limit", "Resource"]


class Kind(StrEnum):
    """What runs out; it decides what exhausted means, and what a price is for."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    CONNECTIONS = "connections"
    PARTITIONS = "partitions"
    LICENCES = "licences"
    TRAFFIC = "traffic"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a resource is limited to, or what is requested of it, over time.

    `steps`: from each time (unix ms, ascending) on, so much; before the first, as much as at the
    first. `planned`: later ones that are known to come. `InputError` where there is no step, the
    order is another, or a value is no positive number.
    """

    steps: tuple[tuple[int, float], ...]
    planned: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise InputError("a limit has at least one value", field="limit")
        times = [at for at, _ in self.steps + self.planned]
        if any(late <= early for early, late in pairwise(times)):
            raise InputError("steps of a limit go up in time", field="limit")
        for _, value in self.steps + self.planned:
            if not (isfinite(value) and value > 0):
                raise InputError(f"a limit of {value:g}: a number above 0", field="limit")

    @classmethod
    def of(cls, value: float) -> Limit:
        """The same at all times.

        >>> Limit.of(8).now
        8.0
        """
        return cls(steps=((0, float(value)),))

    @property
    def now(self) -> float:
        """What it is since the last step that was seen."""
        return self.steps[-1][1]

    def at(self, ms: int) -> float:
        """What it is at an instant, planned steps with it.

        >>> limit = Limit(steps=((0, 8.0), (1000, 12.0)), planned=((5000, 16.0),))
        >>> [limit.at(ms) for ms in (-1, 999, 1000, 5000)]
        [8.0, 8.0, 12.0, 16.0]
        """
        every = self.steps + self.planned
        return every[max(bisect_right(every, ms, key=lambda step: step[0]) - 1, 0)][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which resource of whom; `unit` is what its numbers count, as `units` knows it.

    `source`: the pack that bound it, or "by hand".
    """

    name: str
    kind: Kind
    unit: str
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    team: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = "by hand"

    @property
    def key(self) -> str:
        """The same for the same resource in every report.

        >>> Identity(name="data", kind=Kind.DISK, unit="bytes", service="db", cluster="eu").key
        'eu//db/disk/data'
        """
        told = ",".join(f"{name}={value}" for name, value in sorted(self.labels.items()))
        place = f"{self.cluster}/{self.namespace}/{self.service}/{self.kind}/{self.name}"
        return f"{place}{{{told}}}" if told else place

    @property
    def title(self) -> str:
        """As a sentence names it.

        >>> Identity(name="data", kind=Kind.DISK, unit="bytes", service="db").title
        'disk data of db'
        """
        named = str(self.kind) if self.name in ("", self.kind) else f"{self.kind} {self.name}"
        return f"{named} of {self.service}" if self.service else named


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Identity):
    """A resource as it was measured.

    `usage`, `limit` and `requested` speak of the same, in the same unit: of the whole, or, where
    `replicas` is above 1, of the fullest of so many that are alike (costs count them all).
    `driver` is what usage is thought to follow (requests per second), on the grid of `usage`.
    """

    usage: History
    limit: Limit | None = None
    requested: Limit | None = None
    driver: History | None = None
    driver_name: str = ""
    replicas: int = 1

    @property
    def identity(self) -> Identity:
        """Without what was measured."""
        return Identity(
            name=self.name,
            kind=self.kind,
            unit=self.unit,
            service=self.service,
            namespace=self.namespace,
            cluster=self.cluster,
            team=self.team,
            labels=dict(self.labels),
            source=self.source,
        )
