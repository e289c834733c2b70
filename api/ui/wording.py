"""Numbers and times as people read them on a page."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from detector.gate.policy import Mode
from detector.gate.verdict import Effect, Needs, Outcome
from detector.gate.words import duration, percent, seconds_text, title

__all__ = [
    "ICONS",
    "about",
    "amount",
    "day_clock",
    "effect_text",
    "evidence_text",
    "exactly",
    "mode_text",
    "needs_text",
    "title",
    "value_text",
]

ICONS = {Outcome.PASS: "✓", Outcome.FAIL: "✕", Outcome.INCONCLUSIVE: "…"}
_NOTHING = "–"
_BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_MANY = 1e6
_CPU = "CPU seconds"


def value_text(value: float | None, unit: str) -> str:
    """A value in its unit; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return _NOTHING
    if unit in _SPELLED:
        return _SPELLED[unit](value)
    if unit.startswith(_CPU) and value < 1:
        return f"{1000 * value:.3g} CPU ms{unit.removeprefix(_CPU)}"
    return f"{value:.3g} {unit}"


def _share(value: float) -> str:
    return percent(value) if value else "0 %"


def _bytes(value: float) -> str:
    name, size = next((b for b in _BYTES if abs(value) >= b[1]), ("B", 1.0))
    return f"{value / size:.3g} {name}"


_SPELLED: dict[str, Callable[[float], str]] = {
    "ratio": _share,
    "ratio per 10 minutes": lambda value: f"{_share(value)} per 10 minutes",
    "seconds": seconds_text,
    "bytes": _bytes,
    "per pod-hour": lambda value: f"{value:.2g} per pod-hour",
}


def effect_text(effect: Effect | None) -> tuple[str, str, str]:
    """Size, 90 % interval, and what is tolerated and the limit, each in words."""
    if effect is None:
        return _NOTHING, "", ""
    if effect.kind == "difference":
        size = _points(effect.value)
        span = f"{_points(effect.low, open_='no lower bound')} to {_points(effect.high)}"
        rule = f"tolerated {_points(effect.tolerate)}, limit {_points(effect.limit)}"
        return f"{size} points", f"90 %: {span}", rule
    span = f"{_times(effect.low, open_='no lower bound')} to {_times(effect.high)}"
    rule = f"tolerated {_times(effect.tolerate)}, limit {_times(effect.limit)}"
    return _times(effect.value), f"90 %: {span}", rule


def _points(value: float | None, open_: str = "no upper bound") -> str:
    if value is None or not math.isfinite(value):
        return open_
    return f"{100 * value:+.2g}" if value else "0"


def _times(value: float | None, open_: str = "no upper bound") -> str:
    if value is None or not math.isfinite(value):
        return open_
    return f"×{value:.2f}" if value < 10 else f"×{value:.0f}"


def evidence_text(value: float) -> str:
    """An e-value: how many times likelier the samples are under harm."""
    if value >= _MANY:
        return "over a million"
    if value < 0.01:
        return "under 0.01"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def amount(value: float) -> str:
    """A count with its thousands parted."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def day_clock(at: float | None, *, near: float | None = None) -> str:
    """`14:07:31 UTC`, with the day where it is another than that of `near`."""
    if at is None:
        return _NOTHING
    moment = datetime.fromtimestamp(at, UTC)
    if near is not None and datetime.fromtimestamp(near, UTC).date() == moment.date():
        return moment.strftime("%H:%M:%S UTC")
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def exactly(at: float) -> str:
    """For `<time datetime>`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def about(seconds: float) -> str:
    """How far away a moment is: `in 12 minutes`, `8 minutes ago`."""
    if abs(seconds) < 5:
        return "now"
    far = f"{abs(seconds) / 86_400:.0f} days" if abs(seconds) >= 172_800 else duration(abs(seconds))
    return f"in {far}" if seconds > 0 else f"{far} ago"


def needs_text(needs: Needs) -> str:
    """What a pass still lacks, in one phrase; empty where it lacks nothing that can be counted."""
    parts = []
    if needs.requests:
        parts.append(f"{needs.requests:,} more canary requests")
    if needs.canary_pods:
        parts.append(f"{needs.canary_pods} canary pods")
    if needs.seconds:
        parts.append(f"about {duration(needs.seconds)} more")
    return ", ".join(parts)


def mode_text(mode: Mode) -> str:
    """What a mode makes of an answer."""
    match mode:
        case Mode.SHADOW:
            return "shadow: controllers are told pass, whatever is judged"
        case Mode.ADVISE:
            return "advise: controllers are told pass, people are told the judgement"
        case Mode.PAUSE:
            return "pause: a fail is told as inconclusive, so that controllers wait"
        case Mode.ENFORCE:
            return "enforce: controllers are told what is judged"
