"""Incidents as JSON; the classes document it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.loose import Moment, Strict, Word
from api.bodies.numbers import time_text
from detector.alerts.history import Case, Hold, Telling
from detector.errors import InputError
from detector.incidents.advice import advice_on
from detector.incidents.incident import Entry, Incident
from detector.incidents.record import IncidentPage, KeptIncident, Said, SaidKind
from detector.incidents.suspects import Suspect
from detector.incidents.symptom import Symptom
from detector.incidents.words import (
    cause_words,
    change_words,
    reason_words,
    summary_words,
    title_words,
)

__all__ = [
    "IncidentAnswer",
    "IncidentsAnswer",
    "SaidBody",
    "incident_body",
    "incidents_body",
]


class SaidBody(Strict):
    """What a person says of an incident."""

    said: SaidKind = Field(
        description="`acknowledged`: somebody is at it; `snoozed`: not before `until`;"
        " `no_incident`: it was none; `caused_by`: it was `change`; `no_change`: it was none."
    )
    person: Word = Field(None, description="Who says so.")
    note: Word = Field(None, description="Why.")
    change: Word = Field(None, description="Id of the change that caused it.")
    until: Moment = Field(None, description="End of a snooze.")

    def native(self, now: float) -> Said:
        """As it is kept; `InputError` where a word is missing that this needs."""
        if (self.change is not None) != (self.said is SaidKind.CAUSED_BY):
            raise InputError("give change with caused_by, and only there", field="change")
        if (self.until is not None) != (self.said is SaidKind.SNOOZED):
            raise InputError("give until with snoozed, and only there", field="until")
        if self.until is not None and self.until.timestamp() <= now:
            raise InputError("until is over already", field="until", semantic=True)
        return Said(
            at=round(1000 * now),
            kind=self.said,
            person=self.person or "",
            note=self.note or "",
            change=self.change,
            until=None if self.until is None else round(1000 * self.until.timestamp()),
        )


class SymptomAnswer(Answer):
    """An anomaly that is a part of it."""

    anomaly: str = Field(description="Its id at `/v1/anomalies`.")
    service: str | None = Field(description="Whose; null where no label tells.")
    namespace: str | None
    cluster: str | None
    metric: str = Field(description="Of which metric.")
    text: str = Field(description="All of it in a sentence.")
    severity: Literal["low", "medium", "high"]
    since: str = Field(description="First abnormal sample.")
    until: str | None = Field(description="Last abnormal sample; null while it lasts.")


class ReasonAnswer(Answer):
    """What speaks for or against a suspect."""

    ground: Literal["timing", "place", "versions", "kind"] = Field(description="What it is about.")
    weight: float = Field(description="Natural logarithm of how much likelier it makes it.")
    text: str = Field(description="In words.")


class SuspectAnswer(Answer):
    """A change that may have caused it."""

    change: str = Field(description="Its id at `/v1/changes`.")
    kind: str = Field(description="What kind of change it is.")
    title: str = Field(description="What was done.")
    service: str | None = Field(description="What it touches; null: it may touch anything.")
    version: str | None
    at: str = Field(description="When it began.")
    link: str | None = Field(description="Where more is told.")
    probability: float = Field(description="That the incident comes of it.")
    reasons: list[ReasonAnswer] = Field(description="Why.")
    advice: str = Field(description="How to take it back.")


class EntryAnswer(Answer):
    """What happened."""

    at: str = Field(description="When it was told.")
    event: str = Field(description="What.", examples=["opened"])
    of: str = Field(description="Id of the anomaly, the change or the incident that it is about.")


class WordAnswer(Answer):
    """What a person said."""

    at: str
    said: SaidKind
    person: str
    note: str
    change: str | None
    until: str | None


class ToldAnswer(Answer):
    """Who was told of it."""

    to: str = Field(description="The notifier.")
    at: str = Field(description="When it was first.")
    team: str = Field(description="Whose budget it counts for.")


class HeldAnswer(Answer):
    """Who is not told of it."""

    to: str = Field(description="The notifier; empty where no rule leads anywhere.")
    why: str = Field(description="In words.")
    reason: str = Field(description="In short.", examples=["quiet"])
    since: str = Field(description="Since when.")
    until: str | None = Field(description="When that is looked at again; null: when it changes.")


class IncidentAnswer(Answer):
    """Anomalies that have one cause, and the changes that may be it."""

    id: str = Field(description="Its id.", examples=["inc_0a1b2c3d4e5f6071"])
    title: str = Field(description="Who shows it.")
    text: str = Field(description="Since when, how much of it there is, and what it comes of.")
    state: Literal["open", "resolved", "merged"] = Field(description="Whether it lasts.")
    severity: Literal["low", "medium", "high"] = Field(description="Of its worst anomaly.")
    since: str = Field(description="When its first anomaly began.")
    until: str | None = Field(description="When its last anomaly ended; null while one lasts.")
    services: list[str] = Field(description="Who shows it, the first one first.")
    anomalies: list[SymptomAnswer] = Field(description="By their starts; the first 200.")
    count: int = Field(description="How many there were.")
    suspects: list[SuspectAnswer] = Field(description="The likeliest first; ten at most.")
    no_change: float = Field(description="Probability that it was none of these.")
    timeline: list[EntryAnswer] = Field(description="What happened, the oldest first.")
    into: str | None = Field(description="The incident that took it up.")
    said: list[WordAnswer] = Field(description="What people said, the oldest first.")
    told: list[ToldAnswer] | None = Field(
        description="By the rules of `alerts`, who was; null in a list, and without rules."
    )
    held: list[HeldAnswer] | None = Field(description="And who is not, and why; null as `told`.")
    links: dict[str, str] = Field(description="Where to find it.")


class IncidentsAnswer(Answer):
    """A page of incidents, newest first."""

    incidents: list[IncidentAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


def incidents_body(page: IncidentPage) -> dict[str, Any]:
    """A page as JSON."""
    return {"incidents": [incident_body(one) for one in page.incidents], "next": page.next}


def incident_body(kept: KeptIncident, case: Case | None = None) -> dict[str, Any]:
    """An incident as JSON; `case` is what was decided of who is told."""
    incident = kept.incident
    return {
        "id": incident.id,
        "title": title_words(incident),
        "text": f"{summary_words(incident)} {cause_words(incident)}",
        "state": incident.state.value,
        "severity": incident.severity.value,
        "since": time_text(incident.began),
        "until": _time_or_none(incident.resolved_at),
        "services": list(incident.services),
        "anomalies": [_symptom(one) for one in incident.symptoms],
        "count": incident.count,
        "suspects": [_suspect(one) for one in incident.suspects.suspects],
        "no_change": round(incident.suspects.none, 6),
        "timeline": [_entry(one) for one in incident.timeline],
        "into": incident.into,
        "said": [_said(one) for one in kept.said],
        "told": None if case is None else [_told(one) for one in case.told],
        "held": None if case is None else [_held(one) for one in case.held],
        "links": _links(incident),
    }


def _links(incident: Incident) -> dict[str, str]:
    return {"self": f"/v1/incidents/{incident.id}", "ui": f"/incidents/{incident.id}"}


def _symptom(one: Symptom) -> dict[str, Any]:
    return {
        "anomaly": one.id,
        "service": one.service or None,
        "namespace": one.namespace or None,
        "cluster": one.cluster or None,
        "metric": one.metric,
        "text": one.text,
        "severity": one.severity.value,
        "since": time_text(one.start),
        "until": _time_or_none(one.end),
    }


def _suspect(one: Suspect) -> dict[str, Any]:
    change = one.change
    reasons = [
        {
            "ground": reason.ground.value,
            "weight": round(reason.weight, 3),
            "text": reason_words(reason, change),
        }
        for reason in one.reasons
    ]
    return {
        "change": change.id,
        "kind": change.kind.value,
        "title": change.title or change_words(change),
        "service": change.place.service or None,
        "version": change.version or None,
        "at": time_text(change.started_at),
        "link": change.link or None,
        "probability": round(one.probability, 6),
        "reasons": reasons,
        "advice": advice_on(change),
    }


def _told(one: Telling) -> dict[str, Any]:
    return {"to": one.receiver, "at": time_text(one.at), "team": one.team}


def _held(one: Hold) -> dict[str, Any]:
    return {
        "to": one.receiver,
        "why": one.words,
        "reason": one.reason.value,
        "since": time_text(one.since),
        "until": _time_or_none(one.until),
    }


def _entry(one: Entry) -> dict[str, Any]:
    return {"at": time_text(one.at), "event": one.kind.value, "of": one.of}


def _said(one: Said) -> dict[str, Any]:
    return {
        "at": time_text(one.at),
        "said": one.kind.value,
        "person": one.person,
        "note": one.note,
        "change": one.change,
        "until": _time_or_none(one.until),
    }


def _time_or_none(at: int | None) -> str | None:
    return None if at is None else time_text(at)
