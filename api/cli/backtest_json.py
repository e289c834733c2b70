"""A backtest as JSON: totals by policy, then each rollout with every poll."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from detector.backtest.course import Course, Poll
from detector.backtest.score import Score, Share, differences, score
from detector.gate.render import utc_text
from models.middle import Middle

__all__ = ["backtest_json"]


def backtest_json(
    names: Sequence[str], columns: Sequence[Sequence[Course]], *, every_s: float, took_s: float
) -> dict[str, Any]:
    """Everything that was found; times are UTC, spans seconds, shares with exact intervals."""
    made: dict[str, Any] = {
        "every_s": every_s,
        "took_s": round(took_s, 3),
        "policies": [
            {"policy": name, **_score(score(courses))}
            for name, courses in zip(names, columns, strict=True)
        ],
        "rollouts": [_rollout(names, row) for row in zip(*columns, strict=True)],
    }
    if len(columns) == 2:
        made["differ"] = [d.one.rollout.line for d in differences(*columns)]
    return made


def _score(made: Score) -> dict[str, Any]:
    return {
        "rollouts": made.rollouts,
        "unjudged": made.unjudged,
        "polls": made.polls,
        "outcomes": {outcome.value: count for outcome, count in made.outcomes},
        "false_rollbacks": _share(made.false_rollbacks),
        "promoted": _share(made.promoted),
        "detections": _share(made.detections),
        "early": _share(made.early),
        "missed": _share(made.missed),
        "time_to_fail_s": _middle(made.time_to_fail),
        "time_to_pass_s": _middle(made.time_to_pass),
        "undecided": dict(made.waiting),
        "cpu_s": round(made.cpu_s, 3),
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {
        "hits": share.hits,
        "of": share.count,
        "ratio": _number(share.ratio),
        "low": _number(low),
        "high": _number(high),
    }


def _middle(found: Middle | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "median": _number(found.median),
        "low": _number(found.low),
        "high": _number(found.high),
        "of": found.count,
    }


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def _rollout(names: Sequence[str], row: Sequence[Course]) -> dict[str, Any]:
    of = row[0].rollout
    return {
        "line": of.line,
        "name": of.name,
        "service": of.request.service,
        "canary": of.request.canary,
        "started_at": _utc(of.start),
        "ended_at": _utc(of.end),
        "truth": None if of.truth is None else of.truth.value,
        "effect_at": None if of.effect_at is None else _utc(of.effect_at),
        "judged": [
            {"policy": name, **_course(course)} for name, course in zip(names, row, strict=True)
        ],
    }


def _course(course: Course) -> dict[str, Any]:
    fail, ok, last = course.first_fail, course.first_pass, course.last
    return {
        "outcome": course.end.value if course.is_judged else None,
        "problem": course.problem,
        "first_fail": None if fail is None else _utc(fail.at),
        "first_pass": None if ok is None else _utc(ok.at),
        "certain_at": None if course.failed_at is None else _utc(course.failed_at),
        "signal": course.signal,
        "final": None if last is None else last.final,
        "reason": None if last is None else _reason(last),
        "closest": {name: _number(value) for name, value in course.closest.items()},
        "polls": [_poll(poll) for poll in course.polls],
    }


def _poll(poll: Poll) -> dict[str, Any]:
    return {
        "at": _utc(poll.at),
        "outcome": poll.outcome.value,
        "answer": poll.answer.value,
        "reason": str(poll.reason.code),
    }


def _reason(poll: Poll) -> dict[str, str]:
    return {"code": str(poll.reason.code), "text": poll.reason.text}


def _utc(at: float) -> str | None:
    return utc_text(datetime.fromtimestamp(round(at, 3), UTC))
