"""Numbers as people read them in a table."""

from __future__ import annotations

from api.cli.told import Effect, Needs, Signal

__all__ = ["UNKNOWN", "bounds", "effect", "evidence", "level", "needs"]

UNKNOWN = "-"


def level(value: float | None, unit: str) -> str:
    """What one side shows, in the signal's unit."""
    if value is None:
        return UNKNOWN
    match unit:
        case "ratio":
            return _percent(value)
        case "seconds":
            return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
        case "per pod-hour":
            return f"{value:.3g} /pod h"
    return f"{value:.3g}"


def _percent(ratio: float) -> str:
    value = 100 * ratio
    digits = 0 if value >= 20 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f} %"


def effect(found: Effect | None) -> str:
    """Best estimate and interval: `+1.7 pt (0.9 to 2.6)`, `x1.52 (1.31 to 1.72)`.

    An estimate that nothing bounds on either side is none: it is where an empty search began.
    """
    if found is None or found.value is None or (found.low is None and found.high is None):
        return UNKNOWN
    low, high = _size(found.low, found.kind), _size(found.high, found.kind)
    if found.kind == "difference":
        return f"{100 * found.value:+.2g} pt ({low} to {high})"
    return f"x{found.value:.2f} ({low} to {high})"


def _size(value: float | None, kind: str) -> str:
    if value is None:
        return "?"
    return f"{100 * value:.2g}" if kind == "difference" else f"{value:.2f}"


def bounds(found: Effect | None) -> tuple[str, str]:
    """What is tolerated, and what a pass has to rule out."""
    if found is None:
        return UNKNOWN, UNKNOWN
    return _bound(found.tolerate, found.kind), _bound(found.limit, found.kind)


def _bound(value: float | None, kind: str) -> str:
    if value is None:
        return UNKNOWN
    return f"+{100 * value:.2g} pt" if kind == "difference" else f"x{value:.2f}"


def evidence(signal: Signal) -> str:
    """How far the evidence of harm has come, and where a fail begins."""
    if signal.evidence is None:
        return UNKNOWN
    if signal.needed is None:
        return _short(signal.evidence)
    return f"{_short(signal.evidence)} of {_short(signal.needed)}"


def _short(value: float) -> str:
    if value and (value >= 1e6 or value < 0.001):
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def needs(lacking: Needs) -> str | None:
    """What a pass still lacks, or None where nothing is known to."""
    parts = [
        f"{lacking.requests} more requests of the canary" if lacking.requests else None,
        f"about {_duration(lacking.seconds)}" if lacking.seconds else None,
        f"{lacking.canary_pods} canary pods" if lacking.canary_pods else None,
    ]
    return ", ".join(part for part in parts if part) or None


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
