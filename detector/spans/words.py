"""Differences of time in words."""

from __future__ import annotations

from collections.abc import Sequence

from detector.spans.shift import TimeShift

__all__ = ["shift_words", "told"]

_MOST = 5


def told(shifts: Sequence[TimeShift], version: str, *, least_s: float = 0.001) -> tuple[str, ...]:
    """What is worth telling: differences that are certain and at least so long, a few of them."""
    worth = [shift for shift in shifts if shift.is_certain and abs(shift.value) >= least_s]
    return tuple(shift_words(shift, version) for shift in worth[:_MOST])


def shift_words(shift: TimeShift, version: str) -> str:
    """`checkout v2 spends 180 ms more in `SELECT orders` … (95 % between 150 and 210 ms)`."""
    service = shift.entry.service
    more = "more" if shift.value >= 0 else "less"
    amount, low, high = _amounts(shift)
    bounds = f"95 % between {low} and {high}; {shift.canary_traces} traces against "
    bounds += f"{shift.control_traces}"
    who = f"{service} {version}".strip()
    if shift.is_total:
        return f"{who} takes {amount} {more} for `{shift.entry.name}` ({bounds})"
    doing = f"spends {amount} {more} in `{shift.operation.name}`"
    if shift.operation.service != service:
        doing = f"waits {amount} {more} for {shift.operation.service} in `{shift.operation.name}`"
    elsewhere = "" if shift.operation == shift.entry else f" per `{shift.entry.name}`"
    return f"{who} {doing}{elsewhere} ({bounds})"


def _amounts(shift: TimeShift) -> tuple[str, str, str]:
    """The difference without its sign, and its bounds, all in one unit."""
    sign = 1.0 if shift.value >= 0 else -1.0
    low, high = sorted((sign * shift.low, sign * shift.high))
    value = abs(shift.value)
    unit, scale = ("s", 1.0) if value >= 10 else ("ms", 1e3)
    if value < 1e-3:
        unit, scale = "µs", 1e6
    return (
        f"{_plain(value * scale)} {unit}",
        _plain(low * scale),
        f"{_plain(high * scale)} {unit}",
    )


def _plain(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 10 else f"{number:.1f}"
