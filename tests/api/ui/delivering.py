"""A site that knows twelve weeks of deployments, and an incident that one of them made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter

from api.capacity_settings import CapacitySection
from api.changing import Changing
from api.correlating import Correlating
from api.settings import Settings
from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.incidents.record import Said, SaidKind
from pipelines.changes.doors import ChangeDoors
from pipelines.flows.incidents import Incidents
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.api.ui.test_incident_pages import Base
from tests.detector.delivery.test_deployments import made
from tests.detector.incidents.making import CALLS, T0
from tests.pipelines.flows.happening import Wire, anomaly

__all__ = ["EVIL", "NOW_H", "delivering", "empty_site"]

DAY_H = 24.0
NOW_H = 84 * DAY_H
EVIL = "<img src=x onerror=alert(1)>"
# When the cart was deployed and broke.
_BROKE_H = 60 * DAY_H
TEAMS = CapacitySection(teams={"shop": ("checkout", "cart*"), "find": ("search",)})


def _changes() -> Iterator[Change]:
    """A service that deploys daily, one weekly, one that did once, and names that are markup."""
    for day in range(1, 84):
        version, at = f"v{day}", day * DAY_H
        yield made(at - 5, ChangeKind.MERGE, version=version, service="checkout")
        failed = day % 17 == 0
        phase = ChangePhase.FAILED if failed else ChangePhase.SUCCEEDED
        yield made(at, version=version, service="checkout", phase=phase)
        if day % 7 == 4:
            yield made(at + 2, version=f"c{day}", service="cart")
    yield made(83.5 * DAY_H, service="search")
    yield made(83.6 * DAY_H, service=EVIL, version=EVIL, phase=ChangePhase.FAILED)


@contextmanager
def delivering(folder: Path) -> Iterator[Site]:
    """The site, by a clock that stands at the end of the twelve weeks."""
    database = Database(folder / "stream.db")
    shop, changes = Shop(minutes=2), tuple(_changes())
    shop.stores = memory_stores()
    shop.clock.at = T0 / 1000 + 3600 * NOW_H
    for change in changes:
        shop.stores.changes.add("default", change.events)
    _break(database, shop, changes)
    settings = Settings(capacity=TEAMS)
    yield Site(shop, settings, beside=_beside(shop, settings, database))
    database.close()


def empty_site(folder: Path) -> Site:
    """One that was told of nothing; its stream makes no incidents."""
    shop = Shop(minutes=2)
    return Site(shop, beside=_beside(shop, Settings()))


def _beside(shop: Shop, settings: Settings, database: Database | None = None) -> dict[str, object]:
    doors = ChangeDoors(
        shop.stores.changes, settings.changes.native(), redact=str, clock=shop.clock
    )
    events = Counter("events", "Events.", ("sender", "result"), registry=CollectorRegistry())
    beside: dict[str, object] = {"changing": Changing(doors, events)}
    if database is not None:
        beside["correlating"] = Correlating(Base((database,)), shop.stores, shop.clock)
    return beside


def _break(database: Database, shop: Shop, changes: Sequence[Change]) -> None:
    """The cart is ill for 40 minutes after a deployment, as a person says."""
    cause = next(c for c in changes if c.place.service == "cart" and c.started_at > _ms(_BROKE_H))
    begin = (cause.started_at - T0) / 60_000 + 2
    clock = (cause.started_at + 90 * 60_000) / 1000
    making = Incidents(
        database, changes=shop.stores.changes, calls=lambda _: CALLS, clock=lambda: clock
    )
    making.look()
    Wire(database).tell(anomaly("cart", begin), anomaly("cart", begin, until=begin + 40))
    while making.look():
        pass
    store = SqlIncidents(database)
    id = store.events(0, 100)[-1].event.incident.id
    word = Said(at=cause.started_at, kind=SaidKind.CAUSED_BY, person="ada", change=cause.id)
    store.say("default", id, word)


def _ms(hour: float) -> int:
    return T0 + round(3_600_000 * hour)
