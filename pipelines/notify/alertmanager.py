"""Alertmanager by its API v2: an incident is an alert that fires there while it lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from detector.alerts.brief import BriefState, Gravity, IncidentBrief
from detector.gate.render import Json, utc_text
from detector.gate.telling import Errand, Notice, NoticeKind
from pipelines.notify.plain import one_line, plain_of, subject_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.wire import Wire

__all__ = ["Alertmanager", "alerts_of", "labels_of"]

_PATH = "api/v2/alerts"
_NAMES = {
    NoticeKind.INCIDENT: "SerinusIncident",
    NoticeKind.FAIL: "SerinusRolloutFailed",
    NoticeKind.PAUSE: "SerinusRolloutWaits",
    NoticeKind.BLIND: "SerinusBlind",
    NoticeKind.CAPACITY: "SerinusCapacity",
    NoticeKind.TEST: "SerinusTest",
}
_SEVERITIES = {Gravity.HIGH: "critical", Gravity.MEDIUM: "warning", Gravity.LOW: "info"}
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
_VALUE, _TEXT = 200, 2000
# It forgets an alert that is not sent again within its resolve_timeout, unless it is told when it
# ends, and a notice is sent once. Whatever happens to an incident sends it again; one of which
# nothing is heard for a week ends there.
_OPEN_MS = 7 * 86_400_000
# Nobody tells the end of a rollout that failed or waits: half a shift is long enough to see it.
_ROLLOUT_MS, _TEST_MS = 4 * 3_600_000, 300_000
# A clock there that is behind ours would take an end of just now as one to come.
_SKEW_MS = 60_000

Labels = dict[str, str]


class Alertmanager:
    """`Notifier` and `Correspondent` to one instance; of a cluster each is a receiver."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings, self._wire = settings, Wire(settings)

    def send(self, notice: Notice) -> None:
        """Return once it was taken."""
        self._posted(notice, {})

    def follow(self, errand: Errand) -> str:
        """As `send`; an alert whose labels changed since ends, for it would fire beside the new."""
        return self._posted(errand.notice, _told(errand.receipt))

    def _posted(self, notice: Notice, before: Labels) -> str:
        alerts = alerts_of(notice, self._settings.public_url, before)
        if not alerts:
            return ""
        self._wire.post(
            msgspec.json.encode(alerts), {"Content-Type": "application/json"}, path=_PATH
        )
        return msgspec.json.encode(labels_of(notice)).decode()


def alerts_of(notice: Notice, public_url: str | None, before: Labels) -> list[Json]:
    """The alert, and first the end of the one with labels of `before` where they are others."""
    if notice.kind not in _NAMES:
        return []
    alert = _alert(notice, public_url)
    if not before or before == alert["labels"]:
        return [alert]
    ended: dict[str, Json] = {**alert, "labels": dict(before), "endsAt": _past(notice)}
    return [ended, alert]


def labels_of(notice: Notice) -> Labels:
    """What it is known by, and routed by there; all that is no label is left out."""
    incident = notice.incident
    labels = {
        "service": subject_of(notice),
        **({} if incident is None else dict(incident.labels)),
        **({"incident": incident.id} if incident is not None else {"notice": notice.id}),
        "alertname": _NAMES[notice.kind],
        "severity": _severity(notice),
        "tenant": notice.tenant,
    }
    cut = {name: one_line(value, _VALUE) for name, value in labels.items()}
    return {name: cut[name] for name in sorted(cut) if _LABEL.fullmatch(name) and cut[name]}


def _alert(notice: Notice, public_url: str | None) -> dict[str, Json]:
    starts, ends = _times(notice)
    told = plain_of(notice, public_url)
    alert: dict[str, Json] = {
        "labels": dict(labels_of(notice)),
        "annotations": dict(_annotations(notice, public_url)),
        "startsAt": _text(starts),
        "endsAt": _text(ends),
    }
    return alert if told.link is None else {**alert, "generatorURL": told.link}


def _annotations(notice: Notice, public_url: str | None) -> Iterator[tuple[str, str]]:
    told = plain_of(notice, public_url)
    yield "summary", one_line(told.headline, _TEXT)
    signs = "\n".join(one_line(point, _TEXT) for point in told.points)
    yield "description", signs or one_line(notice.text, _TEXT) or told.headline
    facts = {"Likely cause": "cause", "Because": "because", "What happened": "event"}
    yield from ((facts[name], value) for name, value in told.facts if name in facts)
    if told.advice:
        yield "advice", told.advice


def _severity(notice: Notice) -> str:
    if notice.incident is not None:
        return _SEVERITIES[notice.incident.severity]
    return "info" if notice.kind is NoticeKind.TEST else "warning"


def _times(notice: Notice) -> tuple[int, int]:
    incident = notice.incident
    if incident is not None:
        return incident.began, _end(incident)
    starts = round(notice.at * 1000)
    return starts, starts + (_TEST_MS if notice.kind is NoticeKind.TEST else _ROLLOUT_MS)


def _end(incident: IncidentBrief) -> int:
    if incident.state is BriefState.OPEN:
        return incident.told_at + _OPEN_MS
    ended = incident.told_at if incident.ended is None else incident.ended
    return max(incident.began, min(ended, incident.told_at - _SKEW_MS))


def _past(notice: Notice) -> Json:
    """The end of an alert that goes on under other labels."""
    starts, _ends = _times(notice)
    return _text(max(starts, round(notice.at * 1000) - _SKEW_MS))


def _text(at: int) -> Json:
    return utc_text(datetime.fromtimestamp(at / 1000, UTC))


def _told(receipt: str) -> Labels:
    """The labels that it had; nothing for what is no receipt of ours."""
    try:
        return msgspec.json.decode(receipt or "{}", type=Labels)
    except msgspec.MsgspecError:
        return {}
