"""Templates of log lines as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import time_text
from detector.logs.kept import KeptTemplate, TemplatePage

__all__ = ["TemplateAnswer", "TemplatesAnswer", "templates_body"]

LevelWord = Literal["unknown", "trace", "debug", "info", "warn", "error", "fatal"]


class TemplateAnswer(Answer):
    """One kind of log line, in one service at one level."""

    id: str = Field(description="Its id: the same in every process.", examples=["lt_6f1c0e9a8b7d"])
    service: str | None = Field(description="Whose lines; null where none tells.")
    level: LevelWord = Field(description="How grave in its writer's eyes.")
    text: str = Field(
        description="The line, with `<...>` where lines differ.",
        examples=["payment of order <num> failed: card declined"],
    )
    sample: str = Field(description="Its first line, redacted.")
    count: int = Field(description="Lines of it.")
    first: str = Field(description="Of its oldest line, to fifteen seconds.")
    last: str = Field(description="Of its newest line, to fifteen seconds.")
    came: str = Field(description="When its first line came in here.")
    days: dict[str, int] = Field(description="Lines by day, UTC.")
    links: dict[str, str] = Field(description="Where to find it.")


class TemplatesAnswer(Answer):
    """A page of templates, those that came last first."""

    templates: list[TemplateAnswer] = Field(description="This page.")
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


def templates_body(page: TemplatePage | Sequence[KeptTemplate]) -> dict[str, Any]:
    """A page as JSON."""
    templates = page.templates if isinstance(page, TemplatePage) else page
    after = page.after if isinstance(page, TemplatePage) else None
    return {"templates": [_body(one) for one in templates], "next": after}


def _body(one: KeptTemplate) -> dict[str, Any]:
    return {
        "id": one.id,
        "service": one.service or None,
        "level": one.level.name.lower(),
        "text": one.text,
        "sample": one.sample,
        "count": one.count,
        "first": time_text(one.first),
        "last": time_text(one.last),
        "came": time_text(one.came),
        "days": {_day(day): count for day, count in sorted(one.days.items())},
        "links": {"self": f"/v1/templates/{one.id}"},
    }


def _day(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
