"""What a capacity pack says: usage, limit and load of one kind of resource, as typed values."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from detector.capacity.resource import Kind

__all__ = ["CapacityPack", "Driver", "Fold", "Measured"]


class Fold(StrEnum):
    """What an hour is told by."""

    MAX = "max"
    MEAN = "mean"
    MIN = "min"


class Driver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A load that usage follows: read where the source has all metrics of `needs`."""

    name: str = "requests"
    needs: tuple[str, ...]
    query: str


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of resource: each series of `usage` is a resource.

    Queries are PromQL; `limit` may be a number. Of limit, requested, replicas and driver a series
    belongs to the resource whose labels it has. All are in `unit`, but replicas and driver.
    `title` names a resource: labels in braces. `driven`: whether it follows the pack's drivers.
    `assumes`: what a person should know of the limit.
    """

    name: str
    kind: Kind
    unit: str
    needs: tuple[str, ...]
    usage: str
    title: str = ""
    limit: str | float | None = None
    requested: str | None = None
    replicas: str | None = None
    driven: bool = False
    hour: Fold = Fold.MAX
    assumes: str = ""


class CapacityPack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one exporter tells of resources.

    `parts` are pieces of queries, written `${name}` in them; `${rate}` is the window of rates.
    `service`, `namespace` and `cluster`: labels that name them, the first that a series has.
    """

    name: str
    title: str
    published: str
    parts: dict[str, str] = {}
    service: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ("namespace",)
    cluster: tuple[str, ...] = ("cluster",)
    drivers: tuple[Driver, ...] = ()
    resources: tuple[Measured, ...]
