"""What the operator remembers of one tenant, as it is kept in a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from detector.changes.change import Change
from detector.incidents.incident import Incident
from detector.incidents.linking import Rates
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Severity

__all__ = ["Live", "State"]


@dataclass(slots=True, kw_only=True)
class Live:
    """An incident that is open, or was lately.

    `ids` are all its symptoms, `open` those that last, `last` when the last one ended so far;
    `counted` as of which severity, and of whom, it is counted.
    """

    incident: Incident
    ids: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    last: int = 0
    counted: tuple[Severity, str] | None = None


@dataclass(slots=True, kw_only=True)
class State:
    """Incidents, where each symptom belongs, and the latest symptoms by service and of all.

    `back` are symptoms that came again after their incident was forgotten, and since when.
    """

    tenant: str
    rates: Rates
    live: dict[str, Live] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    near: dict[str, list[Symptom]] = field(default_factory=dict)
    recent: list[Symptom] = field(default_factory=list)
    changes: dict[str, Change] = field(default_factory=dict)
    back: dict[str, int] = field(default_factory=dict)

    def owner(self, symptom: str) -> Live | None:
        """The incident of a symptom, while it is remembered."""
        return self.live.get(self.of.get(symptom, ""))

    def take(self, live: Live, symptoms: Iterable[Symptom]) -> None:
        """Symptoms are of this incident now."""
        for symptom in symptoms:
            if self.of.get(symptom.id) != live.incident.id:
                self.of[symptom.id] = live.incident.id
                live.ids.append(symptom.id)
            if symptom.end is None:
                live.open.add(symptom.id)
            else:
                live.open.discard(symptom.id)
            live.last = max(live.last, symptom.start if symptom.end is None else symptom.end)

    def count(self, live: Live, *, is_new: bool) -> None:
        """Who showed an incident first is taken to have begun it by itself, for now.

        What came again does not count by severity: what follows within hours of another is no
        chance of its own (A. C. Davison, R. L. Smith, Models for Exceedances over High Thresholds,
        1990).
        """
        first, rates = live.incident.services[0], self.rates
        if is_new:
            rates.begun[first] = rates.begun.get(first, 0) + 1
        counts = live.incident.severity, first
        if live.counted != counts and live.incident.symptoms[0].id not in self.back:
            self._uncount(live)
            rates.grade(*counts, 1)
            live.counted = counts

    def _uncount(self, live: Live) -> None:
        if live.counted is not None:
            self.rates.grade(*live.counted, -1)

    def move(self, source: Live, to: Live) -> None:
        """All symptoms of one incident are of another now."""
        for id in source.ids:
            self.of[id] = to.incident.id
        to.ids += source.ids
        to.open |= source.open
        to.last = max(to.last, source.last)
        self._uncount(source)
        del self.live[source.incident.id]

    def trim(self, live: Live, *, most: int) -> None:
        """Of a storm's symptoms those that ended first are known no longer, beyond so many."""
        if len(live.ids) <= 2 * most:
            return
        gone = {id for id in live.ids[:-most] if id not in live.open}
        live.ids = [id for id in live.ids if id not in gone]
        self._let_go(gone)

    def drop(self, live: Live) -> None:
        """An incident is remembered no longer."""
        del self.live[live.incident.id]
        self._let_go(live.ids)

    def _let_go(self, symptoms: Iterable[str]) -> None:
        for id in symptoms:
            self.of.pop(id, None)
            self.back.pop(id, None)

    def remember(self, symptom: Symptom, *, near: int, recent: int) -> None:
        """A symptom is one of the latest now, whether it is new or became another."""
        self.near[symptom.service] = _latest(self.near.get(symptom.service, []), symptom, near)
        self.recent = _latest(self.recent, symptom, recent)

    def forget(self, symptom: str, service: str) -> None:
        """A symptom is no longer looked at."""
        self._let_go((symptom,))
        self.near[service] = [one for one in self.near.get(service, []) if one.id != symptom]
        self.recent = [one for one in self.recent if one.id != symptom]

    def tidy(self, before: int) -> None:
        """Services that showed nothing since then are looked at no longer."""
        self.near = {
            service: kept
            for service, kept in self.near.items()
            if any(one.is_open or (one.end or one.start) >= before for one in kept)
        }

    def lately(self, services: Iterable[str]) -> list[Symptom]:
        """The latest symptoms of some services and of all, each once, in a fixed order."""
        there = sorted(service for service in services if service in self.near)
        of_services = [one for service in there for one in self.near[service]]
        return list({one.id: one for one in (*self.recent, *of_services)}.values())


def _latest(known: list[Symptom], symptom: Symptom, most: int) -> list[Symptom]:
    others = [one for one in known if one.id != symptom.id]
    return [*others, symptom][-most:]
