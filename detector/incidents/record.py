"""Incidents as they are kept and looked for, and what people said of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detector.incidents.incident import Incident, IncidentEvent
from detector.stream.anomaly import Severity

__all__ = [
    "IncidentFilter",
    "IncidentPage",
    "KeptIncident",
    "NumberedEvent",
    "Said",
    "SaidKind",
]


class SaidKind(StrEnum):
    """What a person said of an incident."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    NO_INCIDENT = "no_incident"
    CAUSED_BY = "caused_by"
    NO_CHANGE = "no_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """It was said at unix milliseconds; `change` of what caused it, `until` of a snooze."""

    at: int
    kind: SaidKind
    person: str
    note: str = ""
    change: str | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIncident:
    """An incident with what was said of it, the oldest first."""

    incident: Incident
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEvent:
    """Something to be told, under its place in the order of all."""

    number: int
    event: IncidentEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents: those that lasted at some time in [since, until), newest start first.

    Times are unix milliseconds; `severity` is the least that is wanted; those that went into others
    are left out unless `merged`; `after` is the `next` of the page before.
    """

    tenant: str
    service: str | None = None
    severity: Severity = Severity.LOW
    is_open: bool | None = None
    merged: bool = False
    since: int | None = None
    until: int | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """Incidents of one page; `next` is None on the last."""

    incidents: tuple[KeptIncident, ...]
    next: str | None
