"""Traces of an anomaly as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits
from detector.stream.traced import TraceNote

__all__ = ["LineTraceAnswer", "Link", "TraceAnswer", "no_link", "traces_body"]

Link = Callable[[str], str | None]


class SpentAnswer(Answer):
    """An operation on the critical path of a request."""

    service: str = Field(description="Whose.")
    operation: str = Field(description="Which.")
    seconds: float = Field(description="What it added to the duration of the request.")


class LineTraceAnswer(Answer):
    """A trace that a log line was written in."""

    trace_id: str = Field(description="In hexadecimal.")
    url: str | None = Field(description="Where to look it up, by `traces.url`; else null.")


class TraceAnswer(Answer):
    """A request to the service at the time of the anomaly."""

    trace_id: str = Field(description="Its trace, in hexadecimal.")
    span_id: str = Field(description="Its span in that.")
    url: str | None = Field(description="Where to look it up, by `traces.url`; else null.")
    why: Literal["failed", "slowest", "ordinary"] = Field(description="Why it is shown.")
    at: str = Field(description="When it began, by the clock of who served it.")
    operation: str = Field(description="What was asked of the service.")
    version: str | None = Field(description="Of the service; null where nobody told.")
    failed: bool = Field(description="Whether it failed.")
    duration_s: float = Field(description="How long it took.")
    usual_s: float | None = Field(
        description="What requests to the operation took before, half of them less; null: unknown."
    )
    spent: list[SpentAnswer] = Field(
        description="What took longest, the longest first; none while its spans are waited for."
    )


def no_link(_: str) -> str | None:
    """Where nobody told where traces are looked up."""
    return None


def traces_body(notes: Iterable[TraceNote], link: Link) -> list[dict[str, Any]]:
    """Traces as JSON."""
    return [_trace(note, link) for note in notes]


def _trace(note: TraceNote, link: Link) -> dict[str, Any]:
    at = datetime.fromtimestamp(note.at / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "trace_id": note.trace,
        "span_id": note.span,
        "url": link(note.trace),
        "why": note.why.value,
        "at": at.replace("+00:00", "Z"),
        "operation": note.operation,
        "version": note.version or None,
        "failed": note.has_failed,
        "duration_s": digits(note.duration_s),
        "usual_s": digits(note.usual_s) or None,
        "spent": [
            {"service": one.service, "operation": one.operation, "seconds": digits(one.seconds)}
            for one in note.spent
        ],
    }
