"""Alerts that Alertmanager tells by its webhook, as symptoms that an incident can be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from detector.errors import InputError
from detector.incidents.symptom import Symptom
from detector.logs.redaction import redacted
from detector.stream.anomaly import AnomalyKind, Severity, Side
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.subject import Owners

__all__ = ["ALERTS", "BODY", "AlertsRead", "read_alerts"]

# A notification of more bytes or alerts is of a group that nobody reads; `max_alerts` bounds it.
BODY, ALERTS, _LABELS = 4 * 2**20, 2000, 100
_NAME, _TEXT = 200, 500
_SEVERITY = ("severity", "priority", "level")
_WORDS = {
    Severity.HIGH: "critical crit page emergency disaster fatal high p0 p1 sev0 sev1",
    Severity.MEDIUM: "error warning warn major medium p2 p3 sev2 sev3",
    Severity.LOW: "info information notice minor low debug p4 p5 sev4 sev5",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
# Of alerts that always fire, such as Watchdog, or that only inhibit others.
_NEVER = "none"
# What we told Alertmanager ourselves comes back where a route sends it all to us.
_OURS = "Serinus"
_VERSIONS = ("version", "service_version", "pod_template_hash", "app_kubernetes_io_version")
_SAID = ("summary", "description", "message", "title")

Labels = Mapping[str, str]


class _Alert(msgspec.Struct, frozen=True, rename="camel"):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    fingerprint: str


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    version: Literal["4"]
    alerts: list[_Alert]
    truncated_alerts: int = 0


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECODER = msgspec.json.Decoder(_Told)
_OWNERS = Owners(())


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsRead:
    """What a notification told.

    `skipped` alerts are ours, or of severity `none`; `truncated` are those that Alertmanager left
    out itself.
    """

    symptoms: tuple[Symptom, ...]
    skipped: int
    truncated: int


def read_alerts(body: bytes, *, now: int) -> AlertsRead:
    """The alerts of a notification of version 4, at `now` in unix milliseconds.

    `InputError` for what is none. Alertmanager never sends again what was answered with 4xx, so
    nothing is refused because of one odd alert: names are cut, and times to come are now.
    """
    told = _decoded(body)
    kept = [one for one in told.alerts if not _is_skipped(one.labels)]
    return AlertsRead(
        symptoms=tuple(_symptom(one, now) for one in kept),
        skipped=len(told.alerts) - len(kept),
        truncated=max(0, told.truncated_alerts),
    )


def _decoded(body: bytes) -> _Told:
    if len(body) > BODY:
        raise InputError(f"a notification has at most {BODY} bytes; set max_alerts", field="body")
    try:
        told = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        text = f"no notification of Alertmanager's webhook, version 4: {error}"
        raise InputError(text, field="body") from error
    if len(told.alerts) > ALERTS:
        words = f"{len(told.alerts)} alerts in one notification, at most {ALERTS}; set max_alerts"
        raise InputError(words, field="alerts")
    for number, alert in enumerate(told.alerts):
        if not alert.fingerprint.isalnum() or len(alert.fingerprint) > _NAME:
            raise InputError("no fingerprint", field=f"alerts[{number}].fingerprint")
    return told


def _is_skipped(labels: Labels) -> bool:
    ours = labels.get("alertname", "").startswith(_OURS) and "tenant" in labels
    return ours or _severity_word(labels) == _NEVER


def _symptom(alert: _Alert, now: int) -> Symptom:
    labels = dict(_cut(alert.labels))
    name = labels.get("alertname", "alert")
    start = min(_ms(alert.starts_at), now)
    as_series = tuple(sorted({**labels, "__name__": name}.items()))
    subject = _OWNERS.subject(SeriesInfo(labels=as_series, kind=SeriesKind.GAUGE))
    return Symptom(
        # The same alert that fires again later is another one.
        id=f"alert_{alert.fingerprint}_{start}",
        service=subject.service,
        namespace=subject.namespace,
        cluster=subject.cluster,
        metric=name,
        kind=AnomalyKind.METRIC,
        side=Side.ABOVE,
        severity=_SEVERITIES.get(_severity_word(labels), Severity.MEDIUM),
        start=start,
        end=max(start, min(_ms(alert.ends_at), now)) if alert.status == "resolved" else None,
        share=1.0,
        versions=frozenset(labels[name] for name in _VERSIONS if labels.get(name)),
        text=_text(name, alert.annotations),
    )


def _severity_word(labels: Labels) -> str:
    return next((labels[name].strip().lower() for name in _SEVERITY if labels.get(name)), "")


def _cut(labels: Labels) -> Iterator[tuple[str, str]]:
    """So many labels as a series may have, each in one line."""
    for name in sorted(labels)[:_LABELS]:
        yield name[:_NAME], _one_line(labels[name], _NAME)


def _text(name: str, annotations: Labels) -> str:
    """What people wrote for people, under the alert's name."""
    said = next((annotations[key] for key in _SAID if annotations.get(key)), "")
    shown = redacted(_one_line(said, _TEXT))
    return _one_line(f"{name}: {shown}" if shown else f"{name} fires", _TEXT)


def _one_line(text: str, most: int) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _ms(at: datetime) -> int:
    """A time without a zone, which it never sends, would be one of this machine."""
    utc = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return round((utc - _EPOCH).total_seconds() * 1000)
