"""Weeks as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import time_text
from detector.alerts.digest import Digest
from detector.alerts.history import Held
from detector.explain.teams import Span
from detector.gate.scored import PolicyScore
from pipelines.notify.digest_data import digest_data, score_data

__all__ = ["WeekAnswer", "week_body"]


class HeldBackAnswer(Answer):
    """An incident that a team was not told of."""

    incident: str = Field(description="Its id at `/v1/incidents`.")
    title: str
    severity: Literal["low", "medium", "high"]
    reason: Held = Field(description="Why, in a word.")
    why: str = Field(description="Why, in words.")
    link: str | None = Field(description="Its page, where serinus has an address.")


class RuleAnswer(Answer):
    """A rule that leads to a receiver, over the four weeks before the end."""

    route: str = Field(description="What it asks for; empty where it takes the rest.")
    to: str = Field(description="The notifier.")
    told: int = Field(description="Incidents that it told.")
    right: int = Field(description="Of these, those that people took for incidents.")
    traced: int = Field(description="Of these, those that a person traced to a change.")
    wrong: int = Field(description="Of those told, those that people called no incident.")
    precision: float | None = Field(description="right of right and wrong; null: nobody judged.")
    held: int = Field(description="Incidents of which the receiver never heard.")
    missed: int = Field(description="Of these, those that were incidents, as others said.")
    spared: int = Field(description="Of these, those that were none.")
    text: str = Field(description="All of it in a sentence.")


class TeamWeekAnswer(Answer):
    """What one team was told in a week."""

    team: str
    since: str
    until: str
    told: int = Field(description="Incidents of which it first heard.")
    right: int = Field(description="Of these, those that people took for incidents.")
    wrong: int = Field(description="Of these, those that people called no incident.")
    precision: float | None = Field(description="right of right and wrong; null: nobody judged.")
    held_back: int = Field(description="Incidents of which it never heard.")
    held: list[HeldBackAnswer] = Field(description="The gravest fifty of these.")
    rules: list[RuleAnswer]
    text: str = Field(description="How right it was, in a sentence.")


class ScoreAnswer(Answer):
    """What came of one policy in the four weeks before the end."""

    policy: str
    acts: bool = Field(description="Whether controllers did as it judged; else it only said so.")
    rollouts: int
    blocked: int = Field(description="Those that failed, or would have.")
    rightly_blocked: int
    wrongly_blocked: int
    passed: int
    rightly_passed: int
    missed: int = Field(description="Those that passed, and were bad.")
    undecided: int
    right: int = Field(description="How often it was right.")
    known: int = Field(description="Of how many decisions that is known.")
    text: str = Field(description="All of it in a sentence.")


class WeekAnswer(Answer):
    """A week, by team and by policy."""

    since: str
    until: str
    teams: list[TeamWeekAnswer]
    policies: list[ScoreAnswer]
    notes: list[str] = Field(description="What was not looked at, and why.")


def week_body(
    span: Span, digests: Sequence[Digest], scores: Sequence[PolicyScore], notes: Sequence[str]
) -> dict[str, Any]:
    """As it is answered."""
    return {
        "since": time_text(round(1000 * span.since)),
        "until": time_text(round(1000 * span.until)),
        "teams": [digest_data(one) for one in digests],
        "policies": [score_data(one) for one in scores],
        "notes": list(notes),
    }
