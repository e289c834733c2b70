"""How software was delivered in a time, by the change log and the incidents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.changes.change import Change
from detector.changes.ports import ChangeLog
from detector.changes.record import ChangeFilter
from detector.delivery.deployments import Deployment, deployments_of
from detector.incidents.ports import IncidentStore
from detector.incidents.record import IncidentFilter, KeptIncident

__all__ = ["DELIVERY_MOST", "Delivered", "delivered"]

_PAGE = 200
# Of one question; more is a matter of an export.
DELIVERY_MOST = 20_000
_DAY_MS = 86_400_000
# A version waits so long at most from its merge to its deployment, and may fail a day later.
_BEFORE_MS, _AFTER_MS = 60 * _DAY_MS, 2 * _DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Deployments of some time, and what was not looked at."""

    deployments: tuple[Deployment, ...]
    notes: tuple[str, ...]


def delivered(
    log: ChangeLog,
    incidents: IncidentStore | None,
    *,
    tenant: str,
    service: str | None,
    since: int,
    until: int,
) -> Delivered:
    """Those of [since, until), unix milliseconds; what came before and after says how they went.

    `incidents` is None where nobody makes any. `StoreError`.
    """
    wanted = ChangeFilter(
        tenant=tenant,
        service=service,
        since=since - _BEFORE_MS,
        until=until + _AFTER_MS,
        limit=_PAGE,
    )
    changes = list(_changes(log, wanted))
    found = [] if incidents is None else list(_incidents(incidents, tenant, since, until))
    every = deployments_of(changes, found)
    own = tuple(one for one in every if since <= one.at < until)
    return Delivered(deployments=own, notes=tuple(_notes(changes, found, incidents, since)))


def _notes(
    changes: list[Change], found: list[KeptIncident], incidents: IncidentStore | None, since: int
) -> Iterator[str]:
    if incidents is None:
        yield "There are no incidents here: failures are those that were told, or rolled back."
    if len(changes) >= DELIVERY_MOST or len(found) >= DELIVERY_MOST:
        yield f"Only the newest {DELIVERY_MOST:,} changes or incidents were looked at."
    oldest = min((change.started_at for change in changes), default=since)
    if oldest > since + _DAY_MS:
        day = datetime.fromtimestamp(oldest / 1000, UTC).date()
        yield f"The oldest change that is known is of {day}: of the time before it nothing is."


def _changes(log: ChangeLog, wanted: ChangeFilter) -> Iterator[Change]:
    for _ in range(DELIVERY_MOST // _PAGE):
        page = log.list(wanted)
        yield from page.changes
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)


def _incidents(store: IncidentStore, tenant: str, since: int, until: int) -> Iterator[KeptIncident]:
    wanted = IncidentFilter(tenant=tenant, since=since, until=until + _AFTER_MS, limit=_PAGE)
    for _ in range(DELIVERY_MOST // _PAGE):
        page = store.list(wanted)
        yield from page.incidents
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)
