"""What is learned as JSON; the classes document it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.bodies.answer import Answer
from api.bodies.loose import Moment, Strict, Word, needed
from api.bodies.numbers import time_text
from detector.alerts.learning import RuleCut
from detector.changes.change import ChangeKind
from detector.changes.learned import Learned, LearnedRule
from detector.gate.needing import LearnedNeed, Need, need_words
from detector.incidents.learning import Kind, Score
from detector.incidents.learning_words import (
    advice_words,
    cut_words,
    kind_words,
    score_words,
    snippet,
)
from pipelines.flows.learning import Lesson

__all__ = [
    "ApplyBody",
    "LearnedAnswer",
    "LessonAnswer",
    "UndoBody",
    "learned_body",
    "lesson_body",
]

Needed = Annotated[Word, AfterValidator(needed)]


class UndoBody(Strict):
    """A person takes back what was applied last; it is written to the audit log."""

    person: Needed = Field(description="Who decides.", examples=["ada@example.org"])
    reason: Needed = Field(description="Why.", examples=["Flags were blamed too often"])


class ApplyBody(UndoBody):
    """A person puts in force what a span teaches."""

    since: Moment = Field(None, alias="from", description="Its start; 90 days ago if not given.")
    force: bool = Field(False, description="Also where past incidents rank no better by it.")


class KindAnswer(Answer):
    """A kind of change, and the chance that one breaks something."""

    kind: ChangeKind
    default: float = Field(description="By the configuration.")
    before: float = Field(description="In force.")
    after: float = Field(description="Re-fitted.")
    low: float = Field(description="It is above this with 95 % of certainty.")
    high: float = Field(description="It is below this with 95 % of certainty.")
    bad: int = Field(description="Changes that are known to have broken something.")
    good: int = Field(description="Changes of which nothing is known, and none is suspected.")
    unsure: int = Field(description="Suspects of incidents of which nobody said what they were.")
    text: str = Field(description="All of it in a sentence.")


class RankingAnswer(Answer):
    """Past incidents that people traced, ranked again."""

    guilty: int = Field(description="Incidents that came of a change.")
    first: int = Field(description="Of these, those with it as the first suspect.")
    top3: int = Field(description="Of these, those with it among the first three.")
    alone: int = Field(description="Incidents that came of none.")
    unblamed: int = Field(description="Of these, those of which none is the likeliest cause.")
    loss: float = Field(description="Mean negative natural logarithm of the truth's probability.")
    text: str = Field(description="All of it in a sentence.")


class LearnedRuleAnswer(Answer):
    """A rule that tells from another severity on than the configuration has it."""

    route: str = Field(description="What it asks for; empty where it takes the rest.")
    to: str = Field(description="The notifier.")
    severity: str = Field(description="From which on it tells.")


class RuleCutAnswer(LearnedRuleAnswer):
    """A rule that tells what is hardly ever an incident; from that severity on it had better."""

    better: bool = Field(description="Whether that held for what was told later.")
    text: str = Field(description="What it would have spared and hidden.")


class LearnedNeedAnswer(Answer):
    """What fails of a service need under a policy, in place of what that says."""

    service: str
    namespace: str | None
    cluster: str | None
    policy: str
    needs: float = Field(description="By what the evidence that a fail needs is multiplied.")


class NeedAnswer(LearnedNeedAnswer):
    """A service of which more healthy rollouts fail than is promised, as people said."""

    before: float = Field(description="By what it is multiplied now.")
    healthy: int = Field(description="Rollouts that passed, or whose fail was called wrong.")
    wrong: int = Field(description="Of these, those that failed.")
    spared: int = Field(description="Of these, those that had not failed.")
    right: int = Field(description="Fails that nobody called wrong.")
    lost: int = Field(description="Of these, those that had not failed either.")
    better: bool = Field(description="Whether some are spared and none is lost.")
    text: str = Field(description="All of it in a sentence.")


class LearnedAnswer(Answer):
    """A version that was applied, or that undid another."""

    version: int
    bad: dict[str, float] = Field(description="Chances by kind; empty where all is as configured.")
    rules: list[LearnedRuleAnswer] = Field(
        description="Rules of alerts that are not as configured."
    )
    needs: list[LearnedNeedAnswer] = Field(description="Services whose fails need more evidence.")
    person: str
    reason: str
    at: str
    undoes: int | None


class LessonAnswer(Answer):
    """What a span teaches; nothing is changed by asking."""

    since: str
    spoken: int = Field(description="Occasions on which somebody said what it was.")
    occasions: int = Field(description="Incidents with a suspect, and overrides of verdicts.")
    kinds: list[KindAnswer]
    before: RankingAnswer
    after: RankingAnswer = Field(description="Each ranked by what was said of the others.")
    better: bool = Field(description="Whether it is better beyond chance.")
    advice: str = Field(description="Whether to apply it, and why.")
    rules: list[RuleCutAnswer]
    gates: list[NeedAnswer] = Field(description="Services whose fails had better need more.")
    settings: str = Field(description="The same for the configuration, YAML.")
    versions: list[LearnedAnswer] = Field(description="Newest first; the first is in force.")


def lesson_body(lesson: Lesson, since: float) -> dict[str, Any]:
    """A lesson as JSON."""
    found = lesson.found
    return {
        "since": time_text(round(1000 * since)),
        "spoken": found.spoken,
        "occasions": found.occasions,
        "kinds": [_kind(one) for one in found.kinds],
        "before": _score(found.before),
        "after": _score(found.after),
        "better": found.is_better,
        "advice": advice_words(found),
        "rules": [_cut(one) for one in lesson.cuts],
        "gates": [_gate(one) for one in lesson.needs],
        "settings": snippet(found.priors),
        "versions": [learned_body(one) for one in reversed(lesson.versions)],
    }


def learned_body(learned: Learned) -> dict[str, Any]:
    """A version as JSON."""
    return {
        "version": learned.version,
        "bad": {kind.value: share for kind, share in sorted(learned.bad.items())},
        "rules": [_rule(one) for one in learned.rules],
        "needs": [_need(one) for one in learned.needs],
        "person": learned.person,
        "reason": learned.reason,
        "at": time_text(round(1000 * learned.at)),
        "undoes": learned.undoes,
    }


def _rule(one: LearnedRule) -> dict[str, Any]:
    return {"route": one.route, "to": one.receiver, "severity": one.least.value}


def _need(one: LearnedNeed) -> dict[str, Any]:
    return {
        "service": one.scope.service,
        "namespace": one.scope.namespace,
        "cluster": one.scope.cluster,
        "policy": one.policy,
        "needs": one.needs,
    }


def _gate(one: Need) -> dict[str, Any]:
    return {
        **_need(one.learned),
        "before": one.before,
        "healthy": one.healthy,
        "wrong": one.wrong,
        "spared": one.spared,
        "right": one.right,
        "lost": one.lost,
        "better": one.is_better,
        "text": need_words(one),
    }


def _kind(one: Kind) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "default": one.default,
        "before": one.before,
        "after": one.after,
        "low": one.low,
        "high": one.high,
        "bad": one.tally.bad,
        "good": one.tally.good,
        "unsure": one.tally.unsure,
        "text": kind_words(one),
    }


def _score(one: Score) -> dict[str, Any]:
    return {
        "guilty": one.guilty,
        "first": one.first,
        "top3": one.top3,
        "alone": one.alone,
        "unblamed": one.unblamed,
        "loss": one.loss,
        "text": score_words(one),
    }


def _cut(one: RuleCut) -> dict[str, Any]:
    return {
        "route": one.route,
        "to": one.receiver,
        "severity": one.least.value,
        "better": one.is_better,
        "text": cut_words(one),
    }
