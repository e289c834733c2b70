"""Flagger's hooks, and what each is answered.

What a no does depends on the hook, so each has the answer that is safe for it:

=========================  ====================================================================
confirm-rollout            no holds; yes before the scale-up, when there is nothing to judge yet
pre-rollout, rollout       no counts towards the threshold: said on fail only, unless the hook's
                           metadata say `on_inconclusive: fail`
confirm-traffic-increase   no holds; yes once per checksum before any traffic could be seen
confirm-promotion          no holds; asked at stage `final`
rollback                   **yes rolls back**: said on fail only
post-rollout, event        nobody acts on the answer
=========================  ====================================================================
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from detector.gate.verdict import Outcome, Verdict

__all__ = ["Hook", "OnInconclusive", "says_yes"]

# Flagger's phases in which a new revision waits for leave to be scaled up.
BEFORE_SCALE_UP = frozenset({"Initialized", "Waiting", "Succeeded", "Failed"})


class Hook(StrEnum):
    """Flagger's webhook types."""

    CONFIRM_ROLLOUT = "confirm-rollout"
    PRE_ROLLOUT = "pre-rollout"
    ROLLOUT = "rollout"
    CONFIRM_TRAFFIC_INCREASE = "confirm-traffic-increase"
    CONFIRM_PROMOTION = "confirm-promotion"
    POST_ROLLOUT = "post-rollout"
    ROLLBACK = "rollback"
    EVENT = "event"


class OnInconclusive(StrEnum):
    """What a `rollout` hook makes of an undecided verdict."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"


def says_yes(
    hook: Hook,
    verdict: Verdict,
    on_inconclusive: OnInconclusive = OnInconclusive.PASS,
    *,
    phase: str = "",
) -> bool:
    """Whether the hook is answered with 200: the safe-answer table."""
    answer = verdict.answer
    match hook:
        case Hook.ROLLBACK:
            return answer is Outcome.FAIL
        case Hook.ROLLOUT | Hook.PRE_ROLLOUT:
            strict = on_inconclusive is OnInconclusive.FAIL and hook is Hook.ROLLOUT
            return answer is Outcome.PASS or (answer is Outcome.INCONCLUSIVE and not strict)
        case Hook.CONFIRM_ROLLOUT:
            is_early = phase in BEFORE_SCALE_UP and verdict.is_unseen
            return answer is Outcome.PASS or (answer is not Outcome.FAIL and is_early)
        case Hook.CONFIRM_TRAFFIC_INCREASE | Hook.CONFIRM_PROMOTION:
            return answer is Outcome.PASS
        case Hook.POST_ROLLOUT | Hook.EVENT:
            return True
        case _:
            assert_never(hook)
