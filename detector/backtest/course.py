"""Backtest: past rollouts, and what the gate would have said at each poll of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from detector.gate.attempt import Weight
from detector.gate.reason import Reason
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome, Verdict

__all__ = ["Course", "PastRollout", "Poll", "Truth", "closest"]

_NO_EVIDENCE = 1e-40


class Truth(StrEnum):
    """What a rollout was, as people know it today."""

    HEALTHY = "healthy"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRollout:
    """A rollout that is over: its request is asked from `start` to `end` (unix seconds).

    `effect_at`: when a regression began, its start where nobody knows better. `weights`: what a
    controller told when, in place of the request's own. `line`: where it stands in a list.
    """

    request: VerdictRequest
    start: float
    end: float
    truth: Truth | None = None
    effect_at: float | None = None
    weights: tuple[Weight, ...] = ()
    line: int | None = None
    name: str = ""

    @property
    def harm_from(self) -> float:
        """From when on a fail is no false one, where the rollout regressed."""
        return self.start if self.effect_at is None else self.effect_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One answer. `evidence`: log of evidence over needed by judged signal; `loads`: load ratios.

    A load ratio is the requests of a canary pod over those of a control pod.
    """

    at: float
    outcome: Outcome
    answer: Outcome
    reason: Reason
    final: bool
    evidence: Mapping[str, float] = field(default_factory=dict)
    load: float | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """All answers of one rollout.

    `failed_at`: the boundary from which on a fail was certain, `signal` by which. `problem`: why
    it could not be judged at all. `cpu_s`: what asking took.
    """

    rollout: PastRollout
    polls: tuple[Poll, ...]
    failed_at: float | None = None
    signal: str | None = None
    problem: str | None = None
    cpu_s: float = 0.0

    @property
    def first_fail(self) -> Poll | None:
        """The poll that told the fail."""
        return next((p for p in self.polls if p.outcome is Outcome.FAIL), None)

    @property
    def first_pass(self) -> Poll | None:
        """The first poll at which the rollout might have gone on."""
        return next((p for p in self.polls if p.outcome is Outcome.PASS), None)

    @property
    def last(self) -> Poll | None:
        """The last answer."""
        return self.polls[-1] if self.polls else None

    @property
    def end(self) -> Outcome:
        """How it ended: a fail stands, whatever came after."""
        if self.first_fail is not None:
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE if self.last is None else self.last.outcome

    @property
    def is_judged(self) -> bool:
        """Whether there was anything to be judged."""
        return self.problem is None and bool(self.polls)

    @property
    def is_false_alarm(self) -> bool:
        """A fail of a healthy rollout, or of another before its harm began."""
        if self.first_fail is None:
            return False
        match self.rollout.truth:
            case Truth.HEALTHY:
                return True
            case Truth.REGRESSED:
                return self._certain_at < self.rollout.harm_from
            case None:
                return False

    @property
    def is_found(self) -> bool:
        """A regression that was failed not before its harm began."""
        regressed = self.rollout.truth is Truth.REGRESSED
        return regressed and self.first_fail is not None and not self.is_false_alarm

    @property
    def _certain_at(self) -> float:
        told = self.first_fail
        at = math.inf if told is None else told.at
        return at if self.failed_at is None else self.failed_at

    @cached_property
    def closest(self) -> Mapping[str, float]:
        """By signal the largest log of evidence over needed that was ever seen."""
        most: dict[str, float] = {}
        for poll in self.polls:
            for name, value in poll.evidence.items():
                most[name] = max(most.get(name, -math.inf), value)
        return most


def closest(verdict: Verdict) -> Mapping[str, float]:
    """By judged signal the log of its evidence over what is needed, of the pair nearest to it."""
    return {
        signal.name: math.log(max((signal.evidence or 0.0) / signal.needed, _NO_EVIDENCE))
        for signal in verdict.signals
        if signal.judged and signal.needed
    }
