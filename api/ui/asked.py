"""What people type into the filter of a page; an `InputError` names the field that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from detector.errors import InputError
from detector.stream.anomaly import Severity

__all__ = ["moment_of", "severity_of", "state_of"]


def state_of(word: str, *, closed: str) -> bool | None:
    """Whether only open ones are asked for, only `closed` ones, or (None) all."""
    states = {"": None, "open": True, closed: False}
    if word not in states:
        raise InputError(f"state is open or {closed}, not {word!r}", field="state")
    return states[word]


def severity_of(word: str) -> Severity:
    """The least that is asked for; empty for any."""
    try:
        return Severity(word) if word else Severity.LOW
    except ValueError:
        words = ", ".join(Severity)
        raise InputError(f"severity is one of {words}, not {word!r}", field="severity") from None


def moment_of(text: str, field: str) -> int | None:
    """Unix milliseconds; a time without a zone is UTC, as all times on the page."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return round(1000 * at.timestamp())
    except (ValueError, OverflowError):
        words = f"{field}: {text!r} is no time: write 2026-11-23T14:00, which is UTC"
        raise InputError(words, field=field) from None
