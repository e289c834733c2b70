"""The operator that makes incidents of symptoms: what came in, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from detector.changes.change import Change
from detector.incidents.calls import CallMap
from detector.incidents.changes import Changes
from detector.incidents.folding import (
    begun,
    reopened,
    resolved,
    taken_up,
    top,
    with_entry,
    with_symptoms,
)
from detector.incidents.incident import Entry, EntryKind, Incident, IncidentEvent, IncidentState
from detector.incidents.linking import LinkSettings, Rates, link
from detector.incidents.parting import parted
from detector.incidents.state import Live, State
from detector.incidents.suspects import SHOWN, Suspects, SuspectSettings, suspected
from detector.incidents.symptom import Symptom, begun_at

__all__ = ["Correlator", "CorrelatorSettings"]

_MINUTE_MS = 60_000
# What was over for longer is linked to nothing: see `LinkSettings.long_ms`.
_NEAR_MS = 120 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelatorSettings:
    """Times in milliseconds, bounds of one tenant.

    An incident is over `quiet_ms` after its last symptom; one that is linked to it up to `again_ms`
    later opens it again. A change of a service with no known way to a symptom is looked at for
    `unrelated_ms`.
    """

    quiet_ms: int = 5 * _MINUTE_MS
    again_ms: int = 30 * _MINUTE_MS
    unrelated_ms: int = 30 * _MINUTE_MS
    near: int = 8
    recent: int = 32
    symptoms: int = 200
    ids: int = 1_000
    entries: int = 200
    changes: int = 5_000
    linking: LinkSettings = field(default_factory=LinkSettings)
    suspicion: SuspectSettings = field(default_factory=SuspectSettings)


class Correlator:
    """Of one tenant; one owner feeds it, in the order of what happened.

    The same calls give the same incidents under the same ids. Times are unix milliseconds. `calls`
    is set by the owner as it becomes known who calls whom.
    """

    def __init__(self, state: State, settings: CorrelatorSettings | None = None) -> None:
        self.state, self.settings = state, settings or CorrelatorSettings()
        self.calls = CallMap()
        self._changes = Changes({})

    @classmethod
    def fresh(cls, tenant: str, now: int) -> Correlator:
        """Of a tenant of whom nothing is known."""
        return cls(State(tenant=tenant, rates=Rates(since=now)))

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Those that are open or were lately, the oldest first."""
        return tuple(live.incident for live in sorted(self.state.live.values(), key=_age))

    def feed(self, symptoms: Iterable[Symptom], now: int) -> list[IncidentEvent]:
        """Symptoms that began, grew or ended; what is to be told of it."""
        told: list[IncidentEvent] = []
        for one in symptoms:
            told += self._rested(one, now)
            symptom = self._anew(one)
            live = self.state.owner(symptom.id)
            told += self._update(live, symptom, now) if live else self._add(symptom, now)
            self.state.remember(symptom, near=self.settings.near, recent=self.settings.recent)
        return told

    def changed(self, changes: Iterable[Change], now: int) -> list[IncidentEvent]:
        """Changes that were told; the suspects of open incidents are looked at anew."""
        known = {**self.state.changes, **{change.id: change for change in changes}}
        latest = sorted(known.values(), key=lambda change: (change.started_at, change.id))
        self.state.changes = {one.id: one for one in latest[-self.settings.changes :]}
        lives = [live for live in self.state.live.values() if _is_open(live)]
        return [event for live in lives for event in self._suspect(live, now)]

    def tick(self, now: int) -> list[IncidentEvent]:
        """End what has been quiet for long enough, and forget what ended long ago."""
        told: list[IncidentEvent] = []
        self.state.tidy(now - _NEAR_MS)
        for live in list(self.state.live.values()):
            self.state.trim(live, most=self.settings.ids)
            told += self._rest(live, now, now)
        return told

    def dismiss(self, symptom: str, now: int) -> list[IncidentEvent]:
        """A person says that a symptom was normal: without it an incident may be two, or none."""
        live = self.state.owner(symptom)
        if live is None:
            return []
        for one in live.incident.symptoms:
            if one.id == symptom:
                self.state.forget(symptom, one.service)
        live.ids.remove(symptom)
        live.open.discard(symptom)
        kept = tuple(one for one in live.incident.symptoms if one.id != symptom)
        if kept:
            return self._part(live, kept, now)
        live.last = now
        return [self._tell(live, resolved(live.incident, now), EntryKind.RESOLVED, symptom, now)]

    def _rest(self, live: Live, by: int, now: int) -> list[IncidentEvent]:
        """What was quiet for long enough by a time is over then, and later forgotten."""
        quiet, told = by - live.last, list[IncidentEvent]()
        if _is_open(live) and not live.open and quiet >= self.settings.quiet_ms:
            over = resolved(live.incident, live.last)
            told = [self._tell(live, over, EntryKind.RESOLVED, over.id, now)]
        if not _is_open(live) and quiet > self.settings.quiet_ms + self.settings.again_ms:
            self.state.drop(live)
        return told

    def _rested(self, symptom: Symptom, now: int) -> list[IncidentEvent]:
        """Its incident, by when it came again: nobody may have looked in between."""
        live = self.state.owner(symptom.id)
        if live is None or symptom.again is None:
            return []
        return self._rest(live, symptom.again, now)

    def _anew(self, symptom: Symptom) -> Symptom:
        """What comes again after its incident was forgotten began when it came again."""
        if symptom.again is not None and self.state.owner(symptom.id) is None:
            self.state.back[symptom.id] = symptom.again
        since = self.state.back.get(symptom.id)
        return symptom if since is None else begun_at(symptom, since)

    def _add(self, symptom: Symptom, now: int) -> list[IncidentEvent]:
        linked = self._linked(symptom)
        if not linked:
            return [self._open((symptom,), EntryKind.OPENED, symptom.id, now)]
        first, *others = linked
        merged = [event for other in others for event in self._merge(first, other, now)]
        return merged + self._join(first, symptom, now)

    def _linked(self, symptom: Symptom) -> list[Live]:
        """The incidents whose cause may be the symptom's, the oldest first."""
        found: dict[str, Live] = {}
        for other in self.state.lately(self.calls.round(symptom.service)):
            live = self.state.owner(other.id)
            if live and live.incident.id not in found and self._is_linked(other, symptom):
                found[live.incident.id] = live
        return sorted(found.values(), key=_age)

    def _is_linked(self, one: Symptom, other: Symptom) -> bool:
        return link(one, other, self.calls, self._rate(other), self.settings.linking) > 0.0

    def _rate(self, symptom: Symptom) -> Callable[[str], float]:
        return lambda service: self.state.rates.of(service, symptom.start)

    def _open(
        self, symptoms: tuple[Symptom, ...], kind: EntryKind, of: str, now: int
    ) -> IncidentEvent:
        since = self.state.back.get(symptoms[0].id)
        live = Live(incident=begun(self.state.tenant, symptoms, now, since=since))
        self.state.take(live, symptoms)
        self.state.live[live.incident.id] = live
        self.state.count(live, is_new=True)
        whole = replace(live.incident, suspects=self._suspects(live.incident))
        return self._tell(live, whole, kind, of, now)

    def _join(self, live: Live, symptom: Symptom, now: int) -> list[IncidentEvent]:
        was, most = live.incident, self.settings.symptoms
        self.state.take(live, (symptom,))
        every = (*was.symptoms, symptom)
        live.incident = with_symptoms(was, every, count=was.count + 1, most=most)
        self.state.count(live, is_new=False)
        told = self._grown(live, was, symptom, now)
        return told + self._suspect(live, now) if _is_news(was, symptom) else told

    def _update(self, live: Live, symptom: Symptom, now: int) -> list[IncidentEvent]:
        was, most = live.incident, self.settings.symptoms
        self.state.take(live, (symptom,))
        every = [symptom if one.id == symptom.id else one for one in was.symptoms]
        live.incident = with_symptoms(was, every, count=was.count, most=most)
        self.state.count(live, is_new=False)
        return self._grown(live, was, symptom, now)

    def _grown(self, live: Live, was: Incident, symptom: Symptom, now: int) -> list[IncidentEvent]:
        """Told where it was over, another service shows it, or it is worse than it was."""
        if was.state is IncidentState.RESOLVED:
            if not symptom.is_open:
                return []
            again = reopened(live.incident)
            return [self._tell(live, again, EntryKind.REOPENED, symptom.id, now)]
        if symptom.service in was.services and live.incident.severity is was.severity:
            return []
        return [self._tell(live, live.incident, EntryKind.GREW, symptom.id, now)]

    def _merge(self, live: Live, other: Live, now: int) -> list[IncidentEvent]:
        """The older takes up the younger, whose followers are told where it went."""
        was, gone = live.incident, other.incident
        told = self._tell(other, taken_up(gone, was.id), EntryKind.MERGED, was.id, now)
        self.state.move(other, live)
        every, count = (*was.symptoms, *gone.symptoms), was.count + gone.count
        whole = with_symptoms(was, every, count=count, most=self.settings.symptoms)
        return [told, self._tell(live, whole, EntryKind.MERGED, gone.id, now)]

    def _part(self, live: Live, kept: tuple[Symptom, ...], now: int) -> list[IncidentEvent]:
        """What nothing holds together any more becomes incidents of its own."""
        first, *others = parted(kept, self._is_linked)
        was, most = live.incident, self.settings.symptoms
        gone = {one.id for part in others for one in part}
        live.ids, live.open = [id for id in live.ids if id not in gone], live.open - gone
        live.incident = with_symptoms(was, first, count=len(live.ids), most=most)
        told = [self._open(part, EntryKind.SPLIT, was.id, now) for part in others]
        return told + self._suspect(live, now)

    def _suspect(self, live: Live, now: int) -> list[IncidentEvent]:
        """Look for the cause anew; told where another change is the likeliest now."""
        was, suspects = live.incident.suspects, self._suspects(live.incident)
        live.incident = replace(live.incident, suspects=suspects)
        if top(was) == top(suspects):
            return []
        return [self._tell(live, live.incident, EntryKind.SUSPECT, top(suspects) or "", now)]

    def _suspects(self, incident: Incident) -> Suspects:
        """Of the last day those changes that can reach a symptom; of the last minutes all."""
        symptoms, settings = incident.symptoms, self.settings
        first = symptoms[0].start
        if self._changes.of is not self.state.changes:
            self._changes = Changes(self.state.changes)
        near = {"", *(name for service in incident.services for name in self.calls.round(service))}
        changes = self._changes.near(
            near,
            since=first - round(settings.suspicion.back_ms),
            lately=first - settings.unrelated_ms,
        )
        rates, size = self.state.rates, self.calls.size
        alone = rates.besides(incident.severity, symptoms[0].service, size, first)
        return suspected(symptoms, changes, self.calls, alone, settings.suspicion)

    def _tell(
        self, live: Live, incident: Incident, kind: EntryKind, of: str, now: int
    ) -> IncidentEvent:
        entry = Entry(at=now, kind=kind, of=of)
        live.incident = with_entry(incident, entry, most=self.settings.entries)
        return IncidentEvent(kind=kind, at=now, incident=live.incident)


def _is_news(incident: Incident, symptom: Symptom) -> bool:
    """Whether a symptom more may speak for another cause: not where it is more of the same."""
    own = [one for one in incident.symptoms if one.service == symptom.service]
    if own:
        return bool(symptom.versions) or symptom.start < min(one.start for one in own)
    return len(incident.services) < SHOWN or symptom.start < incident.symptoms[-1].start


def _age(live: Live) -> tuple[int, str]:
    return live.incident.began, live.incident.id


def _is_open(live: Live) -> bool:
    return live.incident.state is IncidentState.OPEN
