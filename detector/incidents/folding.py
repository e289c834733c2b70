"""An incident and what becomes of it: new symptoms, other incidents, lines of its timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from detector.incidents.incident import Entry, Incident, IncidentState, incident_id
from detector.incidents.suspects import NONE, Suspects
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Severity

__all__ = ["begun", "ordered", "reopened", "resolved", "taken_up", "top", "with_entry",
           "with_symptoms", "worst"]  # fmt: skip


def begun(
    tenant: str, symptoms: tuple[Symptom, ...], now: int, *, since: int | None = None
) -> Incident:
    """An incident of its first symptoms, which are in order.

    `since`: the first of them had an incident before, and came again then (unix ms).
    """
    first = symptoms[0]
    return Incident(
        id=incident_id(tenant, first.id if since is None else f"{first.id}/{since}"),
        tenant=tenant,
        state=IncidentState.OPEN,
        severity=worst(symptoms),
        began=first.start,
        told_at=now,
        resolved_at=None,
        symptoms=symptoms,
        count=len(symptoms),
        suspects=NONE,
        timeline=(),
        is_back=since is not None,
    )


def with_symptoms(
    incident: Incident, symptoms: Iterable[Symptom], *, count: int, most: int
) -> Incident:
    """The incident with these symptoms in place of its own; the first `most` are kept."""
    kept = ordered(symptoms)[:most]
    return replace(incident, symptoms=kept, count=count, began=kept[0].start, severity=worst(kept))


def resolved(incident: Incident, at: int) -> Incident:
    """The incident as over."""
    return replace(incident, state=IncidentState.RESOLVED, resolved_at=at)


def reopened(incident: Incident) -> Incident:
    """The incident as not over after all."""
    return replace(incident, state=IncidentState.OPEN, resolved_at=None)


def taken_up(incident: Incident, into: str) -> Incident:
    """The incident as a part of another."""
    return replace(incident, state=IncidentState.MERGED, into=into)


def with_entry(incident: Incident, entry: Entry, *, most: int) -> Incident:
    """The incident with a line more; of too many the first and the latest are kept."""
    lines = (*incident.timeline, entry)
    kept = lines if len(lines) <= most else (lines[0], *lines[1 - most :])
    return replace(incident, timeline=kept)


def top(suspects: Suspects) -> str | None:
    """The change that is likelier than none, None where there is no such."""
    first = next(iter(suspects.suspects), None)
    return first.change.id if first is not None and first.probability > suspects.none else None


def ordered(symptoms: Iterable[Symptom]) -> tuple[Symptom, ...]:
    """By their starts."""
    return tuple(sorted(symptoms, key=lambda symptom: (symptom.start, symptom.id)))


def worst(symptoms: Iterable[Symptom]) -> Severity:
    """The gravest of them."""
    return max((symptom.severity for symptom in symptoms), key=lambda severity: severity.rank)
