"""Reports as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import time_text
from api.reports.compared import moved_text
from api.reports.words import Wall
from detector.reports.compare import Move, Moved
from detector.reports.kept import KeptReport, ReportPage
from detector.reports.state import State, state_of

__all__ = ["ReportsAnswer", "ReportsComparedAnswer", "comparison_body", "reports_body"]


class KeptReportAnswer(Answer):
    """A report that is kept."""

    id: str = Field(description="Its content is at `/v1/reports/{id}`.")
    name: str = Field(description="The schedule that asked for it; empty: a person did.")
    at: str = Field(description="The moment for which it was made.")
    horizon_days: float = Field(description="How far it looks.")
    scope: str = Field(description="What it is about, in words.")
    title: str = Field(description="Its first words.")


class ReportsAnswer(Answer):
    """A page of reports, newest first."""

    reports: list[KeptReportAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class MovedAnswer(Answer):
    """How one resource stands in the later report against the earlier."""

    resource: str = Field(description="Its id, the same in every report.")
    title: str = Field(description="What it is called.")
    move: Literal["worse", "new", "lost", "told", "better", "gone", "same"]
    before: State | None = Field(description="How it stood; null: it was not there.")
    after: State | None = Field(description="How it stands; null: it is not there any more.")
    days: float | None = Field(
        description="How much later its middle date is; negative is earlier; null without two."
    )
    text: str = Field(description="All of it in words.")


class ReportsComparedAnswer(Answer):
    """What two reports say differently, what became worse first."""

    before: str
    after: str
    moved: list[MovedAnswer]


def reports_body(page: ReportPage) -> dict[str, Any]:
    """A page as it is answered."""
    return {"reports": [_kept(one) for one in page.reports], "next": page.next}


def comparison_body(before: str, after: str, moved: Sequence[Moved], wall: Wall) -> dict[str, Any]:
    """A comparison as it is answered."""
    return {"before": before, "after": after, "moved": [_moved(one, wall) for one in moved]}


def _kept(one: KeptReport) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "at": time_text(one.at),
        "horizon_days": one.horizon_s / 86_400,
        "scope": one.scope,
        "title": one.title,
    }


def _moved(one: Moved, wall: Wall) -> dict[str, Any]:
    return {
        "resource": one.told.identity.key,
        "title": one.told.identity.title,
        "move": Move(one.move).value,
        "before": None if one.before is None else state_of(one.before).value,
        "after": None if one.after is None else state_of(one.after).value,
        "days": None if one.days is None else round(one.days, 3),
        "text": moved_text(one, wall),
    }
