"""A team's week, and what came of policies, as JSON for programs that are told of it or ask."""

from __future__ import annotations

from datetime import UTC, datetime

from detector.alerts.digest import Digest, HeldBack
from detector.alerts.digest_words import rule_words, text_words
from detector.alerts.precision import RulePrecision
from detector.gate.render import Json, utc_text
from detector.gate.scored import PolicyScore, score_words

__all__ = ["digest_data", "score_data"]


def digest_data(digest: Digest) -> dict[str, Json]:
    """All that a digest says; times as text in UTC, what is not known as null."""
    return {
        "team": digest.team,
        "since": _time(digest.since),
        "until": _time(digest.until),
        "told": digest.told,
        "right": digest.right,
        "wrong": digest.wrong,
        "precision": _share(digest.precision),
        "held_back": digest.held_count,
        "held": [_held(one) for one in digest.held],
        "rules": [_rule(rule) for rule in digest.rules],
        "text": text_words(digest),
    }


def score_data(score: PolicyScore) -> dict[str, Json]:
    """What came of one policy."""
    return {
        "policy": score.policy,
        "acts": score.acts,
        "rollouts": score.rollouts,
        "blocked": score.blocked,
        "rightly_blocked": score.rightly_blocked,
        "wrongly_blocked": score.wrongly_blocked,
        "passed": score.passed,
        "rightly_passed": score.rightly_passed,
        "missed": score.missed,
        "undecided": score.undecided,
        "right": score.right,
        "known": score.known,
        "text": score_words(score),
    }


def _rule(rule: RulePrecision) -> dict[str, Json]:
    return {
        "route": rule.route,
        "to": rule.receiver,
        "told": rule.told,
        "right": rule.right,
        "traced": rule.traced,
        "wrong": rule.wrong,
        "precision": _share(rule.precision),
        "held": rule.held,
        "missed": rule.missed,
        "spared": rule.spared,
        "text": rule_words(rule),
    }


def _held(one: HeldBack) -> dict[str, Json]:
    return {
        "incident": one.incident,
        "title": one.title,
        "severity": one.severity.value,
        "reason": one.reason.value,
        "why": one.words,
        "link": one.link or None,
    }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _time(at: int) -> str | None:
    return utc_text(datetime.fromtimestamp(at / 1000, UTC))
