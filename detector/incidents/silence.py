"""Whether somebody asked to hear no more of an incident."""

from __future__ import annotations

from collections.abc import Sequence

from detector.incidents.record import Said, SaidKind

__all__ = ["is_silenced"]

_SILENT = frozenset({SaidKind.SNOOZED, SaidKind.NO_INCIDENT})


def is_silenced(said: Sequence[Said], at: int, *, is_over: bool) -> bool:
    """At unix milliseconds, by the last word that was about hearing of it.

    A snooze ends by itself, and with the incident: that it is over everybody hears who heard of it.
    """
    last = next((one for one in reversed(said) if one.kind in _SILENT), None)
    if last is None:
        return False
    if last.kind is SaidKind.NO_INCIDENT:
        return True
    return not is_over and last.until is not None and at < last.until
