"""An app that assesses capacity of a table: disks, memory, a pool and licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from starlette.testclient import TestClient

from api.capacity import Capacity
from api.capacity_settings import CapacitySection
from api.settings import Settings
from detector.ports import Stores
from pipelines.capacity.keeping import KeptCapacity
from pipelines.capacity.reading import Reading
from pipelines.capacity.refreshing import Refreshing
from pipelines.flows.looping import Loop
from pipelines.stores.memory import memory_stores
from tests.api.doors import Door
from tests.pipelines.capacity.faked import Course, TableRanges

__all__ = ["NOW", "Capable", "capable", "resource"]

NOW = 1_790_000_000 // 3600 * 3600.0
DAYS = 60


def growing(first: float, last: float, days: int = DAYS) -> Course:
    """So much at the beginning, so much now, in a line; nothing before."""
    since = NOW - 86_400 * days

    def course(times: np.ndarray) -> np.ndarray:
        grown = first + (last - first) * (times - since) / (NOW - since)
        wave = 0.01 * (last + first) * np.sin(2 * np.pi * times / 86_400)
        return np.where(times > since, grown + wave, np.nan)

    return course


COURSES: Mapping[str, Course] = {
    "disk": growing(40, 95),
    "memory": growing(50, 51),
    "young": growing(10, 12, days=4),
    "seats": growing(10, 10.5),
}


def resource(kind: str, limit: float | None, **more: object) -> dict[str, object]:
    """A resource as the configuration has it."""
    return {"kind": kind, "unit": "GiB", "usage": more.pop("usage", kind), "limit": limit, **more}


RESOURCES: Mapping[str, dict[str, object]] = {
    "data": resource("disk", 100.0, service="db", team="stores", namespace="shop"),
    "heap": resource("memory", 100.0, service="web", team="shop", namespace="shop"),
    "new": resource("other", 100.0, service="web", team="shop", usage="young"),
    "crm": resource("licences", None, service="crm", usage="seats"),
}


@dataclass(slots=True)
class Capable:
    """The app and what it stands on."""

    door: Door
    table: TableRanges
    capacity: Capacity
    stores: Stores

    @property
    def client(self) -> TestClient:
        """A client that sees what people see."""
        return self.door.client


def capable(*, looked: bool = True, stores: Stores | None = None, **changes: object) -> Capable:
    """The app; `looked`: after its first assessment."""
    section = CapacitySection.model_validate({"enabled": True, "resources": RESOURCES, **changes})
    settings = Settings(capacity=section, insecure=True)
    stores = stores or memory_stores()
    table = TableRanges({query: {(): course} for query, course in COURSES.items()})
    wanted = replace(section.native(), packs=())
    kept = KeptCapacity(stores.reports)
    refreshing = Refreshing(
        reads=Reading(ranges=table, names=table, wanted=wanted),
        kept=kept,
        horizon_s=section.horizon_s,
        every_s=3600 * section.every_h,
        read_s=section.read_s,
        clock=lambda: NOW,
        prices=section.prices.native(),
        supposed=section.supposed,
    )
    loop = Loop("capacity", refreshing.look, every_s=60)
    capacity = Capacity(ranges=table, kept=kept, refreshing=refreshing, loop=loop)
    door = Door(settings=settings, more={"clock": lambda: NOW})
    app = door.app
    app.state.context = replace(app.state.context, capacity=capacity)
    if looked:
        refreshing.look()
    return Capable(door, table, capacity, stores)
