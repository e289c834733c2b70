"""An incident as its page tells it: who shows it since when, what it may come of, what was done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from api.ui.lanes import Lanes, lanes_of
from api.ui.wording import about, day_clock, exactly
from detector.alerts.history import Case, Hold, Telling
from detector.changes.change import Change
from detector.gate.words import duration, percent
from detector.incidents.advice import advice_on
from detector.incidents.incident import Entry, EntryKind, Incident, IncidentState
from detector.incidents.record import KeptIncident, Said
from detector.incidents.suspects import Ground, Suspect
from detector.incidents.symptom import Symptom
from detector.incidents.words import (
    cause_words,
    change_words,
    reason_words,
    said_words,
    summary_words,
    title_words,
)
from detector.logs.plain import plain

__all__ = ["IncidentRow", "IncidentView", "incident_row", "incident_view"]

_SYMPTOMS, _SUSPECTS = 50, 5
_UNLIKELY = 0.001
# Of another alerting: there is no more to be shown than its words.
_ALERT = "alert_"
_STATES = {
    IncidentState.OPEN: "open",
    IncidentState.RESOLVED: "over",
    IncidentState.MERGED: "part of another",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident in the list, and the head of its page."""

    id: str
    title: str
    severity: str
    state: str
    is_open: bool
    since: str
    since_exact: str
    ago: str
    summary: str
    cause: str
    lasted: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow:
    """A change that may be the cause, with why, the weightiest reason first."""

    number: int
    name: str
    title: str
    at: str
    ago: str
    share: float
    probability: str
    reasons: tuple[str, ...]
    advice: str
    is_command: bool
    link: str
    id: str
    rollout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomRow:
    """An anomaly of it, an alert that was told, or a budget that burns."""

    id: str
    service: str
    severity: str
    text: str
    since: str
    is_open: bool
    is_anomaly: bool
    is_burn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """The page."""

    head: IncidentRow
    lanes: Lanes
    suspects: tuple[SuspectRow, ...]
    none: str
    none_share: float
    symptoms: tuple[SymptomRow, ...]
    more: int
    timeline: tuple[tuple[str, str], ...]
    said: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    into: str
    told: tuple[str, ...]
    held: tuple[str, ...]


def incident_row(kept: KeptIncident, now: float) -> IncidentRow:
    """As the list shows it."""
    incident = kept.incident
    began = incident.began / 1000
    return IncidentRow(
        id=incident.id,
        title=plain(title_words(incident)),
        severity=incident.severity.value,
        state=_STATES[incident.state],
        is_open=incident.state is IncidentState.OPEN,
        since=day_clock(began, near=now),
        since_exact=exactly(began),
        ago=about(began - now),
        summary=plain(summary_words(incident)),
        cause=plain(cause_words(incident)),
        lasted=_lasted(incident, now),
        said=_words_of(kept.said[-1], now) if kept.said else "",
    )


def incident_view(
    kept: KeptIncident, *, now: float, base: str, case: Case | None = None
) -> IncidentView:
    """As its page shows it; `base` is the address that commands are sent to.

    `case` is what was decided of who is told.
    """
    incident = kept.incident
    likely = [one for one in incident.suspects.suspects if one.probability >= _UNLIKELY]
    shown = likely[:_SUSPECTS]
    return IncidentView(
        head=incident_row(kept, now),
        lanes=lanes_of(incident, [one.change for one in shown], now=now),
        suspects=tuple(_suspect(number, one, now) for number, one in enumerate(shown, 1)),
        none=percent(incident.suspects.none),
        none_share=100 * incident.suspects.none,
        symptoms=tuple(_symptom(one, now) for one in incident.symptoms[:_SYMPTOMS]),
        more=max(0, incident.count - _SYMPTOMS),
        timeline=tuple(_timeline(incident, now)),
        said=tuple(_words_of(one, now) for one in kept.said),
        commands=_commands(incident, shown, base),
        into=incident.into or "",
        told=() if case is None else tuple(_told(one, now) for one in case.told),
        held=() if case is None else tuple(_held(one, now) for one in case.held),
    )


def _told(one: Telling, now: float) -> str:
    return plain(f"{one.receiver}, first at {day_clock(one.at / 1000, near=now)}")


def _held(one: Hold, now: float) -> str:
    until = "" if one.until is None else f", until {day_clock(one.until / 1000, near=now)}"
    return plain(f"not {one.receiver or 'anybody'}{until}: {one.words}")


def _lasted(incident: Incident, now: float) -> str:
    end = now if incident.resolved_at is None else incident.resolved_at / 1000
    return duration(max(0.0, end - incident.began / 1000))


def _suspect(number: int, one: Suspect, now: float) -> SuspectRow:
    change, at = one.change, one.change.started_at / 1000
    said = (reason for reason in one.reasons if reason.ground is not Ground.KIND)
    reasons = sorted(said, key=lambda reason: -abs(reason.weight))
    advice = advice_on(change)
    return SuspectRow(
        number=number,
        name=plain(change_words(change)),
        title=plain(change.title),
        at=day_clock(at, near=now),
        ago=about(at - now),
        share=100 * one.probability,
        probability=percent(one.probability),
        reasons=tuple(plain(reason_words(reason, change)) for reason in reasons),
        advice=advice,
        is_command=not advice.endswith("."),
        link=change.link if change.link.startswith(("http://", "https://")) else "",
        id=change.id,
        rollout=dict(change.attributes).get("rollout", ""),
    )


def _symptom(one: Symptom, now: float) -> SymptomRow:
    return SymptomRow(
        id=one.id,
        service=plain(one.service),
        severity=one.severity.value,
        text=plain(one.text or f"{one.service}: {one.metric}"),
        since=day_clock(one.start / 1000, near=now),
        is_open=one.is_open,
        is_anomaly=not (one.slo or one.id.startswith(_ALERT)),
        is_burn=bool(one.slo),
    )


def _timeline(incident: Incident, now: float) -> Iterable[tuple[str, str]]:
    symptoms = {one.id: one for one in incident.symptoms}
    changes = {one.change.id: one.change for one in incident.suspects.suspects}
    for entry in incident.timeline:
        yield day_clock(entry.at / 1000, near=now), plain(_entry(entry, symptoms, changes))


def _entry(entry: Entry, symptoms: Mapping[str, Symptom], changes: Mapping[str, Change]) -> str:
    """A line of the timeline; what it is about may be known no more."""
    one, change = symptoms.get(entry.of), changes.get(entry.of)
    shown = f": {one.service} {one.metric}" if one is not None else ""
    match entry.kind:
        case EntryKind.SUSPECT:
            return (
                f"likeliest cause is now the {change_words(change)}"
                if change
                else "no likely cause"
            )
        case EntryKind.MERGED:
            return f"one incident with {entry.of}"
        case EntryKind.SPLIT:
            return f"parted from {entry.of}"
        case EntryKind.RESOLVED:
            return "over"
    return f"{entry.kind.value}{shown}"


def _words_of(said: Said, now: float) -> str:
    """Who said what, and when."""
    return plain(f"{said_words(said)}, {about(said.at / 1000 - now)}")


def _commands(
    incident: Incident, suspects: Sequence[Suspect], base: str
) -> tuple[tuple[str, str], ...]:
    """What a person may say, as commands to copy."""
    words: list[tuple[str, dict[str, str]]] = [
        ("I am at it", {"said": "acknowledged"}),
        ("It was no incident", {"said": "no_incident"}),
    ]
    if suspects:
        words.append(("It was suspect 1", {"said": "caused_by", "change": suspects[0].change.id}))
        words.append(("It was none of them", {"said": "no_change"}))
    url = quote(f"{base.rstrip('/')}/v1/incidents/{incident.id}/said")
    json_type = "-H 'Content-Type: application/json'"
    return tuple(
        (name, f"curl -X POST {url} {json_type} -d {quote(json.dumps(body))}")
        for name, body in words
    )
