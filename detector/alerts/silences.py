"""What a person's word does to what is told: nothing more, later, or no escalation."""

from __future__ import annotations

from collections.abc import Sequence

from detector.alerts.history import Word, WordKind

__all__ = ["silenced", "stops_escalation"]

_SILENT = frozenset({WordKind.SNOOZED, WordKind.NO_INCIDENT})
# Who says which change it was, or that it was none, is at it.
_AT_IT = frozenset({WordKind.ACKNOWLEDGED, WordKind.CAUSED_BY, WordKind.NO_CHANGE})


def silenced(words: Sequence[Word], at: int, *, is_over: bool) -> Word | None:
    """The word by which nothing is told at unix ms, by the last that was about hearing of it.

    A snooze ends by itself, and with the incident: that it is over everybody hears who heard of it.
    """
    last = next((one for one in reversed(words) if one.kind in _SILENT and one.at <= at), None)
    if last is None or last.kind is WordKind.NO_INCIDENT:
        return last
    lasts = not is_over and last.until is not None and at < last.until
    return last if lasts else None


def stops_escalation(words: Sequence[Word], at: int) -> bool:
    """Whether somebody is at it, or it is silenced."""
    is_taken = any(one.kind in _AT_IT and one.at <= at for one in words)
    return is_taken or silenced(words, at, is_over=False) is not None
