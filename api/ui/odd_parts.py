"""Parts of an anomaly's card: log lines, traces, and a value beside its expected range."""

from __future__ import annotations

from dataclasses import dataclass

from api.bodies.traced import Link
from api.ui.marked import Part, parts_of, plain_lines, shortened
from api.ui.wording import day_clock
from detector.gate.words import seconds_text
from detector.stream.anomaly import Contribution, LineNote
from detector.stream.traced import TraceNote
from detector.stream.words import number_text

__all__ = ["OddLine", "OddTrace", "Scale", "line_of", "scale_of", "trace_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OddLine:
    """A template that an anomaly is about."""

    id: str
    level: str
    parts: tuple[Part, ...]
    sample: str
    count: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OddTrace:
    """A request of its time, and what it spent its time on; `url` where to look it up."""

    id: str
    url: str | None
    why: str
    has_failed: bool
    at: str
    operation: str
    took: str
    spent: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Value beside its expected range; places are per cent of the width."""

    low: float
    high: float
    value: float
    words: str


def scale_of(peak: Contribution, *, is_rate: bool) -> Scale | None:
    """The range in the middle third where it can be, the value on its side."""
    left, right = min(peak.low, peak.value), max(peak.high, peak.value)
    spread = right - left
    if not 0 < spread < float("inf"):
        return None
    unit = "/s" if is_rate else ""

    def place(x: float) -> float:
        return round(4 + 92 * (x - left) / spread, 2)

    low, high = number_text(peak.low), number_text(peak.high)
    words = f"{number_text(peak.value)}{unit}, expected {low} to {high}{unit}"
    return Scale(low=place(peak.low), high=place(peak.high), value=place(peak.value), words=words)


def line_of(one: LineNote) -> OddLine:
    """A template with the first of its lines."""
    return OddLine(
        id=one.template,
        level=one.level.lower(),
        parts=parts_of(one.text),
        sample=plain_lines(one.line) if one.line != one.text else "",
        count=f"{one.count:,} line{'s' if one.count != 1 else ''}",
    )


def trace_of(one: TraceNote, link: Link, now: float) -> OddTrace:
    """A request, and what it spent its time on."""
    usual = f", usually {seconds_text(one.usual_s)}" if one.usual_s else ""
    return OddTrace(
        id=one.trace,
        url=link(one.trace),
        why=one.why.value,
        has_failed=one.has_failed,
        at=day_clock(one.at / 1000, near=now),
        operation=shortened(f"{one.operation} {one.version}".strip()),
        took=f"{seconds_text(one.duration_s)}{usual}",
        spent=tuple(
            (shortened(f"{part.service}: {part.operation}"), seconds_text(part.seconds))
            for part in one.spent
        ),
    )
