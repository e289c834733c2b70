"""Events in the form that others read: CDEvents as the data of CloudEvents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase

__all__ = ["cloud_event"]

_SPEC = "0.5.0"
# What CDEvents has a word for; the rest are custom events as its specification describes them.
_STANDARD = {
    (ChangeKind.DEPLOYMENT, ChangePhase.SUCCEEDED): "dev.cdevents.service.deployed.0.3.0",
    (ChangeKind.ROLLBACK, ChangePhase.SUCCEEDED): "dev.cdevents.service.rolledback.0.3.0",
    (ChangeKind.REMOVAL, ChangePhase.SUCCEEDED): "dev.cdevents.service.removed.0.3.0",
    (ChangeKind.MERGE, ChangePhase.SUCCEEDED): "dev.cdevents.change.merged.0.3.0",
}


def cloud_event(event: ChangeEvent) -> dict[str, Any]:
    """A CloudEvent 1.0 in structured mode.

    A deployment that lacks the environment or the artifact that CDEvents demands is told as a
    custom event, whose fields are free.
    """
    called, at = _type(event), _moment(event.at)
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": called,
        "subject": event.place.service or event.subject,
        "time": at,
        "datacontenttype": "application/json",
        "data": {
            "context": {
                "specversion": _SPEC,
                "id": event.id,
                "source": event.source,
                "type": called,
                "timestamp": at,
            },
            "subject": {"id": event.place.service or event.subject, "content": _content(event)},
            "customData": _told(event),
            "customDataContentType": "application/json",
        },
    }


def _type(event: ChangeEvent) -> str:
    standard = _STANDARD.get((event.kind, event.phase))
    is_whole = bool(event.place.environment and event.artifact) or event.kind is ChangeKind.MERGE
    if standard is not None and is_whole:
        return standard
    return f"dev.cdeventsx.serinus-{event.kind}.{event.phase}.0.1.0"


def _content(event: ChangeEvent) -> dict[str, Any]:
    place = event.place
    environment = {"environment": {"id": place.environment}} if place.environment else {}
    artifact = {"artifactId": event.artifact} if event.artifact else {}
    return {**environment, **artifact}


def _told(event: ChangeEvent) -> dict[str, Any]:
    """What CDEvents has no place for."""
    told = {
        "change": event.subject,
        "service": event.place.service,
        "namespace": event.place.namespace,
        "cluster": event.place.cluster,
        "environment": event.place.environment,
        "version": event.version,
        "title": event.title,
        "actor": event.actor,
        "link": event.link,
        "attributes": dict(event.attributes),
        "inferred": event.is_inferred,
    }
    return {name: value for name, value in told.items() if value}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
