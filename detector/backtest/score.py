"""What a backtest adds up to: false roll-backs, regressions found, and how long both took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.backtest.course import Course, Poll, Truth
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from models.middle import Middle, middle
from models.proportion import exact_interval

__all__ = ["Difference", "Score", "Share", "differences", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `count`, with an exact interval of 95 %."""

    hits: int
    count: int

    @property
    def ratio(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high."""
        return exact_interval(self.hits, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The sum of many courses.

    Shares: healthy rollouts that failed (`false_rollbacks`) or ended in a pass (`promoted`);
    regressed ones that failed not before their harm began (`detections`), before it (`early`) or
    ended in a pass (`missed`). Times are seconds: from the harm to the answer that told the fail,
    and from the start of a healthy rollout to its first pass. `waiting`: why rollouts ended
    undecided, the commonest reason first. `unjudged`: could not be read.
    """

    rollouts: int
    unjudged: int
    polls: int
    outcomes: tuple[tuple[Outcome, int], ...]
    false_rollbacks: Share
    promoted: Share
    detections: Share
    early: Share
    missed: Share
    time_to_fail: Middle | None
    time_to_pass: Middle | None
    waiting: tuple[tuple[str, int], ...]
    cpu_s: float


def score(courses: Sequence[Course]) -> Score:
    """The sum of what could be judged."""
    judged = [course for course in courses if course.is_judged]
    healthy, regressed = (
        [c for c in judged if c.rollout.truth is t] for t in (Truth.HEALTHY, Truth.REGRESSED)
    )
    ends = Counter(course.end for course in judged)
    undecided = [c for c in judged if c.end is Outcome.INCONCLUSIVE]
    return Score(
        rollouts=len(courses),
        unjudged=len(courses) - len(judged),
        polls=sum(len(course.polls) for course in judged),
        outcomes=tuple((outcome, ends[outcome]) for outcome in Outcome),
        false_rollbacks=_share(c.is_false_alarm for c in healthy),
        promoted=_share(c.end is Outcome.PASS for c in healthy),
        detections=_share(c.is_found for c in regressed),
        early=_share(c.is_false_alarm for c in regressed),
        missed=_share(c.end is Outcome.PASS for c in regressed),
        time_to_fail=middle([told.at - c.rollout.harm_from for c, told in _found(regressed)]),
        time_to_pass=middle([c.first_pass.at - c.rollout.start for c in healthy if c.first_pass]),
        waiting=tuple(Counter(_reason(course) for course in undecided).most_common()),
        cpu_s=sum(course.cpu_s for course in judged),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One rollout that two policies end differently."""

    one: Course
    other: Course


def differences(one: Sequence[Course], other: Sequence[Course]) -> tuple[Difference, ...]:
    """Rollouts, in their order, that fail or end otherwise under the other policy."""
    return tuple(
        Difference(one=a, other=b)
        for a, b in zip(one, other, strict=True)
        if a.is_judged and b.is_judged and a.end is not b.end
    )


def _found(regressed: Sequence[Course]) -> Iterable[tuple[Course, Poll]]:
    """Regressions with the poll that told them."""
    for course in regressed:
        told = course.first_fail
        if course.is_found and told is not None:
            yield course, told


def _reason(course: Course) -> str:
    """Why it was undecided; at the deadline, what it waited for until then."""
    codes = (str(poll.reason.code) for poll in reversed(course.polls))
    return next((c for c in codes if c != ReasonCode.DEADLINE_REACHED), ReasonCode.DEADLINE_REACHED)


def _share(marks: Iterable[bool]) -> Share:
    found = list(marks)
    return Share(hits=sum(found), count=len(found))
