"""Numbers to words: what a person reads at three in the morning."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from detector.gate.gauging import Gauged
from detector.gate.reason import Reason, up
from detector.gate.rule import ARM
from detector.gate.state import State, Tally
from detector.gate.track import Track
from detector.gate.verdict import Effect
from detector.series import FloatArray
from models.sequential.rows import RowName

__all__ = [
    "clock",
    "duration",
    "effect_of",
    "fail_reason",
    "fail_text",
    "level_of",
    "limit_words",
    "note_words",
    "scope_name",
    "unit_of",
]

_TITLES = {
    "error_rate": "Errors",
    "latency": "Latency",
    "tail95": "Slow requests (5 % tail)",
    "tail99": "Very slow requests (1 % tail)",
    "restarts": "Restarts",
    "cpu_per_request": "CPU per request",
    "memory_growth": "Growth of memory",
    "log_templates": "Error lines",
}


# Less than this is not worth a word.
_WORTH = 1.02
_NOTES = {
    "bad_buckets": "latency series without a usable bucket edge, left out",
    "births": "series that began with their first event, counted from zero",
    "clamped": "histogram counts that fell from one bucket to the next, mended",
    "flips": "steps between replicas of a counter, left out",
    "gaps": "gaps too long to bridge, left out",
    "health_checks": "series of health checks, left out",
    "incompatible_histograms": "histograms with other buckets, left out",
    "oom_killed": "OOM kills of the canary's containers, counted among its restarts",
    "no_pod": "series that name no pod of either side, left out",
    "not_finite": "samples that are no number, left out",
    "out_of_order": "samples older than one before them, left out",
    "resets": "counter resets",
    "templates_left_out": "log series of further templates, counted by their level alone",
    "warnings": "warnings of the source",
}


def note_words(name: str, count: int) -> str:
    """What the cleaning of samples did, counted; so that one and many read well."""
    what = _NOTES.get(name, name.replace("_", " "))
    return f"{what[0].upper()}{what[1:]}: {count}."


def title(name: str) -> str:
    """How a signal is called in a sentence."""
    signal, _, template = name.partition("/")
    told = _TITLES.get(signal, signal.replace("_", " ").capitalize())
    return f"{told} of template {template}" if template else told


def clock(at: float) -> str:
    """Hours and minutes, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def duration(seconds: float) -> str:
    """Whole minutes, or seconds below two minutes."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"


def percent(ratio: float) -> str:
    """A share with enough digits to be told from zero."""
    value = 100 * ratio
    digits = 0 if value >= 20 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f} %"


def seconds_text(value: float) -> str:
    """A latency in ms or s."""
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def unit_of(track: Track) -> str:
    """Unit of a signal's shown values."""
    match track.learned.row.name:
        case RowName.LATENCY:
            return "seconds"
        case RowName.EVENTS:
            return "per pod-hour"
        case RowName.GAUGE:
            return "per request"
        case RowName.SLOPE:
            return "ratio per 10 minutes"
        case _:
            return "ratio"


def level_of(track: Track, tally: FloatArray, edges: FloatArray | None) -> float | None:
    """What one side shows: a share, a rate per pod-hour, or the median latency in seconds.

    Of gauges the use of a request, or the growth in ten minutes of age.
    """
    if track.on_counts or isinstance(track.learned, Gauged):
        n, x = float(tally[0]), float(tally[1])
        return x / n if n > 0 else None
    total = float(tally.sum())
    if total <= 0 or edges is None:
        return None
    return _median(tally, edges)


def _median(counts: FloatArray, edges: FloatArray) -> float:
    """Median of a histogram, linear inside its bucket; beyond the last edge that edge."""
    below = np.cumsum(counts)
    half = below[-1] / 2
    at = int(np.searchsorted(below, half))
    if at >= len(edges):
        return float(edges[-1])
    low = float(edges[at - 1]) if at else 0.0
    before = float(below[at - 1]) if at else 0.0
    part = (half - before) / max(float(counts[at]), 1e-12)
    return float(low + part * (float(edges[at]) - low))


def effect_of(state: State, canary: float | None, control: float | None) -> Effect:
    """The effect in the signal's unit: points for ratios, times for everything else."""
    learned, row = state.track.learned, state.track.learned.row
    if row.name in {RowName.ERROR, RowName.LOGS}:
        floor = learned.rate + learned.eps0
        base = (control or 0.0) + learned.eps0
        seen = None if canary is None or control is None else canary - control
        return Effect(
            kind="difference",
            value=seen,
            low=_points(base, state.effect.low),
            high=_points(base, state.effect.high),
            tolerate=floor * math.expm1(row.tolerate),
            limit=floor * math.expm1(row.limit),
        )
    return Effect(
        kind="ratio",
        value=math.exp(state.effect.mode),
        low=_times(state.effect.low),
        high=_times(state.effect.high),
        tolerate=math.exp(row.tolerate),
        limit=math.exp(row.limit),
    )


def _points(base: float, effect: float) -> float | None:
    return base * math.expm1(effect) if math.isfinite(effect) else None


def _times(effect: float) -> float | None:
    return math.exp(effect) if math.isfinite(effect) else None


def limit_words(effect: Effect) -> tuple[str, str]:
    """Tolerated harm and limit in the signal's unit."""
    if effect.kind == "difference":
        return (
            f"+{100 * effect.tolerate:.2g} points",
            f"+{100 * effect.limit:.2g} points",
        )
    return f"x{effect.tolerate:.2f}", f"x{effect.limit:.2f}"


def scope_name(scope: int, rows: tuple[str, ...]) -> str:
    """`arm`, or the pod (or the first pod of its group)."""
    return "arm" if scope == ARM else rows[scope] if scope < len(rows) else f"row {scope}"


def compare(state: State, canary: float | None, control: float | None) -> str:
    """Both sides in one phrase."""
    if canary is None or control is None:
        return "no value on one side"
    match state.track.learned.row.name:
        case RowName.LATENCY:
            both = f"median {seconds_text(canary)} against {seconds_text(control)}"
        case RowName.EVENTS:
            both = f"{canary:.2g} against {control:.2g} per pod and hour"
        case RowName.GAUGE:
            both = f"{canary:.3g} against {control:.3g} a request"
        case RowName.SLOPE:
            both = f"{percent(canary)} against {percent(control)} in 10 minutes"
        case RowName.LOGS:
            both = f"{_lines(state.tally.canary)} against {_lines(state.tally.control)}"
        case _:
            both = f"{percent(canary)} against {percent(control)}"
    return both


def _lines(tally: FloatArray) -> str:
    """Log lines of one side, counted."""
    n, x = float(tally[0]), float(tally[1])
    told = f"{x:.0f} in {n:.0f} requests" if x else f"none in {n:.0f}"
    return f"{told} ({percent(x / max(n, 1e-9))})" if x else told


def span_words(effect: Effect) -> str:
    """Size and 90 % interval.

    A difference is what was seen of it. Evidence counts young pods and single short windows less,
    so that its interval may lie beside that: both are told for what they are.
    """
    if effect.kind == "difference":
        value = "" if effect.value is None else f"{100 * effect.value:+.2g} points"
        low, high = (None if v is None else f"{100 * v:.2g}" for v in (effect.low, effect.high))
        if _is_beside(effect):
            return f"{value} seen; by the evidence so far {_span(low, high)}"
    else:
        value = f"x{effect.value or 1:.2f}"
        low, high = (None if v is None else f"{v:.2f}" for v in (effect.low, effect.high))
    return ", ".join(part for part in (value, _span(low, high)) if part)


def _is_beside(effect: Effect) -> bool:
    """Whether what was seen lies outside of the interval, as it is written."""
    value, low, high = (
        None if one is None else float(f"{100 * one:.2g}")
        for one in (effect.value, effect.low, effect.high)
    )
    if value is None:
        return False
    return (low is not None and value < low) or (high is not None and value > high)


def _span(low: str | None, high: str | None) -> str:
    """The ends that are known: a fail is often certain long before its size has an upper end."""
    if low is None:
        return "not yet bounded" if high is None else f"90 % below {high}"
    return f"90 % above {low}" if high is None else f"90 % between {low} and {high}"


def fail_text(state: State, effect: Effect, where: str, since: float, sides: str) -> str:
    """The sentence of a fail."""
    tolerate, _ = limit_words(effect)
    explained = math.exp(state.excused)
    subject = subject_of(state.track)
    on = "" if where == "arm" else f" on {where}"
    size = f"{sides} ({span_words(effect)})"
    excused = f" beyond what its load explains (x{explained:.2f})" if explained > _WORTH else ""
    return f"{subject}{on}: {size}; tolerated {tolerate}{excused}, since {clock(since)}."


def subject_of(track: Track) -> str:
    """What got worse, as a sentence begins with it."""
    told = title(track.name)
    return f"New {told[0].lower()}{told[1:]}" if track.is_new else told


def fail_reason(track: Track, *, at: float, since: float) -> Reason:
    """Reason of a first fail before its numbers are known."""
    told = f"{subject_of(track)} worse than tolerated since {clock(since)}"
    return Reason(up(track.signal), f"{told}, certain at {clock(at)}.")


def tally_requests(state: State, tally: Tally) -> tuple[float, float]:
    """Exposure of both sides."""
    if state.track.on_counts or isinstance(state.track.learned, Gauged):
        return float(tally.canary[0]), float(tally.control[0])
    return float(tally.canary.sum()), float(tally.control.sum())
