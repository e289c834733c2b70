"""Incidents as they come of the stream's events: correlated, and kept with how far was heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from detector.changes.change import Change
from detector.changes.ports import ChangeLog
from detector.changes.record import ChangeFilter
from detector.errors import StoreError
from detector.incidents.calls import CallMap
from detector.incidents.correlator import Correlator, CorrelatorSettings
from detector.incidents.incident import EntryKind, Incident, IncidentEvent, IncidentState
from detector.incidents.suspects import SuspectSettings
from detector.incidents.symptom import symptom_of
from detector.ports import Clock
from detector.stream.anomaly import Ending
from pipelines.stores.connections import Connections
from pipelines.stores.events import KeptEvent, SqlEvents
from pipelines.stores.incidents import Heard, SqlIncidents

__all__ = ["IncidentMeters", "Incidents"]

_MOST = 500
_PAGE = 500
_CHANGES_MS, _CALLS_MS = 10_000, 60_000
# Longer than a change is a suspect, since one is found by its latest word.
_BACK_MS = 26 * 3_600_000


@dataclass(slots=True)
class IncidentMeters:
    """Running totals: events heard, and what was told by its kind; as of the last look, too, how
    many incidents last.
    """

    heard: int = 0
    told: dict[EntryKind, int] = field(default_factory=dict)
    looked_at: float = 0.0
    open: int = 0

    def kept(self, heard: int, told: Iterable[EntryKind]) -> None:
        """A step was kept."""
        self.heard += heard
        for kind in told:
            self.told[kind] = self.told.get(kind, 0) + 1


@dataclass(slots=True)
class _Heard:
    """The correlation of one tenant, and its incidents as they were kept last."""

    correlator: Correlator
    kept: dict[str, Incident] = field(default_factory=dict)

    def touched(self) -> list[Incident]:
        """Those that became others since."""
        now = {one.id: one for one in self.correlator.incidents}
        fresh = [one for id, one in now.items() if self.kept.get(id) is not one]
        self.kept = now
        return fresh


class Incidents:
    """Reads on in the events of a database, and correlates them; one thread at a time looks.

    Several processes may do so on one database: who keeps first has heard them, the others begin
    anew from what it kept. What was kept is not heard again after a crash. `calls` tells who calls
    whom, `suspicion` how changes of a tenant are weighed; both are asked once a minute. Without a
    word of an earlier one, it begins with what happens from now on.
    """

    def __init__(
        self,
        database: Connections,
        *,
        changes: ChangeLog,
        calls: Callable[[str], CallMap],
        clock: Clock,
        settings: CorrelatorSettings | None = None,
        suspicion: Callable[[str], SuspectSettings] | None = None,
    ) -> None:
        self._events, self._store = SqlEvents(database), SqlIncidents(database)
        self._changes, self._calls, self._clock = changes, calls, clock
        self._settings = settings or CorrelatorSettings()
        self._suspicion = suspicion or (lambda _: self._settings.suspicion)
        self.meters = IncidentMeters()
        self._tenants: dict[str, _Heard] = {}
        self._heard: Heard | None = None
        self._changes_at = self._calls_at = 0

    def look(self) -> bool:
        """Hear what is new, and keep what comes of it; whether there may be more at once.

        `StoreError`: nothing is kept of it, and it is heard again.
        """
        heard = self._store.heard()
        if heard is None:
            self._store.keep((), (), (), was=None, events_heard=self._events.newest())
            return True
        if heard != self._heard:
            self._load(heard)
        try:
            is_more = self._look(heard, round(1000 * self._clock()))
            self.meters.looked_at, self.meters.open = self._clock(), self._open()
            return is_more
        except BaseException:
            self._heard = None
            raise

    def _look(self, heard: Heard, now: int) -> bool:
        events, received = self._events.after(heard.events, _MOST), self._store.received(_MOST)
        told = self._told_of_changes(now, is_urgent=bool(events or received))
        self._map_calls(now)
        for event in events:
            told += self._feed(event, now)
        for one in received:
            told += self._of(one.tenant, now).feed([one.symptom], now)
        for tenant in self._tenants.values():
            told += tenant.correlator.tick(now)
        fresh = self._fresh(told)
        if not (events or received or told or fresh):
            return False
        self._heard = self._store.keep(
            [one.correlator.state for one in self._tenants.values()],
            fresh,
            told,
            was=heard,
            events_heard=events[-1].number if events else heard.events,
            taken=[one.number for one in received],
        )
        if self._heard is not None:
            self.meters.kept(len(events) + len(received), [event.kind for event in told])
        return self._heard is None or _MOST in {len(events), len(received)}

    def _open(self) -> int:
        every = (one for tenant in self._tenants.values() for one in tenant.correlator.incidents)
        return sum(one.state is IncidentState.OPEN for one in every)

    def _load(self, heard: Heard) -> None:
        """Go on from what is kept."""
        self._tenants = {
            tenant: _Heard(Correlator(state, self._settings_of(tenant)))
            for tenant, state in self._store.states().items()
        }
        for tenant, one in self._tenants.items():
            one.touched()
            one.correlator.state.changes = {c.id: c for c in self._of_log(tenant, self._now())}
        self._heard, self._calls_at = heard, 0

    def _now(self) -> int:
        return round(1000 * self._clock())

    def _of(self, tenant: str, now: int) -> Correlator:
        """The correlation of a tenant; a new one knows its changes at once."""
        found = self._tenants.get(tenant)
        if found is None:
            made = Correlator.fresh(tenant, now)
            made.settings = self._settings_of(tenant)
            made.calls = self._calls(tenant)
            made.changed(self._of_log(tenant, now), now)
            found = self._tenants[tenant] = _Heard(made)
        return found.correlator

    def _feed(self, event: KeptEvent, now: int) -> list[IncidentEvent]:
        anomaly = event.told.happened.anomaly
        correlator = self._of(anomaly.tenant, now)
        if anomaly.ending is Ending.FEEDBACK:
            return correlator.dismiss(anomaly.id, now)
        return correlator.feed([symptom_of(anomaly, event.told.series)], now)

    def _told_of_changes(self, now: int, *, is_urgent: bool) -> list[IncidentEvent]:
        """What follows of changes that are new, or told further."""
        if not is_urgent and now - self._changes_at < _CHANGES_MS:
            return []
        self._changes_at = now
        told: list[IncidentEvent] = []
        for tenant, one in self._tenants.items():
            known = one.correlator.state.changes
            fresh = [c for c in self._of_log(tenant, now) if known.get(c.id) != c]
            told += one.correlator.changed(fresh, now) if fresh else []
        return told

    def _of_log(self, tenant: str, now: int) -> Sequence[Change]:
        """The changes of the last day, as many as are looked at; the oldest first."""
        found: list[Change] = []
        wanted = ChangeFilter(tenant=tenant, since=now - _BACK_MS, limit=_PAGE)
        while len(found) < self._settings.changes:
            page = self._changes.list(wanted)
            found += page.changes
            if page.next is None:
                break
            wanted = ChangeFilter(tenant=tenant, since=now - _BACK_MS, limit=_PAGE, after=page.next)
        return found[::-1]

    def _map_calls(self, now: int) -> None:
        if now - self._calls_at < _CALLS_MS:
            return
        self._calls_at = now
        for tenant, one in self._tenants.items():
            try:
                one.correlator.calls = self._calls(tenant)
                one.correlator.settings = self._settings_of(tenant)
            except StoreError:
                # What was known serves for longer.
                continue

    def _settings_of(self, tenant: str) -> CorrelatorSettings:
        return replace(self._settings, suspicion=self._suspicion(tenant))

    def _fresh(self, told: Iterable[IncidentEvent]) -> list[Incident]:
        """Incidents to be kept: also those that went into others, of which only events tell."""
        last = {event.incident.id: event.incident for event in told}
        for tenant in self._tenants.values():
            last.update({one.id: one for one in tenant.touched()})
        return list(last.values())
