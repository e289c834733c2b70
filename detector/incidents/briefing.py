"""From an incident to what people are told of it."""

from __future__ import annotations

from detector.alerts.brief import BriefState, Cause, Gravity, IncidentBrief, Sign
from detector.incidents.advice import advice_on
from detector.incidents.incident import Incident, IncidentEvent
from detector.incidents.record import NumberedEvent
from detector.incidents.suspects import Suspect
from detector.incidents.symptom import Symptom
from detector.incidents.words import change_words, reason_words, title_words

__all__ = ["brief_of"]

_SIGNS, _CAUSES = 10, 3
# Of a cause that is less likely nobody has to hear.
_UNLIKELY = 0.02


def brief_of(told: NumberedEvent) -> IncidentBrief:
    """What is told of an event, all texts in it made."""
    event, incident = told.event, told.event.incident
    suspects = incident.suspects
    likely = [one for one in suspects.suspects[:_CAUSES] if one.probability >= _UNLIKELY]
    return IncidentBrief(
        id=incident.id,
        tenant=incident.tenant,
        state=BriefState(incident.state.value),
        severity=Gravity(incident.severity.value),
        why=event.kind.value,
        nth=told.number,
        title=title_words(incident),
        began=incident.began,
        told_at=event.at,
        ended=_ended(event),
        services=incident.services,
        signs=tuple(_sign(one) for one in incident.symptoms[:_SIGNS]),
        count=incident.count,
        causes=tuple(_cause(one) for one in likely),
        none=suspects.none,
        into=incident.into,
        is_back=incident.is_back,
        labels=_labels(incident),
        note=event.note,
        said=event.said,
    )


def _ended(event: IncidentEvent) -> int | None:
    incident = event.incident
    return event.at if incident.into is not None else incident.resolved_at


def _sign(one: Symptom) -> Sign:
    text = one.text or f"{one.service}: {one.metric}"
    return Sign(anomaly=one.id, service=one.service, text=text, since=one.start, ended=one.end)


def _cause(suspect: Suspect) -> Cause:
    change = suspect.change
    return Cause(
        change=change.id,
        kind=change.kind.value,
        title=change.title or change_words(change),
        service=change.place.service,
        version=change.version,
        at=change.started_at,
        probability=suspect.probability,
        reasons=tuple(reason_words(reason, change) for reason in suspect.reasons),
        link=change.link,
        advice=advice_on(change),
    )


def _labels(incident: Incident) -> tuple[tuple[str, str], ...]:
    first = incident.symptoms[0]
    labels = {
        "service": first.service,
        "namespace": first.namespace,
        "cluster": first.cluster,
        "severity": incident.severity.value,
        "kind": "burn" if first.slo else first.kind.value,
        "slo": next((one.slo for one in incident.symptoms if one.slo), ""),
    }
    return tuple((name, value) for name, value in labels.items() if value)
