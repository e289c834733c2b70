"""Weekly notices of a team and of policies, for those that tell them."""

from __future__ import annotations

from typing import Any

from detector.alerts.brief import Gravity
from detector.alerts.digest import Digest, HeldBack
from detector.alerts.history import Held
from detector.alerts.precision import RulePrecision
from detector.gate.scored import PolicyScore
from detector.gate.telling import Notice, NoticeKind
from tests.pipelines.notify.briefs import AT

__all__ = ["RULE", "SCORE", "digest", "held", "policies", "week"]

WEEK_MS = 7 * 86_400_000
RULE = RulePrecision(
    route='namespace="shop"',
    receiver="chat",
    told=9,
    right=3,
    traced=1,
    wrong=1,
    held=2,
    missed=1,
    spared=0,
)
SCORE = PolicyScore(
    policy="default",
    acts=False,
    blocked=1,
    rightly_blocked=1,
    wrongly_blocked=0,
    passed=4,
    rightly_passed=2,
    missed=1,
    undecided=0,
)


def held(number: int = 1, title: str = "cart", words: str = "quiet hours night") -> HeldBack:
    """One that the team did not hear of."""
    return HeldBack(
        incident=f"inc_{number}",
        title=title,
        severity=Gravity.MEDIUM,
        reason=Held.QUIET,
        words=words,
        link=f"https://serinus.example.org/incidents/inc_{number}",
    )


def digest(*those: HeldBack, **changes: Any) -> Digest:  # noqa: ANN401 - as the fields are
    """Of the shop."""
    base: dict[str, Any] = {
        "team": "shop",
        "since": AT - WEEK_MS,
        "until": AT,
        "told": 4,
        "held_count": len(those),
        "held": those,
        "right": 3,
        "wrong": 1,
        "rules": (RULE,),
    }
    return Digest(**{**base, **changes})


def week(of: Digest) -> Notice:
    """The notice of a team's week."""
    return _notice(title="The week of shop", text="Of 4 told ones 3 were incidents.", digest=of)


def policies(*scores: PolicyScore) -> Notice:
    """The notice of what came of policies."""
    return _notice(title="What came of the verdicts", text="Right in 3 of 4.", policies=scores)


def _notice(**words: Any) -> Notice:  # noqa: ANN401 - as the fields are
    return Notice(
        id="digest:2026-11-23:a1", kind=NoticeKind.WEEKLY, at=AT / 1000, tenant="default", **words
    )
