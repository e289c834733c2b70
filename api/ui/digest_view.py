"""What the page of a week shows: what teams were told, what was held back, how right that was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from api.ui.marked import shortened
from detector.alerts.digest import Digest, HeldBack
from detector.alerts.digest_words import text_words
from detector.alerts.history import Held
from detector.alerts.precision import RulePrecision
from detector.explain.teams import Span
from detector.gate.scored import PolicyScore

__all__ = ["HeldRow", "PolicyRow", "RuleRow", "TeamView", "Turn", "policy_row", "span_words",
           "team_view", "turn_of"]  # fmt: skip

_REASONS = {
    Held.UNROUTED: "no rule",
    Held.NO_INCIDENT: "called none",
    Held.SNOOZED: "snoozed",
    Held.MAINTENANCE: "maintenance",
    Held.INHIBITED: "inhibited",
    Held.QUIET: "quiet hours",
    Held.BUDGET: "alert budget",
    Held.OVER: "over before",
    Held.LEARNED: "learned severity",
}
_UNKNOWN = "nobody said"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """An incident that a team was not told of."""

    incident: str
    title: str
    severity: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A rule over four weeks; `told` and `held` in words of who judged them."""

    name: str
    to: str
    told: int
    told_right: str
    precision: str
    held: int
    held_right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """The week of one team; `more` were held back and are not listed."""

    name: str
    title: str
    told: int
    held_count: int
    right: str
    held: tuple[HeldRow, ...]
    more: int
    rules: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """What came of one policy over four weeks."""

    name: str
    does: str
    rollouts: int
    blocked: int
    blocked_right: str
    passed: int
    passed_right: str
    undecided: int
    right: str
    missed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Days by which the weeks before and after are asked for; `after` is empty for the last."""

    before: str
    after: str


def team_view(digest: Digest) -> TeamView:
    """As the team reads it."""
    return TeamView(
        name=digest.team,
        title=shortened(digest.team, 100),
        told=digest.told,
        held_count=digest.held_count,
        right=text_words(digest),
        held=tuple(_held(one) for one in digest.held),
        more=max(0, digest.held_count - len(digest.held)),
        rules=tuple(_rule(one) for one in digest.rules),
    )


def _held(one: HeldBack) -> HeldRow:
    return HeldRow(
        incident=one.incident,
        title=shortened(one.title),
        severity=one.severity.value,
        reason=_REASONS[one.reason],
        why=shortened(one.words, 300),
    )


def _rule(rule: RulePrecision) -> RuleRow:
    unjudged = rule.told - rule.right - rule.wrong
    traced = f" ({rule.traced} traced to a change)" if rule.traced else ""
    told = {f"right{traced}": rule.right, "wrong": rule.wrong}
    held = {"wrongly": rule.missed, "rightly": rule.spared}
    return RuleRow(
        name=shortened(rule.route, 200) or "all that no other rule takes",
        to=shortened(rule.receiver, 100),
        told=rule.told,
        told_right=_counted({**told, _UNKNOWN: unjudged}),
        precision="–" if rule.precision is None else f"{rule.precision:.0%}",
        held=rule.held,
        held_right=_counted({**held, _UNKNOWN: rule.held - rule.missed - rule.spared}),
    )


def policy_row(score: PolicyScore) -> PolicyRow:
    """What it did or would have done, and how right that was."""
    unknown = score.blocked - score.rightly_blocked - score.wrongly_blocked
    blocked = {"rightly": score.rightly_blocked, "wrongly": score.wrongly_blocked}
    passed = {"rightly": score.rightly_passed, "missed": score.missed}
    unseen = score.passed - score.rightly_passed - score.missed
    return PolicyRow(
        name=shortened(score.policy, 100),
        does="controllers did as it judged" if score.acts else "it only said what it would do",
        rollouts=score.rollouts,
        blocked=score.blocked,
        blocked_right=_counted({**blocked, "not known": unknown}),
        passed=score.passed,
        passed_right=_counted({**passed, "not known": unseen}),
        undecided=score.undecided,
        right=f"{score.right} of {score.known}" if score.known else "not known",
        missed=score.missed > 0,
    )


def _counted(parts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)


def turn_of(span: Span, now: float) -> Turn:
    """To the weeks beside one."""
    return Turn(before=_day(span.since, -1), after=_day(span.until) if span.until < now else "")


def _day(at: float, days: int = 0) -> str:
    found: date = datetime.fromtimestamp(at, UTC).date() + timedelta(days=days)
    return found.isoformat()


def span_words(span: Span) -> Iterator[str]:
    """Its two ends, to the minute."""
    for at in (span.since, span.until):
        yield datetime.fromtimestamp(at, UTC).strftime("%a %d %b %Y %H:%M UTC")
