"""Courses of past rollouts, written as strings: `iiippf` is six polls, a minute apart."""

from __future__ import annotations

from dataclasses import replace

from detector.backtest.course import Course, PastRollout, Poll, Truth
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome

__all__ = ["T0", "course", "past"]

T0 = 1_790_000_000.0
_WORDS = {
    "i": (Outcome.INCONCLUSIVE, ReasonCode.LOW_TRAFFIC),
    "d": (Outcome.INCONCLUSIVE, ReasonCode.DEADLINE_REACHED),
    "p": (Outcome.PASS, ReasonCode.HEALTHY),
    "f": (Outcome.FAIL, "error_rate_up"),
}


def past(truth: Truth | None = None, **changes: object) -> PastRollout:
    """A rollout of ten minutes."""
    request = VerdictRequest(service="checkout", canary='version="v2"')
    made = PastRollout(request=request, start=T0, end=T0 + 600, truth=truth, line=1)
    return replace(made, **changes)  # type: ignore[arg-type]


def course(letters: str, truth: Truth | None = None, **changes: object) -> Course:
    """Its answers; a fail is certain 20 s before it is told."""
    polls = tuple(
        Poll(
            at=T0 + 60 * (number + 1),
            outcome=_WORDS[letter][0],
            answer=_WORDS[letter][0],
            reason=Reason(_WORDS[letter][1], "so"),
            final=False,
        )
        for number, letter in enumerate(letters)
    )
    told = letters.find("f")
    return Course(
        rollout=past(truth, **changes),
        polls=polls,
        failed_at=None if told < 0 else T0 + 60 * (told + 1) - 20,
        signal=None if told < 0 else "error_rate",
        cpu_s=0.01 * len(polls),
    )
