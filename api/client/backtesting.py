"""Policies tried on past rollouts, as frames: which end otherwise, and what it adds up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.client.counts import discovery, world_of
from api.client.judging import Told, every_of, policy_of
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from detector.backtest.course import Course
    from detector.backtest.score import Share
    from detector.gate.policy import Policy

__all__ = ["Backtest", "Rollout", "backtest"]

_MOST = 10_000
_MOST_POLICIES = 20
_NEVER = float("nan")


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout that is over: what its pods counted, as `client.judge` takes it.

    `truth` is "healthy" or "regressed", as people know it today; `effect_at`, when the harm of one
    that regressed began: its start unless told.
    """

    counts: pd.DataFrame
    truth: str | None = None
    effect_at: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Backtest:
    """`rollouts`: how each ended under each policy. `score`: what that adds up to, by policy."""

    rollouts: pd.DataFrame
    score: pd.DataFrame


def backtest(
    rollouts: Sequence[Rollout],
    policies: Mapping[str, Told],
    *,
    every: str | float | pd.Timedelta = "60s",
) -> Backtest:
    """Ask each `every` what a controller would have asked, under each policy, and add it up.

    `policies` by name, each by its fields. The engine, the clock that is moved by hand and the sums
    are those of `serinus backtest`. `InputError` names what cannot be used.
    """
    if not 1 <= len(rollouts) <= _MOST:
        words = f"rollouts: {len(rollouts)}, not between 1 and {_MOST}"
        raise InputError(words, field="rollouts")
    if not 1 <= len(policies) <= _MOST_POLICIES:
        words = f"policies: {len(policies)}, not between 1 and {_MOST_POLICIES}"
        raise InputError(words, field="policies")
    asked = {name: policy_of(told) for name, told in policies.items()}
    each = [_played(one, asked, every) for one in rollouts]
    courses = {name: [of[place] for of in each] for place, name in enumerate(asked)}
    return Backtest(rollouts=_rollouts(courses), score=_score(courses))


def _played(
    one: Rollout, policies: Mapping[str, Policy], every: str | float | pd.Timedelta
) -> Sequence[Course]:
    from detector.backtest.course import PastRollout
    from detector.gate.request import VerdictRequest
    from pipelines.flows.backtest import Past, play_each

    world = world_of(one.counts, "service")
    rollout = PastRollout(
        request=VerdictRequest(service="service", canary='{arm="canary"}'),
        start=world.start,
        end=world.end,
        truth=_truth(one.truth),
        effect_at=_effect(one.effect_at),
        name=one.name,
    )
    past = Past(source=world.source, catalog=world.source, discover=discovery())
    every_s = every_of(every, world)
    return play_each(rollout, past, policies=list(policies.values()), every_s=every_s)


def _truth(told: str | None) -> Any:  # noqa: ANN401 - an enum that is loaded late
    from detector.backtest.course import Truth

    if told is None:
        return None
    if told not in set(Truth):
        words = f"truth: {told!r} is neither healthy nor regressed"
        raise InputError(words, field="truth")
    return Truth(told)


def _effect(at: datetime | None) -> float | None:
    if at is not None and at.utcoffset() is None:
        raise InputError(f"effect_at: {at} has no time zone", field="effect_at")
    return None if at is None else at.timestamp()


def _rollouts(courses: Mapping[str, Sequence[Course]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(list(_rows(courses)))
    texts = ["policy", "rollout", "truth", "end", "reason", "signal"]
    return frame.astype({**dict.fromkeys(texts, "string"), "false_alarm": "bool"})


def _rows(courses: Mapping[str, Sequence[Course]]) -> Iterator[dict[str, Any]]:
    """Minutes are from the start of the rollout; `evidence` is the most, over what is needed."""
    for policy, ended in courses.items():
        for course in ended:
            rollout, last = course.rollout, course.last
            yield {
                "policy": policy,
                "rollout": rollout.name or None,
                "truth": None if rollout.truth is None else rollout.truth.value,
                "end": course.end.value,
                "reason": None if last is None else str(last.reason.code),
                "signal": course.signal,
                "false_alarm": course.is_false_alarm,
                "pass_after": _minutes(course, course.first_pass),
                "fail_after": _minutes(course, course.first_fail),
                "closeness": max(course.closest.values(), default=_NEVER),
            }


def _minutes(course: Course, poll: Any) -> float:  # noqa: ANN401 - a poll, or none
    return _NEVER if poll is None else (poll.at - course.rollout.start) / 60


def _score(courses: Mapping[str, Sequence[Course]]) -> pd.DataFrame:
    import pandas as pd

    from detector.backtest.score import score

    summed = {name: score(ended) for name, ended in courses.items()}
    rows = {
        name: {
            **_share("false_rollbacks", one.false_rollbacks),
            **_share("promoted", one.promoted),
            **_share("detections", one.detections),
            **_share("missed", one.missed),
            "pass_after": _NEVER if one.time_to_pass is None else one.time_to_pass.median / 60,
            "fail_after": _NEVER if one.time_to_fail is None else one.time_to_fail.median / 60,
        }
        for name, one in summed.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.rename_axis("policy")


def _share(name: str, share: Share) -> dict[str, float]:
    low, high = share.interval
    return {
        name: share.hits,
        f"{name}_of": share.count,
        f"{name}_low": low if share.count else _NEVER,
        f"{name}_high": high if share.count else _NEVER,
    }
