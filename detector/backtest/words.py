"""What a backtest found, in words: at a terminal and on a page alike."""

from __future__ import annotations

import math

from detector.backtest.course import Course
from detector.backtest.score import Score, Share
from models.middle import Middle

__all__ = ["minutes", "place", "share_words", "span_words", "total_rows"]


def total_rows(made: Score) -> list[tuple[str, str]]:
    """Names and words of the totals."""
    ends = ", ".join(f"{count} {outcome}" for outcome, count in made.outcomes)
    judged = f"{made.rollouts - made.unjudged} of {made.rollouts}, {made.polls} polls"
    waiting = ", ".join(f"{code} {count}" for code, count in made.waiting) or "–"
    return [
        ("judged", judged),
        ("ended", ends),
        ("false roll-backs", share_words(made.false_rollbacks, "healthy")),
        ("healthy, passed at the end", share_words(made.promoted, "healthy")),
        ("regressions found", share_words(made.detections, "regressed")),
        ("failed before the harm", share_words(made.early, "regressed")),
        ("regressed, passed at the end", share_words(made.missed, "regressed")),
        ("time to fail, from the harm", span_words(made.time_to_fail)),
        ("time to pass, from the start", span_words(made.time_to_pass)),
        ("undecided at the end, because", waiting),
    ]


def share_words(share: Share, of: str) -> str:
    """3 of 40 healthy: 7.5 %, 95 % between 1.6 and 20.4."""
    if share.ratio is None:
        return f"no rollout is told to be {of}"
    low, high = (100 * bound for bound in share.interval)
    ratio = 100 * share.ratio
    return f"{share.hits} of {share.count} {of}: {ratio:.3g} % ({low:.2g} to {high:.3g})"


def span_words(found: Middle | None) -> str:
    """Median minutes with their interval, as far as so few can tell."""
    if found is None:
        return "–"
    words = f"median {minutes(found.median)} min"
    if math.isinf(found.low) or math.isinf(found.high):
        return f"{words} (of {found.count}: too few for an interval)"
    return f"{words} ({minutes(found.low)} to {minutes(found.high)})"


def minutes(seconds: float) -> str:
    """Minutes as people read them."""
    return f"{seconds / 60:.1f}"


def place(course: Course) -> str:
    """Where a rollout stands in the list, and what it is called."""
    of = course.rollout
    return f"line {of.line} ({of.name})" if of.line else of.name
