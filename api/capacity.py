"""Capacity as it is composed: what reads and assesses in the background, and what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from api.capacity_metrics import CapacityShown
from api.settings import Settings
from detector.capacity.report import Report
from detector.changes.ports import ChangeLog
from detector.gate.telling import Route
from detector.ports import Clock, Stores
from pipelines.capacity.alerting import CapacityAlerts
from pipelines.capacity.keeping import KeptCapacity
from pipelines.capacity.known import KnownChanges
from pipelines.capacity.ranges import Ranges, open_ranges
from pipelines.capacity.reading import Changed, Names, Reading, unchanged
from pipelines.capacity.refreshing import Refreshing
from pipelines.flows.looping import Loop

__all__ = ["Capacity", "capacity_reader", "open_capacity"]

_LOOK_S = 30.0


@dataclass(slots=True)
class Capacity:
    """What is known of capacity: `kept` as it was last assessed, `ranges` for other questions.

    `changed`: when services were changed.
    """

    ranges: Ranges
    kept: KeptCapacity
    refreshing: Refreshing
    loop: Loop
    changed: Changed = unchanged
    on_close: Callable[[], None] = lambda: None

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        registry.register(CapacityShown(self.kept, self.refreshing))
        self.loop.start()

    def close(self) -> None:
        """End, once what is under way is done."""
        self.loop.close()
        self.on_close()


def capacity_reader(
    settings: Settings,
    names: Names,
    log: ChangeLog,
    ranges: Ranges,
    *,
    services: Sequence[str] = (),
    team: str = "",
) -> Reading:
    """What reads the resources that the settings ask for, or those of some; `ConfigError`."""
    calendar = settings.stream.calendar()
    wanted = settings.capacity.native(calendar=calendar, services=tuple(services), team=team)
    return Reading(ranges=ranges, names=names, wanted=wanted, changed=KnownChanges(log))


def open_capacity(
    settings: Settings,
    names: Names,
    stores: Stores,
    *,
    routes: Sequence[Route] = (),
    clock: Clock = time.time,
) -> Capacity | None:
    """What the settings ask for, not begun; None where they ask for nothing.

    `ConfigError` for a pack that is none, and for a source that knows no PromQL.
    """
    section = settings.capacity
    if not section.enabled:
        return None
    # Who asks for a forecast does not wait until months have been read for all resources.
    reads, asks = (open_ranges(settings.source.native()) for _ in range(2))
    kept = KeptCapacity(stores.reports)
    refreshing = Refreshing(
        reads=capacity_reader(settings, names, stores.changes, reads),
        kept=kept,
        horizon_s=section.horizon_s,
        every_s=3600 * section.every_h,
        read_s=section.read_s,
        clock=clock,
        prices=section.prices.native(),
        supposed=section.supposed,
        heard=_told(section.alert_days, stores, routes),
    )
    loop = Loop("capacity", refreshing.look, every_s=_LOOK_S)

    def changed(service: str, namespace: str, since: int, until: int) -> Sequence[int]:
        # What is looked up is of one thread, and requests come side by side.
        return KnownChanges(stores.changes)(service, namespace, since, until)

    def close() -> None:
        reads.close()
        asks.close()

    return Capacity(
        ranges=asks,
        kept=kept,
        refreshing=refreshing,
        loop=loop,
        changed=changed,
        on_close=close,
    )


def _told(
    days: int | None, stores: Stores, routes: Sequence[Route]
) -> Callable[[Report, Report | None], None]:
    """Who hears of a report; nobody where no days are set."""
    if days is None:
        return lambda *_: None
    return CapacityAlerts(stores.outbox, routes, days=days).heard
