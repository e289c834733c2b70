"""Shadow mode looked back on: what the gate would have blocked, what it would have missed.

In the modes `shadow` and `advise` a controller is always told to go on. What the gate judged
meanwhile is held against what became of the release.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.backtest.course import Truth
from detector.gate.attempt import Attempt
from detector.gate.decision import Override
from detector.gate.presence import revision_keys
from detector.gate.scored import PolicyScore
from detector.gate.verdict import Outcome
from detector.series import Matcher, MatchOp

__all__ = [
    "Aftermath",
    "Said",
    "ShadowReport",
    "Watched",
    "canary_keys",
    "said",
    "scores_of",
    "shadow_report",
    "truth_of",
]

# Any letters that end a pod's name: a pattern of names stands for pods that are made later.
_ENDING = "bcdfg"


class Said(StrEnum):
    """What the gate would have done, and whether that was right."""

    RIGHTLY_BLOCKED = "blocked, rightly"
    WRONGLY_BLOCKED = "blocked, wrongly"
    BLOCKED = "blocked, truth unknown"
    RIGHTLY_PASSED = "passed, rightly"
    MISSED = "passed a regression"
    PASSED = "passed, truth unknown"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One attempt under shadow: how it was judged last, and what became of the release.

    `by`: how that is known. `reason`: the code of the last answer. `policy` is its name, `acts`
    whether controllers did as it judged. Times are unix seconds.
    """

    attempt: str
    service: str
    revision: str | None
    at: float
    outcome: Outcome
    reason: str
    truth: Truth | None
    by: str
    policy: str = ""
    acts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """Attempts of a span, newest first, and how many of each kind."""

    since: float
    until: float
    watched: tuple[Watched, ...]

    @property
    def counts(self) -> dict[Said, int]:
        """How often it would have done what."""
        found = Counter(said(one) for one in self.watched)
        return {kind: found[kind] for kind in Said}

    @property
    def right(self) -> tuple[int, int]:
        """How often it was right, of how many decisions whose truth is known."""
        counts = self.counts
        right = counts[Said.RIGHTLY_BLOCKED] + counts[Said.RIGHTLY_PASSED]
        return right, right + counts[Said.WRONGLY_BLOCKED] + counts[Said.MISSED]


def shadow_report(watched: Sequence[Watched], *, since: float, until: float) -> ShadowReport:
    """The report of a span, unix seconds."""
    within = [one for one in watched if since <= one.at <= until]
    ordered = sorted(within, key=lambda one: (one.at, one.attempt), reverse=True)
    return ShadowReport(since=since, until=until, watched=tuple(ordered))


def said(one: Watched) -> Said:
    """What it would have done."""
    match one.outcome, one.truth:
        case Outcome.FAIL, None:
            return Said.BLOCKED
        case Outcome.FAIL, truth:
            is_bad = truth is Truth.REGRESSED
            return Said.RIGHTLY_BLOCKED if is_bad else Said.WRONGLY_BLOCKED
        case Outcome.PASS, None:
            return Said.PASSED
        case Outcome.PASS, truth:
            return Said.MISSED if truth is Truth.REGRESSED else Said.RIGHTLY_PASSED
    return Said.UNDECIDED


def scores_of(watched: Iterable[Watched]) -> tuple[PolicyScore, ...]:
    """Of each policy what came of its judgements, the one with the most rollouts first."""
    found: dict[tuple[str, bool], Counter[Said]] = {}
    for one in watched:
        found.setdefault((one.policy, one.acts), Counter())[said(one)] += 1
    made = (_score(key, counts) for key, counts in found.items())
    return tuple(sorted(made, key=lambda score: (-score.rollouts, score.policy, score.acts)))


def _score(key: tuple[str, bool], counts: Counter[Said]) -> PolicyScore:
    policy, acts = key
    right, wrong = counts[Said.RIGHTLY_BLOCKED], counts[Said.WRONGLY_BLOCKED]
    passed, missed = counts[Said.RIGHTLY_PASSED], counts[Said.MISSED]
    return PolicyScore(
        policy=policy,
        acts=acts,
        blocked=right + wrong + counts[Said.BLOCKED],
        rightly_blocked=right,
        wrongly_blocked=wrong,
        passed=passed + missed + counts[Said.PASSED],
        rightly_passed=passed,
        missed=missed,
        undecided=counts[Said.UNDECIDED],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is known of a release afterwards.

    A person's decisions on the attempt; `incident`: one that comes of it, or nothing. Its revision
    served as the stable one later (`served`), or another release followed and it had not
    (`followed`). `is_known`: the revision can be recognised at all. `was_stopped`: the controller
    was told to stop it, so that it did not become stable proves nothing.
    """

    overrides: Sequence[Override] = ()
    incident: str = ""
    served: bool = False
    followed: bool = False
    is_known: bool = True
    was_stopped: bool = False


def truth_of(after: Aftermath) -> tuple[Truth | None, str]:
    """What became of a release, and how that is known.

    What it broke comes before what a person thought of it at the time.
    """
    if after.incident:
        return Truth.REGRESSED, f"incident {after.incident} comes of it"
    decided = [one for one in after.overrides if one.outcome is not Outcome.INCONCLUSIVE]
    if decided:
        newest = max(decided, key=lambda one: one.at)
        truth = Truth.REGRESSED if newest.outcome is Outcome.FAIL else Truth.HEALTHY
        return truth, f"{newest.person} decided so"
    if after.served:
        return Truth.HEALTHY, "it became the stable version"
    if after.was_stopped:
        return None, "it was stopped, and nobody said whether rightly"
    if after.followed and after.is_known:
        return Truth.REGRESSED, "it never became the stable version"
    return None, "nothing is known yet" if after.is_known else "its pods tell no revision"


def canary_keys(attempt: Attempt) -> frozenset[str]:
    """By what the canary's revision is known again; empty where its selector tells nothing."""
    found: set[str] = set()
    for matcher in () if attempt.plan is None else attempt.plan.canary:
        found |= _keys(matcher)
    for pod in () if attempt.latch is None else attempt.latch.pods:
        found |= revision_keys(pod, {})
    return frozenset(found)


def _keys(matcher: Matcher) -> frozenset[str]:
    match matcher.op:
        case MatchOp.EQUAL:
            return revision_keys(matcher.value, {matcher.label: matcher.value})
        case MatchOp.MATCHES:
            names = matcher.value.replace("\\", "").split("|")
            return frozenset().union(*(_named(name) for name in names))
        case MatchOp.NOT_EQUAL | MatchOp.NOT_MATCHES:
            return frozenset()


def _named(name: str) -> frozenset[str]:
    """The key in a pod's name, or in a pattern of the names of a ReplicaSet's pods."""
    stem = name.partition(".")[0]
    return revision_keys(f"{stem}{_ENDING}" if stem.endswith("-") else stem, {})
