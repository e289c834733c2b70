"""A generic webhook: each notice as a CloudEvent 1.0 in JSON, or as the user has it; signed."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from detector.gate.render import Json, utc_text, verdict_body
from detector.gate.telling import Ailing, Notice
from detector.ports import Clock
from pipelines.notify.digest_data import digest_data, score_data
from pipelines.notify.incident_data import incident_data
from pipelines.notify.plain import page_of, subject_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.signing import signed_headers
from pipelines.notify.template import Template
from pipelines.notify.wire import Wire

__all__ = ["WebhookNotifier", "cloud_event"]

_TYPE, _JSON = "application/cloudevents+json; charset=utf-8", "application/json; charset=utf-8"


class WebhookNotifier:
    """`Notifier` to one URL."""

    def __init__(self, settings: NotifierSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._wire = Wire(settings)
        text = settings.template
        self._template = None if text is None else Template.read(text, settings.place)

    def send(self, notice: Notice) -> None:
        """Return once it was acknowledged with a 2xx."""
        kind, body = self._written(notice)
        signed = signed_headers(notice.id, int(self._clock()), body, self._settings.key())
        self._wire.post(body, {"Content-Type": kind, **signed})

    def _written(self, notice: Notice) -> tuple[str, bytes]:
        where = self._settings.public_url
        if self._template is not None:
            return _JSON, self._template.filled(notice, where)
        return _TYPE, msgspec.json.encode(cloud_event(notice, where))


def cloud_event(notice: Notice, public_url: str | None) -> dict[str, Json]:
    """The event in structured mode; `id` with `source` names it for good."""
    event: dict[str, Json] = {
        "specversion": "1.0",
        "id": notice.id,
        "source": public_url or f"/serinus/{notice.tenant}",
        "type": f"serinus.notice.{notice.kind.value}.v1",
        "time": utc_text(datetime.fromtimestamp(notice.at, UTC)),
        "datacontenttype": "application/json",
        "data": _data(notice, public_url),
    }
    subject = subject_of(notice)
    return {**event, "subject": subject} if subject else event


def _data(notice: Notice, public_url: str | None) -> dict[str, Json]:
    verdict, incident = notice.verdict, notice.incident
    return {
        "kind": notice.kind.value,
        "tenant": notice.tenant,
        "title": notice.title,
        "text": notice.text,
        "advice": notice.advice,
        "url": page_of(notice, public_url),
        "verdict": None if verdict is None else verdict_body(verdict, brief=False),
        "services": [_ailing(one) for one in notice.ailing],
        "policies": [score_data(score) for score in notice.policies],
        "digest": None if notice.digest is None else digest_data(notice.digest),
        "incident": None if incident is None else incident_data(incident),
        "report": notice.report or None,
    }


def _ailing(one: Ailing) -> dict[str, Json]:
    return {
        "service": one.service,
        "rollouts": one.rollouts,
        "reason": one.cure.code,
        "change": one.cure.text,
        "attempt": one.attempt,
        "example": one.example,
    }
