"""PagerDuty by its Events API v2: an incident of ours is one alert there, from first to last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from detector.alerts.brief import BriefState, Gravity
from detector.errors import ConfigError
from detector.gate.render import Json, utc_text
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.plain import is_web, one_line, page_of, plain_of, subject_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.wire import Wire

__all__ = ["PagerDuty", "event_of"]

_API = "https://events.pagerduty.com/v2/enqueue"
_INTEGRATION = re.compile(r"[0-9A-Za-z]{32}")
_SUMMARY, _KEY, _NAME, _CAUSES = 1024, 255, 255, 3
_SEVERITIES = {Gravity.HIGH: "critical", Gravity.MEDIUM: "error", Gravity.LOW: "warning"}


class PagerDuty:
    """`Notifier` to the service or ruleset whose integration key is the token."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        is_theirs = settings.url is None and settings.url_file is None
        self._wire = Wire(replace(settings, url=_API) if is_theirs else settings)
        if settings.token is not None:
            self._key()

    def send(self, notice: Notice) -> None:
        """Return once it was accepted; what would change nothing there is not sent."""
        event = event_of(notice, self._settings.public_url)
        if event is None:
            return
        body = msgspec.json.encode({"routing_key": self._key(), **event})
        self._wire.post(body, {"Content-Type": "application/json"})

    def _key(self) -> str:
        """PagerDuty would refuse another for good, and what was to be told with it."""
        key = self._settings.bearer()
        if _INTEGRATION.fullmatch(key) is None:
            raise ConfigError(f"{self._settings.place}: its token is no key of 32 characters")
        return key


def event_of(notice: Notice, public_url: str | None) -> dict[str, Json] | None:
    """The event without its key; None for what PagerDuty has no use for."""
    action = _action(notice)
    if action is None:
        return None
    event: dict[str, Json] = {"event_action": action, "dedup_key": _dedup_key(notice)}
    if action != "trigger":
        return event
    links = list(_links(notice, public_url))
    return {**event, "client": "serinus", "payload": _payload(notice, public_url), "links": links}


def _action(notice: Notice) -> str | None:
    """A new trigger on an open alert wakes nobody: it is a line of the alert's log."""
    incident = notice.incident
    if notice.kind in {NoticeKind.WEEKLY, NoticeKind.REPORT}:
        return None
    if incident is None:
        return "trigger"
    if incident.state is not BriefState.OPEN:
        return "resolve"
    if incident.said == "acknowledged":
        return "acknowledge"
    return None if incident.why == "said" else "trigger"


def _dedup_key(notice: Notice) -> str:
    """The same for all of one incident, whatever it is called."""
    key = notice.id if notice.incident is None else notice.incident.id
    return key if len(key) <= _KEY else sha256(key.encode()).hexdigest()


def _payload(notice: Notice, public_url: str | None) -> dict[str, Json]:
    told, incident = plain_of(notice, public_url), notice.incident
    summary = told.headline if not notice.text else f"{told.headline}: {notice.text}"
    at = notice.at if incident is None else incident.began / 1000
    details: dict[str, Json] = dict(told.facts)
    if told.points:
        details["Signs"] = list(told.points)
    if told.advice:
        details["Advice"] = told.advice
    service = one_line(subject_of(notice), _NAME) or "serinus"
    return {
        "summary": one_line(summary, _SUMMARY),
        "source": service,
        "severity": _severity(notice),
        "timestamp": utc_text(datetime.fromtimestamp(at, UTC)),
        "component": service,
        "group": one_line(notice.tenant, _NAME),
        "class": notice.kind.value,
        "custom_details": details,
    }


_KINDS = {
    NoticeKind.FAIL: "error",
    NoticeKind.PAUSE: "warning",
    NoticeKind.BLIND: "warning",
    NoticeKind.CAPACITY: "warning",
}


def _severity(notice: Notice) -> str:
    if notice.incident is not None:
        return _SEVERITIES[notice.incident.severity]
    return _KINDS.get(notice.kind, "info")


def _links(notice: Notice, public_url: str | None) -> Iterator[Json]:
    """Our page, and that of each likely change that has one on the web."""
    page = page_of(notice, public_url)
    if page is not None:
        yield {"href": page, "text": "In serinus"}
    causes = () if notice.incident is None else notice.incident.causes[:_CAUSES]
    for cause in causes:
        if is_web(cause.link):
            yield {"href": cause.link, "text": one_line(cause.title, _NAME) or cause.kind}
