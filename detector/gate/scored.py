"""What came of a policy's judgements: what it blocked and passed, and how often it was right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PolicyScore", "score_words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyScore:
    """Rollouts under one policy by how they were judged last.

    `acts`: controllers did as it judged; else it says what it would have done. `rightly_blocked`
    and `wrongly_blocked` of those `blocked`, `rightly_passed` and `missed` of those `passed`; of
    the others it is not known. `undecided` neither failed nor passed.
    """

    policy: str
    acts: bool
    blocked: int
    rightly_blocked: int
    wrongly_blocked: int
    passed: int
    rightly_passed: int
    missed: int
    undecided: int

    @property
    def rollouts(self) -> int:
        """How many it judged."""
        return self.blocked + self.passed + self.undecided

    @property
    def right(self) -> int:
        """How often it was right."""
        return self.rightly_blocked + self.rightly_passed

    @property
    def known(self) -> int:
        """Of how many decisions it is known whether they were right."""
        return self.right + self.wrongly_blocked + self.missed


def score_words(score: PolicyScore) -> str:
    """All of it in a sentence.

    >>> score_words(PolicyScore(policy="default", acts=True, blocked=2, rightly_blocked=1,
    ...     wrongly_blocked=0, passed=0, rightly_passed=0, missed=0, undecided=1))
    'Policy default blocked 2 (1 rightly, 1 not known), left 1 undecided: right in 1 of 1.'
    """
    did = ", ".join(part for part in (_blocked(score), _passed(score), _undecided(score)) if part)
    right = f"right in {score.right} of {score.known}" if score.known else "not known how rightly"
    return f"Policy {score.policy} {did}: {right}."


def _blocked(score: PolicyScore) -> str:
    would = "blocked" if score.acts else "would have blocked"
    unknown = score.blocked - score.rightly_blocked - score.wrongly_blocked
    parts = {
        "rightly": score.rightly_blocked,
        "wrongly": score.wrongly_blocked,
        "not known": unknown,
    }
    return f"{would} {score.blocked or 'none'}{_listed(parts)}"


def _passed(score: PolicyScore) -> str:
    """Empty where it passed none."""
    if not score.passed:
        return ""
    would = "missed" if score.acts else "would have missed"
    unknown = score.passed - score.rightly_passed - score.missed
    parts = {"rightly": score.rightly_passed, would: score.missed, "not known": unknown}
    return f"passed {score.passed}{_listed(parts)}"


def _undecided(score: PolicyScore) -> str:
    return f"left {score.undecided} undecided" if score.undecided else ""


def _listed(parts: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {word}" for word, count in parts.items() if count)
    return f" ({told})" if told else ""
