"""A line of text becomes a line of a log: cleaned, its header read, the rest its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import NO_TRACE, Written
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.headers import Header, split

__all__ = ["AHEAD_MS", "Told", "in_time", "plain_line"]

# Clocks of machines differ by seconds; what lies further ahead has a broken clock, or none.
AHEAD_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a line before it is read: who wrote it, and when it came (unix ms)."""

    origin: Origin
    now: int
    zone: tzinfo = UTC


def plain_line(text: str, told: Told, count: Callable[[Flaw], None]) -> Written:
    """The line of a clean text; a host and a program in it go in where nobody else told.

    A time ahead of ours by more than ten minutes is not believed: ours is taken, and counted.
    """
    header = split(text, now=told.now, zone=told.zone)
    return Written(
        at=in_time(header.at, told.now, count),
        level=_gravity(header.level, text),
        origin=_named(told.origin, header),
        text=header.text.encode(),
        trace=bytes.fromhex(header.trace) if header.trace else NO_TRACE,
    )


def _gravity(level: Level, text: str) -> Level:
    """A stack trace that nobody gave a level is an error: lines are joined for nothing else."""
    return Level.ERROR if level is Level.UNKNOWN and "\n" in text else level


def in_time(at: int | None, now: int, count: Callable[[Flaw], None]) -> int:
    """A time that is believed, else the one at which the line came."""
    if at is None:
        return now
    if at > now + AHEAD_MS:
        count(Flaw.IN_THE_FUTURE)
        return now
    return at


def _named(origin: Origin, header: Header) -> Origin:
    if not header.program or (origin.service and origin.pod):
        return origin
    return replace(origin, service=origin.service or header.program, pod=origin.pod or header.host)
