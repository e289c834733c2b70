"""An incident as JSON for programs that are told of it."""

from __future__ import annotations

from datetime import UTC, datetime

from detector.alerts.brief import Cause, IncidentBrief, Sign
from detector.gate.render import Json, utc_text

__all__ = ["incident_data"]


def incident_data(brief: IncidentBrief) -> dict[str, Json]:
    """All that a brief says; times as text in UTC, what is not known as null."""
    return {
        "id": brief.id,
        "state": brief.state.value,
        "severity": brief.severity.value,
        "event": brief.why,
        "sequence": brief.nth,
        "note": brief.note,
        "title": brief.title,
        "since": _time(brief.began),
        "told_at": _time(brief.told_at),
        "until": _time(brief.ended),
        "services": list(brief.services),
        "signs": [_sign(sign) for sign in brief.signs],
        "count": brief.count,
        "causes": [_cause(cause) for cause in brief.causes],
        "no_change": round(brief.none, 6),
        "into": brief.into,
        "labels": dict(brief.labels),
    }


def _sign(sign: Sign) -> dict[str, Json]:
    return {
        "anomaly": sign.anomaly,
        "service": sign.service or None,
        "text": sign.text,
        "since": _time(sign.since),
        "until": _time(sign.ended),
    }


def _cause(cause: Cause) -> dict[str, Json]:
    return {
        "change": cause.change,
        "kind": cause.kind,
        "title": cause.title,
        "service": cause.service or None,
        "version": cause.version or None,
        "at": _time(cause.at),
        "probability": round(cause.probability, 6),
        "reasons": list(cause.reasons),
        "link": cause.link or None,
        "advice": cause.advice or None,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else utc_text(datetime.fromtimestamp(at / 1000, UTC))
