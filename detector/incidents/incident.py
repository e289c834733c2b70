"""An incident: symptoms of one cause, what may be the cause, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from detector.incidents.suspects import Suspects
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Severity

__all__ = [
    "Entry",
    "EntryKind",
    "Incident",
    "IncidentEvent",
    "IncidentState",
    "incident_id",
]

_DIGITS = 16


class IncidentState(StrEnum):
    """Whether any symptom lasts, or ended only just now."""

    OPEN = "open"
    RESOLVED = "resolved"
    MERGED = "merged"


class EntryKind(StrEnum):
    """What a line of a timeline tells; of an event, why it is told."""

    OPENED = "opened"
    GREW = "grew"
    SUSPECT = "suspect"
    MERGED = "merged"
    SPLIT = "split"
    CALMED = "calmed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SAID = "said"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened at unix milliseconds; `of` is a symptom's, a change's or an incident's id."""

    at: int
    kind: EntryKind
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """As it is now; times are unix milliseconds.

    `began` is the start of its first symptom, `told_at` when it was first told. `symptoms` in the
    order of their starts, of `count` that there were. `into` is the incident that took it up. What
    it began with `is_back`: it had an incident before.
    """

    id: str
    tenant: str
    state: IncidentState
    severity: Severity
    began: int
    told_at: int
    resolved_at: int | None
    symptoms: tuple[Symptom, ...]
    count: int
    suspects: Suspects
    timeline: tuple[Entry, ...]
    into: str | None = None
    is_back: bool = False

    @property
    def is_grave(self) -> bool:
        """Whether it is more than one slight symptom."""
        return self.count > 1 or self.severity is not Severity.LOW

    @property
    def services(self) -> tuple[str, ...]:
        """Who shows it, the first one first."""
        return tuple(dict.fromkeys(symptom.service for symptom in self.symptoms))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """Something that whoever follows an incident wants to hear, and the incident after it.

    `note` is what a person said, `said` of which kind it was.
    """

    kind: EntryKind
    at: int
    incident: Incident
    note: str = ""
    said: str = ""


def incident_id(tenant: str, first: str) -> str:
    """The same for the same first symptom, however often it is computed."""
    return "inc_" + sha256(f"{tenant}\0{first}".encode()).hexdigest()[:_DIGITS]
