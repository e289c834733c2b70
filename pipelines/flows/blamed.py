"""Which rollouts incidents come of, by what people said of them, else by what is likely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detector.changes.change import Change
from detector.changes.ports import ChangeLog
from detector.changes.rollouts import is_rollout
from detector.delivery.deployments import cause_of
from detector.errors import NotFoundError
from detector.gate.attempt import Attempt
from detector.incidents.ports import IncidentStore
from detector.incidents.record import IncidentFilter, KeptIncident

__all__ = ["Blamed"]

_PAGE, _MOST = 200, 20_000


class Blamed:
    """The incidents that began since unix seconds, read once for each tenant that is asked about.

    The newest 20,000 of a tenant are looked at. `StoreError`.
    """

    def __init__(self, incidents: IncidentStore, changes: ChangeLog, *, since: float) -> None:
        self._incidents, self._changes = incidents, changes
        self._since = round(1000 * since)
        self._known: dict[str, dict[str, list[tuple[Change, str]]]] = {}

    def incident(self, attempt: Attempt) -> str:
        """The first incident that comes of a rollout; empty for none."""
        tenant = attempt.identity.tenant
        if tenant not in self._known:
            self._known[tenant] = self._of(tenant)
        told = self._known[tenant].get(attempt.identity.service, ())
        return next((id for change, id in told if is_rollout(change, attempt)), "")

    def _of(self, tenant: str) -> dict[str, list[tuple[Change, str]]]:
        """Changes that broke something, by service, with the incident."""
        found: dict[str, list[tuple[Change, str]]] = {}
        for kept in self._kept(tenant):
            change = self._cause(tenant, kept)
            if change is not None:
                found.setdefault(change.place.service, []).append((change, kept.incident.id))
        return found

    def _cause(self, tenant: str, kept: KeptIncident) -> Change | None:
        id = cause_of(kept)
        if id is None:
            return None
        suspects = {one.change.id: one.change for one in kept.incident.suspects.suspects}
        if id in suspects:
            return suspects[id]
        try:
            return self._changes.get(tenant, id)
        except NotFoundError:
            return None

    def _kept(self, tenant: str) -> Iterator[KeptIncident]:
        wanted = IncidentFilter(tenant=tenant, since=self._since, limit=_PAGE)
        for _ in range(_MOST // _PAGE):
            page = self._incidents.list(wanted)
            yield from page.incidents
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)
