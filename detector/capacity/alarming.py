"""Which resources came near their end since the report before, and how near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from detector.capacity.assessed import Assessment
from detector.capacity.moments import day
from detector.capacity.report import Report
from models.baseline.calendar import DAY_MS

__all__ = ["Level", "Nearing", "level_of", "nearing"]

# Three days before there is no weekend left to do something in.
_SOON_DAYS = 3


class Level(StrEnum):
    """How near the end is, the nearest last."""

    FAR = "far"
    NEAR = "near"
    SOON = "soon"
    REACHED = "reached"

    @property
    def rank(self) -> int:
        """Ascending."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearing:
    """A resource that came nearer its end."""

    assessment: Assessment
    level: Level

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        found = self.assessment.exhaustion
        if found is None or found.p50 is None or self.level is Level.REACHED:
            return "is used up"
        return f"runs out about {day(found.p50)}"

    @property
    def month(self) -> str:
        """Of its date, as 2026-12: one that moves by days from report to report is told once."""
        found = self.assessment.exhaustion
        at = None if found is None else found.since or found.p50
        ms = self.assessment.as_of if at is None else at
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m")


def level_of(one: Assessment, days: float) -> Level:
    """How near the end is by its P50; near is within so many days."""
    found = one.exhaustion
    if found is None:
        return Level.FAR
    if found.since is not None:
        return Level.REACHED
    if found.p50 is None or found.p50 - one.as_of > days * DAY_MS:
        return Level.FAR
    return Level.SOON if found.p50 - one.as_of <= min(_SOON_DAYS, days) * DAY_MS else Level.NEAR


def nearing(report: Report, before: Report | None, *, days: int) -> list[Nearing]:
    """Those that are nearer than the report before said, the most urgent first.

    Without one before, all that are near: nobody was told of them.
    """
    return list(_nearing(report, before, days))


def _nearing(report: Report, before: Report | None, days: int) -> Iterator[Nearing]:
    old = {} if before is None else {one.identity.key: one for one in before.assessments}
    for one in report.assessments:
        level = level_of(one, days)
        was = old.get(one.identity.key)
        if level is not Level.FAR and (was is None or level.rank > level_of(was, days).rank):
            yield Nearing(assessment=one, level=level)
